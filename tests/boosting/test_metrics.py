"""Held-out figures: scikit-learn's, weighted, in JSON, null where there is none."""

from __future__ import annotations

import json

import numpy as np
import pytest
import xgboost
from sklearn import metrics

from churn_daal.boosting.metrics import held_out_metrics

F32 = np.float32
Y = np.array([0, 1, 1, 0, 1, 0], F32)
P = np.array([0.1, 0.8, 0.35, 0.4, 0.9, 0.6], F32)
W = np.array([1, 2, 1, 3, 1, 0.5], F32)
# Labels of XGBoost that are no classes.
SHARES = np.array([0.9, 0.1, 0.7, 0.2, 0.5, 0.0, 1.0, 0.45], F32)


def test_binary_figures_by_hand() -> None:
    """At 0.5 two of three positives are found with one false alarm."""
    found = held_out_metrics("binary:logistic", Y, P)

    assert found["confusion_matrix"] == [[2, 1], [1, 2]]
    assert found["precision"] == found["recall"] == found["f1_binary"] == pytest.approx(2 / 3)
    assert found["accuracy"] == found["balanced_accuracy"] == pytest.approx(4 / 6)
    assert found["auc"] == pytest.approx(7 / 9)
    chance = np.where(Y == 1, P, 1 - P).astype(float)
    assert found["logloss"] == pytest.approx(-np.log(chance).mean(), rel=1e-6)
    assert (found["task"], found["rows"], found["threshold"]) == ("binary", 6, 0.5)


def test_the_threshold_decides_what_is_positive() -> None:
    """A probability equal to the threshold or above it is positive."""
    found = held_out_metrics("binary:logistic", Y, P, threshold=0.35)

    assert found["confusion_matrix"] == [[1, 2], [0, 3]]
    assert found["recall"] == 1.0


def test_weights_count_in_every_figure_but_the_table() -> None:
    """The figures equal scikit-learn's with the same weights."""
    found = held_out_metrics("binary:logistic", Y, P, W)

    positive = P >= 0.5
    assert found["auc"] == pytest.approx(metrics.roc_auc_score(Y, P, sample_weight=W))
    assert found["f1_binary"] == pytest.approx(metrics.f1_score(Y, positive, sample_weight=W))
    assert found["accuracy"] == pytest.approx((1 + 2 + 3 + 1) / 8.5)
    assert found["confusion_matrix"] == [[2, 1], [1, 2]]


@pytest.mark.parametrize("objective", ["count:poisson", "reg:gamma", "reg:squarederror"])
def test_an_answer_that_overflowed_gives_null(objective: str) -> None:
    """An exponential link may answer infinity: the figures are null, and the job goes on."""
    found = held_out_metrics(objective, Y + 1, np.where(Y > 0, F32(np.inf), P))

    assert {found[name] for name in ("rmse", "mae", "r2")} == {None}
    assert found["rows"] == 6


@pytest.mark.parametrize("label", [0, 1])
def test_one_class_gives_null_and_no_warning(label: int) -> None:
    """Where all held rows have one label there is no AUC, and the job goes on."""
    found = held_out_metrics("binary:logistic", np.full(6, label, F32), P)

    assert found["auc"] is None
    assert found["average_precision"] is None
    assert found["balanced_accuracy"] is None
    assert isinstance(found["logloss"], float)
    json.dumps(found, allow_nan=False)


def test_no_positive_answer_has_no_precision() -> None:
    """A share of nothing is null, not zero and not NaN."""
    found = held_out_metrics("binary:logistic", Y, np.zeros(6, F32))

    assert found["precision"] is None
    assert found["recall"] == 0.0


def test_margins_are_turned_into_probabilities() -> None:
    """The margins of binary:logitraw score as their probabilities do."""
    margin = np.log(P / (1 - P))

    raw = held_out_metrics("binary:logitraw", Y, margin)
    direct = held_out_metrics("binary:logistic", Y, P)

    assert raw["logloss"] == pytest.approx(direct["logloss"], rel=1e-5)
    assert raw["confusion_matrix"] == direct["confusion_matrix"]


def test_classes_without_probabilities_have_no_log_loss() -> None:
    """binary:hinge answers 0 and 1, of which a log loss says nothing."""
    found = held_out_metrics("binary:hinge", Y, (P >= 0.5).astype(F32))

    assert found["logloss"] is None
    assert found["accuracy"] == pytest.approx(4 / 6)


def test_extreme_margins_do_not_overflow() -> None:
    """A sure model's figures are finite."""
    found = held_out_metrics("binary:logitraw", Y, (Y * 2 - 1) * F32(1e4))

    assert found["accuracy"] == 1.0
    json.dumps(found, allow_nan=False)


def test_multiclass_figures() -> None:
    """A class that no held row has keeps its place in the table."""
    y = np.array([0, 1, 1, 0], F32)
    shares = np.array([[0.7, 0.2, 0.1], [0.3, 0.4, 0.3], [0.6, 0.3, 0.1], [0.5, 0.2, 0.3]], F32)

    found = held_out_metrics("multi:softprob", y, shares)

    assert found["accuracy"] == 0.75
    assert found["confusion_matrix"] == [[2, 0, 0], [1, 1, 0], [0, 0, 0]]
    assert found["logloss"] == pytest.approx(-np.log([0.7, 0.4, 0.3, 0.5]).mean(), rel=1e-5)
    assert found["f1_macro"] == pytest.approx((0.8 + 2 / 3) / 2)
    json.dumps(found, allow_nan=False)


