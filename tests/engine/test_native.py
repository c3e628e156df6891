"""XGBoost itself answers through the engine protocol as Booster.predict does."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import xgboost

from churn_daal.engine.native import XGBoostEngine, load_xgboost
from churn_daal.engine.objectives import objective_names
from churn_daal.errors import ArtifactError


@pytest.mark.parametrize("objective", [*objective_names(), "dart", "gblinear"])
def test_every_objective(
    objective: str, grow: Callable[..., xgboost.Booster], rows: np.ndarray
) -> None:
    """Answers equal Booster.predict's for every objective and kind of booster."""
    kind = {"dart": {"booster": "dart", "rate_drop": 0.5}, "gblinear": {"booster": "gblinear"}}
    booster = grow("binary:logistic", **kind[objective]) if objective in kind else grow(objective)
    answers = XGBoostEngine(booster).predict(rows)
    expected = booster.predict(xgboost.DMatrix(rows))
    if objective == "multi:softmax":
        answers = answers.argmax(axis=1)
    np.testing.assert_allclose(answers, expected, rtol=1e-6, atol=1e-6)


def test_two_class_multi(grow: Callable[..., xgboost.Booster], rows: np.ndarray) -> None:
    """A multi:* model of two classes answers two probabilities a row."""
    booster = grow("multi:softprob", num_class=2)
    engine = XGBoostEngine(booster)
    np.testing.assert_allclose(
        engine.predict(rows), booster.predict(xgboost.DMatrix(rows)), atol=1e-6
    )
    assert engine.n_classes == 2


def test_multi_target(rows: np.ndarray) -> None:
    """A model of two targets answers, and explains, two values a row."""
    matrix = xgboost.DMatrix(rows, np.nan_to_num(rows[:, :2]))
    booster = xgboost.train({"objective": "reg:squarederror"}, matrix, 2)
    engine = XGBoostEngine(booster)
    np.testing.assert_array_equal(engine.predict(rows), booster.predict(xgboost.DMatrix(rows)))
    margins = engine.margin(rows)
    assert margins.shape == (len(rows), 2)
    assert engine.contributions(rows).shape == (len(rows), 2, 7)
    np.testing.assert_allclose(engine.contributions(rows).sum(axis=2), margins, atol=1e-5)


@pytest.mark.parametrize("booster", ["gbtree", "gblinear"])
def test_loaded_engine(
    booster: str, grow: Callable[..., xgboost.Booster], rows: np.ndarray, tmp_path: Path
) -> None:
    """A file without a suffix loads, one row and no rows are answered, other widths refused."""
    trained = grow("binary:logistic", booster=booster)
    path = tmp_path / "xgboost-model"
    path.write_bytes(bytes(trained.save_raw("ubj")))
    engine = load_xgboost(path, threads=1)
    expected = trained.predict(xgboost.DMatrix(rows))
    np.testing.assert_allclose(engine.predict(rows[:1]), expected[:1], atol=1e-6)
    assert engine.predict(rows[:0]).shape == (0,)
    assert (engine.name, engine.n_features) == ("xgboost", 6)
    with pytest.raises(ValueError, match=r"shape \(240, 5\), the engine expects \(n, 6\)"):
        engine.predict(rows[:, :5])


def test_named_features(rows: np.ndarray) -> None:
    """A booster that knows names answers a matrix that has none."""
    matrix = xgboost.DMatrix(rows, rows[:, 3] > 0, feature_names=list("abcdef"))
    booster = xgboost.train({"objective": "binary:logistic"}, matrix, 3)
    expected = booster.predict(matrix)
    np.testing.assert_allclose(XGBoostEngine(booster).predict(rows), expected, atol=1e-6)


@pytest.mark.parametrize("booster", ["gbtree", "dart", "gblinear"])
def test_many_threads(booster: str, grow: Callable[..., xgboost.Booster], rows: np.ndarray) -> None:
    """Calls from many threads at once each get their own rows' answers."""
    engine = XGBoostEngine(grow("binary:logistic", booster=booster), threads=1)
    expected, wrong, start = engine.predict(rows), [], threading.Barrier(6)

    def work(seed: int) -> None:
        rng = np.random.default_rng(seed)
        start.wait()
        for _ in range(60):
            first, count = rng.integers(0, 200), rng.integers(1, 40)
            if not np.array_equal(
                engine.predict(rows[first : first + count]), expected[first : first + count]
            ):
                wrong.append((first, count))

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_missing_file(tmp_path: Path) -> None:
    """A missing model file is named."""
    with pytest.raises(ArtifactError, match=r"xgboost-model: No such file"):
        load_xgboost(tmp_path / "xgboost-model")


@pytest.mark.parametrize("content", [b"", b"hello", b"{}"])
def test_unreadable_file(content: bytes, tmp_path: Path) -> None:
    """A file XGBoost cannot read is named with its size."""
    (tmp_path / "xgboost-model").write_bytes(content)
    with pytest.raises(ArtifactError, match=rf"\({len(content)} bytes\) is no model XGBoost"):
        load_xgboost(tmp_path / "xgboost-model")


@pytest.mark.parametrize("share", [0.2, 0.9])
def test_truncated_file(share: float, logistic: xgboost.Booster, tmp_path: Path) -> None:
    """A truncated JSON model is an ArtifactError."""
    data = bytes(logistic.save_raw("json"))
    (tmp_path / "xgboost-model").write_bytes(data[: int(len(data) * share)])
    with pytest.raises(ArtifactError, match="is no model XGBoost"):
        load_xgboost(tmp_path / "xgboost-model")
