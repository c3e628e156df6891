"""Contributions are XGBoost's, or oneDAL's only where the gate found them to be XGBoost's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import xgboost

from churn_daal.engine import attribution
from churn_daal.engine.attribution import MOST_ROWS, check_contributions
from churn_daal.engine.convert import convert
from churn_daal.engine.objectives import objective_named, objective_names
from churn_daal.engine.onedal import load_onedal
from churn_daal.engine.parity import check_parity

SINGLE = [name for name in objective_names() if objective_named(name).link != "softmax"]


def explained(booster: xgboost.Booster, X: np.ndarray) -> np.ndarray:
    """Return XGBoost's own contributions."""
    return booster.predict(xgboost.DMatrix(X), pred_contribs=True)


@pytest.mark.parametrize("objective", SINGLE)
def test_onedal_explains_as_xgboost(
    objective: str, grow: Callable[..., xgboost.Booster], rows: np.ndarray
) -> None:
    """Of each objective, missing values included: the same values, in stored bytes too."""
    # With its own base score the tree of one objective has a split right below itself.
    booster = grow(objective, **({"base_score": 0.9} if objective == "survival:aft" else {}))
    assert not has_a_split_right_below_itself(booster)
    engine = convert(booster)
    stored = load_onedal(engine.to_bytes(), objective=objective, n_features=6, n_classes=0)
    X = np.concatenate([rows, np.full((1, 6), np.nan, np.float32)])

    values = stored.contributions(X)

    assert values.dtype == np.float32
    assert values.shape == (len(X), 7)
    np.testing.assert_allclose(values, explained(booster, X), rtol=0, atol=1e-5)
    np.testing.assert_allclose(values.sum(axis=1), stored.margin(X), rtol=0, atol=1e-5)
    found = check_parity(engine, booster, rows, seed=0).contributions
    assert found is not None
    assert found.passed
    assert found.rows == MOST_ROWS


def test_a_row_alone_is_explained_as_in_a_block(
    logistic: xgboost.Booster, rows: np.ndarray
) -> None:
    """OneDAL has a way of its own for one row; no rows at all have no contributions."""
    engine = convert(logistic)
    alone = np.concatenate([engine.contributions(row[np.newaxis]) for row in rows[:20]])
    np.testing.assert_allclose(alone, engine.contributions(rows)[:20], rtol=0, atol=2e-6)
    assert engine.contributions(rows[:0]).shape == (0, 7)


def test_a_split_right_below_itself_fails_the_gate(
    grow: Callable[..., xgboost.Booster], rows: np.ndarray
) -> None:
    """OneDAL explains such a tree otherwise: the margins pass, the contributions do not.

    This booster has `f0 < -1.3` twice in a path, with missing cells once to the left, once to the
    right.
    """
    booster = grow("survival:aft", base_score=0.5)
    parity = check_parity(convert(booster), booster, rows, seed=0)
    assert has_a_split_right_below_itself(booster)
    assert parity.passed
    assert parity.contributions is not None
    assert not parity.contributions.passed
    assert parity.contributions.max_difference > 1e-5


def test_another_weight_of_one_branch_is_found(
    logistic: xgboost.Booster, rows: np.ndarray, edit_trees: Callable[..., xgboost.Booster]
) -> None:
    """The same leaves and splits with one cover changed answer alike and explain otherwise."""

    def halve(trees: list[dict[str, Any]]) -> None:
        trees[0]["sum_hessian"][1] *= 0.5

    edited = edit_trees(logistic, halve)
    parity = check_parity(convert(edited), logistic, rows, seed=0)
    assert parity.passed
    assert not parity.contributions.passed


def test_a_model_that_takes_too_long_is_not_checked(
    logistic: xgboost.Booster, rows: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Deep trees are compared on fewer rows, and on none where one is too much."""
    engine = convert(logistic)
    monkeypatch.setattr(attribution, "MOST_WORK", 10 * attribution.shap_work(trees_of(logistic)))
    assert check_contributions(engine, logistic, rows, limit=1e-5).rows == 10
    monkeypatch.setattr(attribution, "MOST_WORK", 1)
    unchecked = check_contributions(engine, logistic, rows, limit=1e-5)
    assert (unchecked.rows, unchecked.max_difference, unchecked.passed) == (0, None, False)


def test_values_that_are_not_finite_fail(
    logistic: xgboost.Booster, rows: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    """NaN is no small difference."""
    engine = convert(logistic)
    real = engine.contributions

    def broken(X: np.ndarray) -> np.ndarray:
        values = real(X).copy()
        values[-1, 0] = np.nan
        return values

    monkeypatch.setattr(engine, "contributions", broken)
    found = check_contributions(engine, logistic, rows, limit=1e-5)
    assert (found.max_difference, found.passed) == (None, False)


def test_classes_are_not_compared(multi: xgboost.Booster, rows: np.ndarray) -> None:
    """OneDAL has no contributions of classes: nothing was found of them."""
    assert check_parity(convert(multi), multi, rows, seed=0).contributions is None


def trees_of(booster: xgboost.Booster) -> list[dict[str, Any]]:
    """Return a booster's trees."""
    return attribution.read_forest(booster)["trees"]


def has_a_split_right_below_itself(booster: xgboost.Booster) -> bool:
    """Tell whether some node's child splits on the same value of the same feature."""
    return any(
        (tree["split_indices"][node], tree["split_conditions"][node])
        == (tree["split_indices"][child], tree["split_conditions"][child])
        for tree in trees_of(booster)
        for node, pair in enumerate(zip(tree["left_children"], tree["right_children"], strict=True))
        for child in pair
        if child > 0 and tree["left_children"][child] > 0
    )
