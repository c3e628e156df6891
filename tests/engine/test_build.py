"""oneDAL is chosen where it is equal; elsewhere XGBoost serves and the reason is one line."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import xgboost

from churn_daal.engine import build, load_onedal, rebuild


@pytest.mark.parametrize(
    ("objective", "classes"), [("binary:logistic", 2), ("rank:ndcg", 0), ("multi:softmax", 3)]
)
def test_equal_models_go_to_onedal(
    objective: str, classes: int, grow: Callable[..., xgboost.Booster], rows: np.ndarray
) -> None:
    """A convertible model gets oneDAL, its bytes and a passed gate."""
    built = build(grow(objective), rows, seed=0)
    assert (built.engine.name, built.reason) == ("onedal", None)
    assert built.parity.passed
    loaded = load_onedal(built.onedal, objective=objective, n_features=6, n_classes=classes)
    np.testing.assert_array_equal(loaded.predict(rows), built.engine.predict(rows))


@pytest.mark.parametrize(
    ("objective", "params", "reason"),
    [
        ("binary:logistic", {"booster": "dart", "rate_drop": 0.5}, "booster=dart"),
        ("binary:logistic", {"booster": "gblinear"}, "booster=gblinear"),
        ("multi:softprob", {"num_class": 2}, "with 2 classes"),
        ("multi:softprob", {"num_parallel_tree": 2}, "num_parallel_tree=2"),
        ("reg:quantileerror", {"quantile_alpha": [0.1, 0.9]}, "one output, this has 2"),
        ("binary:logistic", {"rounds": 0}, "no trees"),
    ],
)
def test_what_does_not_convert_goes_to_xgboost(
    objective: str,
    params: dict[str, Any],
    reason: str,
    grow: Callable[..., xgboost.Booster],
    rows: np.ndarray,
) -> None:
    """The job goes on with XGBoost's answers and tells why."""
    booster = grow(objective, **params)
    built = build(booster, rows, seed=0)
    assert (built.engine.name, built.onedal, built.parity) == ("xgboost", None, None)
    assert built.reason.startswith("not convertible to oneDAL: ")
    assert reason in built.reason
    expected = booster.predict(xgboost.DMatrix(rows))
    np.testing.assert_allclose(built.engine.predict(rows), expected, rtol=1e-6, atol=1e-6)


def test_a_failed_gate_goes_to_xgboost(rows: np.ndarray) -> None:
    """A model that converts but differs is dropped; the one line tells by how much and where.

    Float32 sums that pass a million on their way to one keep two digits, and the two engines
    add up in another order.
    """
    params = {"objective": "reg:squarederror", "base_score": 1e6, "eta": 0.5, "max_depth": 4}
    matrix = xgboost.DMatrix(rows, np.nan_to_num(rows[:, 3]))
    booster = xgboost.train(params, matrix, 30)
    built = build(booster, rows, seed=0)
    assert (built.engine.name, built.onedal) == ("xgboost", None)
    assert not built.parity.passed
    assert built.parity.max_difference > built.parity.limit
    assert re.fullmatch(
        r"oneDAL and XGBoost differ by \S+ on the margin \(limit 1e-05\), worst at .*", built.reason
    )
    np.testing.assert_array_equal(
        built.engine.predict(rows), booster.predict(xgboost.DMatrix(rows))
    )


def test_rebuild(logistic: xgboost.Booster, rows: np.ndarray) -> None:
    """A booster without rows to compare on is converted through the gate all the same."""
    built = rebuild(logistic)
    assert built.engine.name == "onedal"
    assert built.onedal is not None
    expected = logistic.predict(xgboost.DMatrix(rows))
    np.testing.assert_allclose(built.engine.predict(rows), expected, atol=1e-6)


def test_rebuild_tells_of_a_fallback(
    grow: Callable[..., xgboost.Booster], caplog: pytest.LogCaptureFixture
) -> None:
    """A booster that does not convert is served by XGBoost, with one warning."""
    with caplog.at_level(logging.WARNING):
        assert rebuild(grow("multi:softprob", num_class=2)).engine.name == "xgboost"
    (record,) = caplog.records
    assert record.message == (
        "serving with XGBoost itself: not convertible to oneDAL: multi:softprob with 2 classes "
        "has no oneDAL form; binary:logistic has"
    )
