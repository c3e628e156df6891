"""The gate lets equal models pass and catches the unequal, those converted in silence first."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import xgboost
from daal4py.mb.gbt_convertors import get_gbt_model_from_xgboost

from churn_daal.engine.anatomy import read_forest, split_thresholds
from churn_daal.engine.convert import convert
from churn_daal.engine.objectives import objective_named
from churn_daal.engine.onedal import MarginEngine
from churn_daal.engine.parity import ALONE_ROWS, MOST_ROWS, check_parity


def test_equal_models_pass(logistic: xgboost.Booster, rows: np.ndarray) -> None:
    """A right conversion passes with a difference that is measured, not assumed."""
    parity = check_parity(convert(logistic), logistic, rows, seed=0)
    assert parity.passed
    assert parity.quantity == "margin"
    assert 0 <= parity.max_difference <= parity.limit == 1e-5
    assert parity.rows > 4 * len(rows)
    assert json.loads(json.dumps(parity.to_json()))["passed"] is True


def test_cox_under_the_plain_conversion_is_caught(
    grow: Callable[..., xgboost.Booster], rows: np.ndarray
) -> None:
    """survival:cox, which daal4py's plain conversion gets wrong by one in silence, fails."""
    booster = grow("survival:cox", base_score=1.0)
    plain = MarginEngine(get_gbt_model_from_xgboost(booster), objective_named("survival:cox"))
    parity = check_parity(plain, booster, rows, seed=0)
    assert not parity.passed
    off = np.abs(plain.margin(rows) - booster.predict(xgboost.DMatrix(rows), output_margin=True))
    assert off.max() == pytest.approx(1.0, abs=1e-5)
    assert check_parity(convert(booster), booster, rows, seed=0).passed


def change_a_leaf(trees: list[dict[str, Any]]) -> None:
    """Raise one leaf by a thousandth."""
    leaf = trees[-1]["left_children"].index(-1)
    trees[-1]["split_conditions"][leaf] += 0.001


def change_a_split(trees: list[dict[str, Any]]) -> None:
    """Move one split to the next float."""
    trees[0]["split_conditions"][0] = float(
        np.nextafter(np.float32(trees[0]["split_conditions"][0]), np.float32(np.inf))
    )


def change_a_default(trees: list[dict[str, Any]]) -> None:
    """Send missing values the other way at one root."""
    trees[0]["default_left"][0] = 1 - trees[0]["default_left"][0]


@pytest.mark.parametrize("objective", ["binary:logistic", "multi:softprob"])
@pytest.mark.parametrize("change", [change_a_leaf, change_a_split, change_a_default])
def test_corrupted_models_are_caught(
    change: Callable[[list[dict[str, Any]]], None],
    objective: str,
    grow: Callable[..., xgboost.Booster],
    rows: np.ndarray,
    edit_trees: Callable[..., xgboost.Booster],
) -> None:
    """One leaf, one split by one float, one default direction: each is found."""
    booster = grow(objective)
    corrupted = convert(edit_trees(booster, change))
    parity = check_parity(corrupted, booster, rows, seed=0)
    assert not parity.passed
    assert parity.max_difference > parity.limit
    assert "onedal" in parity.worst_row
    assert "xgboost" in parity.worst_row


@pytest.mark.parametrize(
    ("change", "place"),
    [(change_a_split, "on split values"), (change_a_default, "missing")],
)
def test_without_rows_the_made_rows_find_it(
    change: Callable[[list[dict[str, Any]]], None],
    place: str,
    grow: Callable[..., xgboost.Booster],
    rows: np.ndarray,
    edit_trees: Callable[..., xgboost.Booster],
) -> None:
    """With no rows given, the made ones still find a wrong split and a wrong default."""
    booster = grow("reg:squarederror")
    corrupted = convert(edit_trees(booster, change))
    parity = check_parity(corrupted, booster, rows[:0], seed=0)
    assert not parity.passed
    assert place in parity.worst_row


class Answering:
    """A converted engine whose first margin is replaced."""

    name = "onedal"
    extras = frozenset()

    def __init__(self, engine: MarginEngine, value: float) -> None:
        self.engine, self.value = engine, value
        self.objective, self.n_features = engine.objective, engine.n_features

    def margin(self, X: np.ndarray) -> np.ndarray:
        """Return the engine's margins but for the first."""
        margins = self.engine.margin(X).copy()
        margins[0] = self.value
        return margins


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_fail(
    value: float, logistic: xgboost.Booster, rows: np.ndarray
) -> None:
    """NaN or infinity on one side only is a failure, and the report is still JSON."""
    parity = check_parity(Answering(convert(logistic), value), logistic, rows, seed=0)
    assert not parity.passed
    assert parity.max_difference is None
    assert json.loads(json.dumps(parity.to_json(), allow_nan=False))["max_difference"] is None
    assert str(abs(value)) in parity.worst_row


def test_the_limit_is_relative_above_one(rows: np.ndarray) -> None:
    """A margin of a million may be off by float32's rounding, but not by a part in 10,000."""
    matrix = xgboost.DMatrix(rows, 1e6 + np.nan_to_num(rows[:, 3]) * 1e5)
    booster = xgboost.train({"objective": "reg:squarederror", "max_depth": 4}, matrix, 8)
    engine = convert(booster)
    assert check_parity(engine, booster, rows, seed=0).passed
    wrong = Answering(engine, engine.margin(rows)[0] * np.float32(1.0001))
    assert not check_parity(wrong, booster, rows, seed=0).passed


def test_rows_are_capped_and_seeded(logistic: xgboost.Booster, rows: np.ndarray) -> None:
    """Many rows are cut to a seeded choice, and the same seed finds the same."""
    many = np.tile(rows, (50, 1))
    engine = convert(logistic)
    parity = check_parity(engine, logistic, many, seed=3)
    assert parity.rows == 4 * MOST_ROWS + 1 + ALONE_ROWS
    assert parity == check_parity(engine, logistic, many, seed=3)


def test_the_rows_given_are_not_written_to(logistic: xgboost.Booster) -> None:
    """The gate leaves the caller's rows as they were."""
    X = np.random.default_rng(0).normal(size=(30, 6)).astype(np.float32)
    before = X.copy()
    check_parity(convert(logistic), logistic, X, seed=0)
    np.testing.assert_array_equal(X, before)


def test_thresholds_are_those_of_the_trees(logistic: xgboost.Booster) -> None:
    """Every split of the text dump is among the thresholds of its feature."""
    found = split_thresholds(read_forest(logistic)["trees"], 6)
    splits = 0
    for text in logistic.get_dump(dump_format="json"):
        stack = [json.loads(text)]
        while stack:
            node = stack.pop()
            stack += node.get("children", [])
            if "split" in node:
                splits += 1
                assert np.float32(node["split_condition"]) in found[int(node["split"][1:])]
    assert splits >= sum(map(len, found)) > 0


def test_other_widths_are_refused(logistic: xgboost.Booster, rows: np.ndarray) -> None:
    """Check rows of another width are the caller's mistake."""
    with pytest.raises(ValueError, match=r"shape \(240, 5\)"):
        check_parity(convert(logistic), logistic, rows[:, :5], seed=0)
