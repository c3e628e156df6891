"""The table of objectives answers what Booster.predict answers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import xgboost

from churn_daal.engine.objectives import objective_named, objective_names
from churn_daal.errors import UserError


@pytest.mark.parametrize("name", objective_names())
def test_respond_equals_predict(
    name: str, grow: Callable[..., xgboost.Booster], rows: np.ndarray
) -> None:
    """The link applied to XGBoost's own margins gives XGBoost's own answers."""
    booster, matrix = grow(name), xgboost.DMatrix(rows)
    answer = objective_named(name).respond(booster.predict(matrix, output_margin=True))
    expected = booster.predict(matrix)
    assert answer.dtype == np.float32
    if name == "multi:softmax":
        assert answer.shape == (len(rows), 3)
        np.testing.assert_array_equal(answer.argmax(axis=1), expected)
    else:
        np.testing.assert_allclose(answer, expected, rtol=1e-6, atol=1e-6)


def test_one_row_answers_as_many_do() -> None:
    """A probability has the same bits whether its row comes alone or with others."""
    rng = np.random.default_rng(0)
    margin = np.concatenate(
        [rng.normal(0, 3, 20_000), rng.uniform(-120, 120, 5_000), [0.0, -0.0, 1e30, -1e30, np.nan]]
    ).astype(np.float32)
    respond = objective_named("binary:logistic").respond
    alone = np.concatenate([respond(margin[k : k + 1]) for k in range(len(margin))])
    assert alone.tobytes() == respond(margin).tobytes()


@pytest.mark.parametrize("name", ["binary:logistic", "reg:logistic", "multi:softprob"])
def test_respond_survives_huge_margins(name: str) -> None:
    """Margins beyond exp's range give probabilities of 0 and 1, not NaN and no warning."""
    margin = np.array([[-1e30, 0.0, 1e30], [200.0, -200.0, 0.0]], dtype=np.float32)
    answer = objective_named(name).respond(margin)
    assert np.isfinite(answer).all()
    assert ((answer >= 0) & (answer <= 1)).all()
    assert answer[0, 2] == 1
    assert answer[1, 1] < 1e-30


def test_log_link_overflows_as_xgboost_does() -> None:
    """A log-link margin above 88.7 answers infinity, as XGBoost's float32 does."""
    assert objective_named("count:poisson").respond(np.array([89.0], dtype=np.float32))[0] == np.inf


def test_respond_leaves_the_margins_alone() -> None:
    """Answering does not write into the margins handed in."""
    for name in objective_names():
        margin = np.array([[0.5, -2.0]], dtype=np.float32)
        objective_named(name).respond(margin)
        assert margin.tolist() == [[0.5, -2.0]]


@pytest.mark.parametrize(
    ("name", "base_score", "margin"),
    [
        ("binary:logistic", 0.5, 0.0),
        ("binary:logistic", 0.0, -13.81551),
        ("binary:logistic", 1.0, 13.745160),
        ("binary:logitraw", 0.3, 0.3),
        ("binary:hinge", 0.3, 0.3),
        ("survival:cox", 1.0, 0.0),
        ("reg:gamma", 2.0, 0.6931472),
        ("reg:squarederror", 7.25, 7.25),
        ("count:poisson", 0.0, -np.inf),
    ],
)
def test_base_margin(name: str, base_score: float, margin: float) -> None:
    """A base score becomes the margin that XGBoost's trees add to."""
    assert objective_named(name).base_margin(base_score) == pytest.approx(margin, abs=1e-5)


def test_unknown_name_tells_the_nearest() -> None:
    """A misspelt objective is refused with the name that was meant."""
    with pytest.raises(UserError, match=r"'binary:logistc' .* Did you mean 'binary:logistic'\?"):
        objective_named("binary:logistc")


def test_unlike_name_tells_all() -> None:
    """A name like none lists those there are."""
    with pytest.raises(UserError, match=r"'xyz' .* Known: binary:hinge, .*survival:cox"):
        objective_named("xyz")
