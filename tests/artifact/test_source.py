"""A booster's file that was replaced after the model was loaded is not read for it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from churn_daal import artifact
from churn_daal.artifact import Model
from churn_daal.errors import ArtifactError

from .test_foreign import X, expected, grow, largest

LATE: dict[str, Callable[[Model], object]] = {
    "explanations": lambda model: model.explainer.leaf(
        np.zeros((1, model.encoder.schema.width), dtype=np.float32)
    ),
    "booster": lambda model: model.booster,
}


@pytest.fixture(params=["ours", "foreign"])
def folder(request: pytest.FixtureRequest, tmp_path: Path, churn_model: Path) -> Path:
    """Return a model folder that a test may change."""
    if request.param == "ours":
        return Path(shutil.copytree(churn_model, tmp_path / "model"))
    grow("binary:logistic").save_model(tmp_path / "xgboost-model.ubj")
    return tmp_path


def file_of(folder: Path) -> Path:
    """Return the booster's file."""
    return next(path for path in folder.iterdir() if path.name.startswith("xgboost-model"))


@pytest.mark.parametrize("late", LATE)
def test_another_model_is_refused(folder: Path, late: str) -> None:
    """Explanations of one model beside the answers of another would be believed."""
    model = artifact.load(folder, threads=1)
    file_of(folder).write_bytes(grow("binary:logistic", rounds=3).save_raw("ubj"))

    with pytest.raises(ArtifactError, match="was replaced after the model was loaded") as caught:
        LATE[late](model)

    assert str(file_of(folder)) in str(caught.value)
    assert "restart the server" in str(caught.value)


def test_a_file_that_is_gone_is_named(folder: Path) -> None:
    """With what to do."""
    model = artifact.load(folder, threads=1)
    file_of(folder).unlink()

    with pytest.raises(ArtifactError, match="cannot be read: No such file or directory; copy"):
        LATE["explanations"](model)


def test_the_same_bytes_written_again_are_the_same_model(tmp_path: Path) -> None:
    """Whatever the file's time says."""
    booster = grow("binary:logistic")
    booster.save_model(tmp_path / "m.ubj")
    model = artifact.load(tmp_path, threads=1)
    copy = shutil.copy(tmp_path / "m.ubj", tmp_path / ".copy")
    Path(copy).replace(tmp_path / "m.ubj")

    assert largest(expected(model.booster), expected(booster)) == 0
    assert model.explainer.leaf(X[:2]).shape == (2, 12)


def test_a_converted_model_answers_without_its_file(tmp_path: Path) -> None:
    """A worker that takes another's place needs the file for explanations alone."""
    booster = grow("binary:logistic")
    booster.save_model(tmp_path / "m.ubj")
    prepared = artifact.prepare_apart(tmp_path)
    (tmp_path / "m.ubj").unlink()

    model = artifact.load(tmp_path, threads=1, prepared=prepared)

    assert largest(model.predict(X), expected(booster)) <= 1e-5
    with pytest.raises(ArtifactError, match="cannot be read"):
        _ = model.booster


def test_a_file_replaced_between_preparing_and_loading_is_found_out(tmp_path: Path) -> None:
    """Old oneDAL bytes beside new explanations would be two models in one."""
    file = tmp_path / "m.ubj"
    grow("binary:logistic").save_model(file)
    prepared = artifact.prepare(tmp_path)
    grow("binary:logistic", rounds=3).save_model(file)

    with pytest.raises(ArtifactError, match=r"m\.ubj was replaced"):
        artifact.check_unchanged(tmp_path, prepared)
    model = artifact.load(tmp_path, threads=1, prepared=prepared)
    with pytest.raises(ArtifactError, match=r"m\.ubj was replaced"):
        LATE["explanations"](model)
