"""What oneDAL has no answer to, the stored booster is asked, loaded once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import xgboost

from churn_daal.engine.convert import convert
from churn_daal.engine.explainer import Explainer
from churn_daal.engine.native import XGBoostEngine
from churn_daal.engine.protocol import UnansweredError


def never() -> XGBoostEngine:
    """Fail: nothing should be loaded."""
    raise AssertionError("the booster was loaded")


def test_onedal_answers_what_it_has(logistic: xgboost.Booster, rows: np.ndarray) -> None:
    """Margins and trusted contributions of a single output never load XGBoost's model."""
    explainer = Explainer(convert(logistic), never, contributions=True)
    matrix = xgboost.DMatrix(rows)
    expected = logistic.predict(matrix, pred_contribs=True)
    np.testing.assert_allclose(explainer.contributions(rows), expected, atol=1e-5)
    margins = logistic.predict(matrix, output_margin=True)
    np.testing.assert_allclose(explainer.margin(rows), margins, atol=1e-5)


def test_contributions_without_trust_are_xgboosts(
    grow: Callable[..., xgboost.Booster], rows: np.ndarray
) -> None:
    """Where the gate found others, XGBoost's are answered, to the bit."""
    booster = grow("survival:aft")
    explainer = Explainer(convert(booster), lambda: XGBoostEngine(booster), contributions=False)
    expected = booster.predict(xgboost.DMatrix(rows), pred_contribs=True)
    np.testing.assert_array_equal(explainer.contributions(rows), expected)


def test_classes_and_leaves(multi: xgboost.Booster, rows: np.ndarray) -> None:
    """Margins and contributions of each class, and leaves, are XGBoost's."""
    explainer = Explainer(convert(multi), lambda: XGBoostEngine(multi), contributions=False)
    matrix = xgboost.DMatrix(rows)
    margins = multi.predict(matrix, output_margin=True)
    np.testing.assert_allclose(explainer.margin(rows), margins, atol=1e-6)
    values = explainer.contributions(rows)
    np.testing.assert_array_equal(values, multi.predict(matrix, pred_contribs=True))
    np.testing.assert_allclose(values.sum(axis=2), margins, atol=1e-5)
    leaves = explainer.leaf(rows)
    assert leaves.dtype == np.int32
    np.testing.assert_array_equal(leaves, multi.predict(matrix, pred_leaf=True))


def test_the_booster_is_loaded_once(multi: xgboost.Booster, rows: np.ndarray) -> None:
    """Eight threads that ask at once wait for one load, and get one thread's answers."""
    loads = []
    together = threading.Barrier(8)

    def load() -> XGBoostEngine:
        loads.append(threading.get_ident())
        return XGBoostEngine(multi)

    explainer = Explainer(convert(multi), load, contributions=False)

    def ask(_: int) -> np.ndarray:
        together.wait(timeout=30)
        return explainer.contributions(rows)

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, range(8)))
    assert len(loads) == 1
    for answer in answers:
        np.testing.assert_array_equal(answer, answers[0])


@pytest.mark.parametrize("kind", ["dart", "gblinear"])
def test_models_of_xgboosts_own(
    kind: str, grow: Callable[..., xgboost.Booster], rows: np.ndarray
) -> None:
    """An engine that is XGBoost itself explains itself; a linear model has no leaves."""
    booster = grow("binary:logistic", booster=kind)
    explainer = Explainer(XGBoostEngine(booster), never, contributions=False)
    if kind == "dart" and not adds_up(booster, rows):
        with pytest.raises(UnansweredError, match="do not add up to its margin"):
            explainer.contributions(rows)
        return
    values = explainer.contributions(rows)
    np.testing.assert_array_equal(
        values, booster.predict(xgboost.DMatrix(rows), pred_contribs=True)
    )
    np.testing.assert_allclose(values.sum(axis=1), explainer.margin(rows), atol=1e-5)
    if kind == "gblinear":
        with pytest.raises(UnansweredError, match="XGBoost has no pred_leaf of this binary:log"):
            explainer.leaf(rows)
    else:
        assert explainer.leaf(rows).shape == (len(rows), 6)
        assert len(explainer.leaf(rows[:0])) == 0
    assert explainer.contributions(rows[:0]).shape == (0, 7)


def test_nothing_to_ask(multi: xgboost.Booster, rows: np.ndarray) -> None:
    """Without an XGBoost model, what oneDAL has not is no answer."""
    explainer = Explainer(convert(multi), None, contributions=False)
    with pytest.raises(UnansweredError, match="answer together, and their mean has no margin"):
        explainer.margin(rows)


def test_other_widths_are_refused(multi: xgboost.Booster, rows: np.ndarray) -> None:
    """A matrix of another width never reaches XGBoost, which would read missing columns."""
    explainer = Explainer(convert(multi), lambda: XGBoostEngine(multi), contributions=False)
    for method in (explainer.margin, explainer.contributions, explainer.leaf):
        with pytest.raises(ValueError, match=r"shape \(240, 5\)"):
            method(rows[:, :5])


def adds_up(booster: xgboost.Booster, X: np.ndarray) -> bool:
    """Tell whether XGBoost's own contributions are those of its margins (3.4's of dart are not)."""
    matrix = xgboost.DMatrix(X)
    total = booster.predict(matrix, pred_contribs=True).sum(axis=1)
    return bool(np.allclose(total, booster.predict(matrix, output_margin=True), atol=1e-3))
