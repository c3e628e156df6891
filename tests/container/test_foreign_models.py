"""`serve` answers models that stock XGBoost or AWS's image left, without network and read only."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import numpy as np
import pytest
import xgboost

from .conftest import Start
from .drive import AS_CALLER, as_csv, mount

pytestmark = pytest.mark.container
SEALED = ("--network", "none", "--read-only")
X = np.random.default_rng(11).normal(size=(200, 6)).astype(np.float32)
X[::9, 2] = np.nan
ROWS = [["" if np.isnan(cell) else repr(float(cell)) for cell in row] for row in X[:50]]


def grow(objective: str, seed: int = 0, names: list[str] | None = None) -> xgboost.Booster:
    """Train a booster as anyone does."""
    y = (X[:, 0] > 0) + (X[:, 1] > 1) if objective.startswith("multi:") else X[:, 0] > 0
    params = {"objective": objective, "seed": seed, "subsample": 0.6}
    if objective.startswith("multi:"):
        params["num_class"] = 3
    return xgboost.train(params, xgboost.DMatrix(X, y, feature_names=names), 20)


def answers(booster: xgboost.Booster) -> np.ndarray:
    """Ask stock XGBoost, in this process, for the same rows."""
    predicted = booster.predict(xgboost.DMatrix(X[:50]), validate_features=False)
    return predicted.astype(np.float64).ravel()


@pytest.mark.parametrize(
    ("name", "form", "objective"),
    [
        ("xgboost-model", "ubj", "binary:logistic"),
        ("model.json", "json", "multi:softprob"),
        ("my_regressor", "json", "reg:squarederror"),
    ],
)
def test_a_stock_model_is_served_as_it_is(
    serve: Start, tmp_path: Path, name: str, form: str, objective: str
) -> None:
    """Beside what the SDK's local mode leaves; two workers, read-only file system."""
    booster = grow(objective)
    (tmp_path / name).write_bytes(booster.save_raw(form))
    (tmp_path / "model.tar.gz").write_bytes(b"\x1f\x8b")
    (tmp_path / "output.tar.gz").write_bytes(b"\x1f\x8b")
    (tmp_path / ".hidden").touch()

    server = serve(tmp_path, "--read-only", "--env", "SAGEMAKER_MODEL_SERVER_WORKERS=2")

    assert np.abs(server.post(as_csv(ROWS)).scores() - answers(booster)).max() <= 1e-5
    assert f"serving {objective} with engine onedal" in server.logs()
    short = server.post(as_csv([ROWS[0][:-1]]))
    assert (short.status, b"5 values came, the model expects 6" in short.body) == (400, True)


def test_names_of_the_booster_are_the_requests(serve: Start, tmp_path: Path) -> None:
    """A named record reaches them in any order."""
    names = ["age", "pay", "c", "d", "e", "tenure"]
    booster = grow("binary:logistic", names=names)
    (tmp_path / "model.ubj").write_bytes(booster.save_raw("ubj"))
    record = dict(reversed(list(zip(names, X[1].tolist(), strict=True))))

    answer = serve(tmp_path).post(json.dumps(record).encode(), "application/json")

    [said] = json.loads(answer.body)["predictions"]
    assert abs(said["score"] - answers(booster)[1]) <= 1e-5
    assert said["predicted_label"] in {0, 1}


@pytest.mark.parametrize("ensemble", ["true", "false"])
def test_the_folds_of_a_job_answer_together(serve: Start, tmp_path: Path, ensemble: str) -> None:
    """Their mean, or the first alone."""
    boosters = [grow("binary:logistic", seed) for seed in range(3)]
    for place, booster in enumerate(boosters):
        (tmp_path / f"xgboost-model-{place}").write_bytes(booster.save_raw("ubj"))
    each = [answers(booster) for booster in boosters]
    expected = np.mean(each, axis=0) if ensemble == "true" else each[0]

    server = serve(tmp_path, "--env", f"SAGEMAKER_INFERENCE_ENSEMBLE={ensemble}")

    assert np.abs(server.post(as_csv(ROWS)).scores() - expected).max() <= 1e-5


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (pickle.dumps(grow("binary:logistic")), "is a pickle, which can run any code"),
        (b"binf\x00\x00\x00\x00", "old binary form"),
        (bytes(grow("binary:logistic").save_raw("ubj"))[:3000], "copy the model again|can read"),
    ],
    ids=["pickle", "binf", "cut"],
)
def test_what_is_not_read_is_refused_at_once(
    start: Start, tmp_path: Path, content: bytes, said: str
) -> None:
    """With one line, the command that converts it, and an exit code."""
    (tmp_path / "xgboost-model").write_bytes(content)

    server = start("serve", *AS_CALLER, *SEALED, *mount(tmp_path, "/opt/ml/model", readonly=True))

    assert server.exit_code() == 1
    logs = server.logs()
    assert any(text in logs for text in said.split("|")), logs
    assert "Traceback" not in logs
    if said.startswith("is a pickle"):
        assert "python -c" in logs
