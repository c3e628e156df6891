"""What has to be converted is converted once, in a process of its own, and built from its bytes."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path

import numpy as np
import pytest
import xgboost

from churn_daal import artifact, engine
from churn_daal.artifact import model as model_module
from churn_daal.artifact import prepare, prepare_apart
from churn_daal.errors import ArtifactError, UserError

X = np.random.default_rng(3).normal(size=(200, 3)).astype(np.float32)


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    """Return a folder with two boosters from elsewhere."""
    for seed in range(2):
        params = {"objective": "binary:logistic", "seed": seed, "subsample": 0.5}
        booster = xgboost.train(params, xgboost.DMatrix(X, X[:, 0] > 0), 4)
        (tmp_path / f"xgboost-model-{seed}").write_bytes(booster.save_raw("ubj"))
    return tmp_path


def test_apart_and_here_make_the_same(foreign: Path) -> None:
    """The same manifest and the same bytes come out of the other process."""
    apart, here = prepare_apart(foreign), prepare(foreign)

    assert apart == here
    assert [member.booster.name for member in apart.members] == [
        *("xgboost-model-0", "xgboost-model-1")
    ]


def test_what_is_prepared_is_not_converted_again(
    foreign: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker builds from the bytes."""
    prepared, whole = prepare_apart(foreign), artifact.load(foreign)
    monkeypatch.setattr(engine, "rebuild", pytest.fail)
    monkeypatch.setattr(model_module, "prepare", pytest.fail)

    model = artifact.load(foreign, prepared=prepared, threads=1)

    np.testing.assert_array_equal(model.predict(X), whole.predict(X))


def test_the_first_alone(foreign: Path) -> None:
    """The other process is told, too."""
    assert len(prepare_apart(foreign, ensemble=False).members) == 1


def test_a_whole_folder_needs_nothing(churn_model: Path) -> None:
    """No other process is started for it, and nothing is made."""
    assert prepare_apart(churn_model).members == ()
    assert prepare(churn_model).members == ()


def test_our_own_folder_without_bytes(
    tmp_path: Path, churn_model: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Is converted apart, and the log says why."""
    folder = Path(shutil.copytree(churn_model, tmp_path / "model"))
    (folder / "daal" / "onedal.bin").unlink()

    prepared = prepare_apart(folder)

    [member] = prepared.members
    assert member.onedal is not None
    assert prepared.manifest == artifact.audit(churn_model)
    assert "converting the booster again: there is no daal/onedal.bin" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("content", "kind", "message"),
    [
        (b'{"learner": {"broken', ArtifactError, "is no model XGBoost"),
        (b"\x80\x04", ArtifactError, "is a pickle"),
    ],
)
def test_faults_come_back_as_they_are(
    tmp_path: Path, content: bytes, kind: type[Exception], message: str
) -> None:
    """From the other process as from this one."""
    (tmp_path / "m").write_bytes(content)

    with pytest.raises(kind, match=message):
        prepare_apart(tmp_path)


def test_an_unknown_objective_is_the_users_fault(tmp_path: Path) -> None:
    """Told apart from damage."""
    booster = xgboost.train({"objective": "survival:cox"}, xgboost.DMatrix(X, abs(X[:, 0])), 2)
    (tmp_path / "m").write_bytes(booster.save_raw("ubj"))
    manifest = prepare_apart(tmp_path).manifest
    assert manifest.objective == "survival:cox"
    with pytest.raises(UserError, match="not one this release knows"):
        engine.objective_named("survival:coxx")


def test_a_file_that_ends_xgboost_does_not_end_the_server(tmp_path: Path) -> None:
    """Some damaged UBJ files do; here they end the other process alone."""
    booster = xgboost.train({"objective": "reg:squarederror"}, xgboost.DMatrix(X, X[:, 0]), 3)
    whole = bytearray(booster.save_raw("ubj"))
    # A length that no memory holds.
    at = whole.find(b"#L", 200)
    whole[at + 2 : at + 10] = (2**60).to_bytes(8, "big")
    (tmp_path / "m").write_bytes(whole)

    with pytest.raises(ArtifactError, match=r"ended the process that converts it|is no model"):
        prepare_apart(tmp_path)


def test_a_fallback_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """XGBoost answers, and the manifest has the reason."""
    params = {"objective": "multi:softprob", "num_class": 2}
    booster = xgboost.train(params, xgboost.DMatrix(X, X[:, 0] > 0), 2)
    (tmp_path / "m").write_bytes(booster.save_raw("ubj"))
    with caplog.at_level(logging.WARNING):
        prepared = prepare(tmp_path)

    assert prepared.members[0].onedal is None
    assert prepared.manifest.engine.name == "xgboost"
    assert artifact.load(tmp_path, prepared=prepared, threads=1).engine.name == "xgboost"