def test_regression_figures() -> None:
    """Errors of 1, -1 and 2 by hand, with weights."""
    y = np.array([1, 2, 3], F32)
    found = held_out_metrics(
        "reg:squarederror", y, y + np.array([1, -1, 2], F32), np.array([1, 1, 2], F32)
    )

    assert found["rmse"] == pytest.approx(np.sqrt(10 / 4))
    assert found["mae"] == pytest.approx(6 / 4)
    assert found["r2"] == pytest.approx(1 - 10 / 2.75)


def test_counts_have_a_deviance() -> None:
    """count:poisson adds its deviance, null where an answer is not above 0."""
    y = np.array([0, 1, 4], F32)
    rate = np.array([0.5, 1, 3], F32)

    found = held_out_metrics("count:poisson", y, rate)

    assert found["mean_poisson_deviance"] == pytest.approx(
        metrics.mean_poisson_deviance(y.astype(float), rate.astype(float))
    )
    zero = held_out_metrics("count:poisson", y, np.zeros(3, F32))
    assert zero["mean_poisson_deviance"] is None


def test_one_row_has_no_r2() -> None:
    """A share of no spread is null."""
    found = held_out_metrics("reg:squarederror", np.ones(1, F32), np.zeros(1, F32))

    assert (found["rmse"], found["r2"]) == (1.0, None)


@pytest.mark.parametrize(
    ("objective", "task"), [("survival:cox", "survival"), ("rank:ndcg", "ranking")]
)
def test_answers_that_are_not_labels_have_no_figure(objective: str, task: str) -> None:
    """A margin is not compared with a censored time or a relevance: nothing is made up."""
    assert held_out_metrics(objective, np.ones(2, F32), np.ones(2, F32)) == {
        "rows": 2,
        "task": task,
    }


@pytest.mark.parametrize("weight", [None, np.array([1, 2, 0, 3, 1, 0.5, 4, 1], F32)])
def test_the_log_loss_of_shares_is_the_one_xgboost_prints(weight: np.ndarray | None) -> None:
    """On held-out labels between 0 and 1 it equals the booster's last line; margins alike."""
    X = np.arange(8, dtype=F32)[:, None]
    rows = xgboost.DMatrix(X, np.roll(SHARES, 1))
    held = xgboost.DMatrix(X, SHARES, weight=weight)
    params = {"objective": "binary:logistic", "eval_metric": "logloss", "max_depth": 2}
    lines: dict[str, dict[str, list[float]]] = {}
    booster = xgboost.train(
        params, rows, 9, evals=[(held, "held")], evals_result=lines, verbose_eval=False
    )
    printed = lines["held"]["logloss"][-1]

    found = held_out_metrics("binary:logistic", SHARES, booster.predict(held), weight)
    raw = held_out_metrics(
        "binary:logitraw", SHARES, booster.predict(held, output_margin=True), weight
    )

    assert found["logloss"] == pytest.approx(printed, abs=1e-6)
    assert raw["logloss"] == pytest.approx(printed, abs=1e-6)


@pytest.mark.parametrize("objective", ["binary:logistic", "binary:logitraw"])
def test_the_class_of_a_share_is_the_nearer_one(objective: str) -> None:
    """Shares fitted perfectly are all found, and 0.5 itself counts as positive."""
    inner = SHARES[:5]
    answer = np.log(inner / (1 - inner)) if objective == "binary:logitraw" else inner

    found = held_out_metrics(objective, inner, answer)

    exact = inner.astype(float)
    entropy = -(exact * np.log(exact) + (1 - exact) * np.log(1 - exact)).mean()
    assert [found[name] for name in ("accuracy", "auc", "f1_macro", "average_precision")] == [
        1.0
    ] * 4
    assert found["confusion_matrix"] == [[2, 0], [0, 3]]
    assert found["logloss"] == pytest.approx(entropy, rel=1e-6)


def test_the_threshold_is_of_answers_and_not_of_labels() -> None:
    """A label of 0.4 stays the negative class where answers of 0.4 are positive."""
    share = np.array([0.4, 0.6], F32)

    found = held_out_metrics("binary:logistic", share, share, threshold=0.4)

    assert found["confusion_matrix"] == [[0, 1], [0, 1]]


@pytest.mark.parametrize("weight", [None, W])
def test_the_log_loss_of_classes_is_scikit_learns(weight: np.ndarray | None) -> None:
    """Labels 0 and 1 score as there, also where a sure answer is wrong."""
    answer = np.array([1, 0, 0.35, 0, 1, 0.6], F32)

    found = held_out_metrics("binary:logistic", Y, answer, weight)

    assert found["logloss"] == pytest.approx(
        metrics.log_loss(Y, answer.astype(float), sample_weight=weight), rel=1e-12
    )


@pytest.mark.parametrize(
    ("objective", "task"),
    [
        ("binary:logistic", "binary"),
        ("multi:softprob", "multiclass"),
        ("reg:squarederror", "regression"),
    ],
)
def test_rows_without_weight_have_no_figure(objective: str, task: str) -> None:
    """A test channel whose weights are all 0 gives nulls, and does not end the job."""
    response = np.stack([1 - P, P], axis=1) if task == "multiclass" else P

    found = held_out_metrics(objective, Y, response, np.zeros(len(Y), F32))

    assert found == {"rows": 6, "task": task}
