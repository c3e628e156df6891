"""A loaded model answers what XGBoost answers, whichever engine it has."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import xgboost

from churn_daal import artifact
from churn_daal.artifact import Model
from churn_daal.errors import ArtifactError


def margins_agree(model: Model, folder: Path) -> bool:
    """Compare a model with the stored booster on random rows, missing values among them."""
    booster = xgboost.Booster(model_file=bytearray((folder / "xgboost-model").read_bytes()))
    rng = np.random.default_rng(0)
    X = rng.normal(100, 100, (200, model.encoder.schema.width)).astype(np.float32)
    X[rng.random(X.shape) < 0.2] = np.nan
    expected = booster.predict(xgboost.DMatrix(X))
    return bool(np.allclose(model.predict(X), expected, atol=1e-5))


def test_the_ready_bytes_are_used(churn_model: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Loading converts nothing."""
    with caplog.at_level(logging.WARNING):
        model = artifact.load(churn_model)

    assert model.engine.name == "onedal"
    assert model.answers()
    assert margins_agree(model, churn_model)
    assert not caplog.records


def test_missing_bytes_are_made_again(
    tmp_path: Path, churn_model: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Without onedal.bin the booster is converted at load, and the log says so."""
    folder = Path(shutil.copytree(churn_model, tmp_path / "model"))
    (folder / "daal" / "onedal.bin").unlink()

    model = artifact.load(folder)

    assert model.engine.name == "onedal"
    assert margins_agree(model, folder)
    assert "converting the booster again: there is no daal/onedal.bin" in caplog.text


@pytest.mark.filterwarnings("ignore:.*gblinear. is deprecated:UserWarning")
def test_xgboost_answers_what_onedal_cannot_hold(
    tmp_path: Path, churn_head: str, train_model: Callable[..., Path]
) -> None:
    """A linear model is trained, saved without oneDAL bytes and served by XGBoost."""
    folder = train_model(tmp_path, churn_head, label="Churn?", booster="gblinear", num_round=3)

    model = artifact.load(folder)

    assert model.engine.name == "xgboost"
    assert not (folder / "daal" / "onedal.bin").exists()
    assert "gblinear" in str(model.manifest.engine.reason)
    assert margins_agree(model, folder)


def test_files_of_two_models_are_refused(
    tmp_path: Path, churn_model: Path, train_model: Callable[..., Path]
) -> None:
    """Trees that read another number of columns than the schema makes are no model."""
    other = train_model(tmp_path, "y,x\n" + "0,1\n1,2\n" * 20, num_round=2)
    folder = Path(shutil.copytree(churn_model, tmp_path / "mixed"))
    shutil.copy(other / "daal" / "onedal.bin", folder / "daal")
    manifest = json.loads((folder / "daal" / "manifest.json").read_bytes())
    manifest["files"] |= {
        "daal/onedal.bin": json.loads((other / "daal" / "manifest.json").read_bytes())["files"][
            "daal/onedal.bin"
        ]
    }
    (folder / "daal" / "manifest.json").write_text(json.dumps(manifest))

    with pytest.raises(ArtifactError, match=r"mixes files of two jobs|of two different models"):
        artifact.load(folder)
