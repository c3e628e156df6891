"""Metrics by their names: the direction, the objectives they fit, the name XGBoost prints."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost

from churn_daal.boosting.metric_names import (
    CUSTOM_METRICS,
    MAXIMISED,
    base_name,
    is_maximised,
    printed_name,
    refusal,
)


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        ("auc", True), ("aucpr", True), ("ndcg@5", True), ("ndcg@5-", True), ("map-", True),
        ("map@3", True), ("pre@2", True), ("ams@0.1", True), ("mape", False), ("logloss", False),
        ("error@0.4", False), ("tweedie-nloglik@1.5", False), ("cox-nloglik", False),
        ("interval-regression-accuracy", True), ("accuracy", True), ("balanced_accuracy", True),
        ("f1", True), ("f1_binary", True), ("f1_macro", True), ("precision", True),
        ("precision_macro", True), ("precision_micro", True), ("recall", True),
        ("recall_macro", True), ("recall_micro", True), ("r2", True), ("mse", False),
        ("mae", False), ("rmse", False),
    ],
)  # fmt: skip
def test_the_direction_of_each_metric(metric: str, *, expected: bool) -> None:
    """Parameters and the minus of the ranking metrics do not hide the name (X6)."""
    assert is_maximised(metric) is expected


@pytest.mark.parametrize(
    ("metric", "objective", "why"),
    [
        ("accuracy", "reg:squarederror", "of classes, which this objective does not learn"),
        ("f1_macro", "count:poisson", "of classes, which this objective does not learn"),
        ("f1_binary", "multi:softprob", "one positive class, and here are several; f1_macro"),
        ("precision", "multi:softmax", "several; precision_macro has all"),
        ("recall", "multi:softprob", "several; recall_macro has all"),
        ("r2", "multi:softprob", "of numbers, and this objective answers classes"),
        ("mse", "rank:ndcg", "not comparable"),
        ("accuracy", "survival:aft", "not comparable"),
        ("f1@0.3", "binary:logistic", "without a parameter; only ams, error,"),
        ("f1-", "binary:logistic", "without a parameter"),
    ],
)
def test_a_misfit_is_refused_with_the_reason(metric: str, objective: str, why: str) -> None:
    """A number that means nothing is not computed, whatever AWS's image prints."""
    assert why in str(refusal(metric, {"objective": objective}))


@pytest.mark.parametrize(
    ("objective", "fit"),
    [
        ("binary:logistic", CUSTOM_METRICS),
        ("binary:hinge", CUSTOM_METRICS),
        ("reg:logistic", CUSTOM_METRICS),
        ("multi:softmax", CUSTOM_METRICS - {"f1_binary", "precision", "recall", "mse", "r2"}),
        ("reg:gamma", {"mse", "r2"}),
        ("rank:map", set()),
    ],
)
def test_every_custom_metric_fits_or_not(objective: str, fit: set[str]) -> None:
    """What is not refused is exactly what the objective's answers can be scored by."""
    assert {m for m in CUSTOM_METRICS if refusal(m, {"objective": objective}) is None} == fit


@pytest.mark.parametrize("metric", ["f1_binary", "r2", "mlogloss", "auc", "rmse"])
def test_one_objective_that_fits_is_enough_while_it_is_open(metric: str) -> None:
    """Before the labels are read, a metric of any objective they may lead to passes (X7)."""
    assert refusal(metric, {}) is None


def test_a_misspelt_metric_is_refused_by_the_library() -> None:
    """XGBoost is asked for what is not computed here."""
    assert "f1_weighted" in str(refusal("f1_weighted", {"objective": "binary:logistic"}))


@pytest.mark.parametrize(
    ("metric", "params"),
    [
        ("auc", {"objective": "multi:softprob", "num_class": 4}),
        ("ndcg@5-", {"objective": "rank:ndcg"}),
        ("pre@2", {"objective": "rank:map"}),
        ("aft-nloglik", {"objective": "survival:aft", "aft_loss_distribution": "logistic"}),
        ("interval-regression-accuracy", {"objective": "survival:aft"}),
    ],
)
def test_metrics_that_need_groups_or_bounds_are_known(metric: str, params: dict[str, Any]) -> None:
    """The two rows XGBoost is asked to score have the groups and bounds of their objective."""
    assert refusal(metric, params) is None


@pytest.mark.parametrize(
    ("metric", "params", "printed"),
    [
        ("error@0.50", {"objective": "binary:logistic"}, "error"),
        ("error@.40", {"objective": "binary:logistic"}, "error@0.4"),
        ("ndcg@5-", {"objective": "rank:pairwise"}, "ndcg@5-"),
        ("f1", {"objective": "binary:logistic"}, "f1"),
        (None, {"objective": "binary:logistic"}, "logloss"),
        (None, {"objective": "binary:hinge"}, "error"),
        (None, {"objective": "multi:softmax", "num_class": 3}, "mlogloss"),
        (None, {"objective": "reg:squarederror"}, "rmse"),
        (None, {"objective": "reg:quantileerror", "quantile_alpha": 0.3}, "quantile"),
        (None, {"objective": "survival:aft"}, "aft-nloglik"),
        (
            None,
            {"objective": "reg:tweedie", "tweedie_variance_power": 1.3},
            "tweedie-nloglik@1.3",
        ),
    ],
)
def test_the_printed_name(metric: str | None, params: dict[str, Any], printed: str) -> None:
    """A metric is found in the history by the name XGBoost gives it there."""
    assert printed_name(metric, params) == printed


@pytest.mark.parametrize("objective", ["rank:pairwise", "rank:ndcg", "rank:map"])
def test_the_own_metric_of_ranking_is_the_one_that_training_prints(objective: str) -> None:
    """XGBoost cuts it off at a rank, which the name carries."""
    X = np.arange(8, dtype=np.float32).reshape(8, 1)
    rows = xgboost.DMatrix(X, np.arange(8) % 2, group=[4, 4], nthread=1)
    history: dict[str, dict[str, list[float]]] = {}
    params = {"objective": objective, "nthread": 1, "lambdarank_num_pair_per_sample": 4}
    watched = [(rows, "train")]
    xgboost.train(params, rows, 1, evals=watched, evals_result=history, verbose_eval=False)

    assert list(history["train"]) == [printed_name(None, params)]


def test_a_metric_that_cannot_be_had_has_no_name() -> None:
    """A caller that did not ask `refusal` first is told."""
    with pytest.raises(ValueError, match=r"'tweedie-nloglik' with objective 'reg:tweedie'"):
        printed_name("tweedie-nloglik", {"objective": "reg:tweedie"})


def documented() -> dict[str, str]:
    """Return the direction of each metric in the tables of docs/metrics.md."""
    text = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text(encoding="utf-8")
    return dict(re.findall(r"^\| `([^`]+)` \| (more|less) \|", text, re.MULTILINE))


def test_the_page_has_every_metric_of_awss_image() -> None:
    """So that a job that moves here finds its metric."""
    names = set(map(base_name, documented()))

    assert names >= CUSTOM_METRICS | set(map(base_name, MAXIMISED))
    assert names >= {
        *("aft-nloglik", "cox-nloglik", "error", "gamma-deviance", "gamma-nloglik", "logloss"),
        *("mae", "mape", "merror", "mlogloss", "mphe", "poisson-nloglik", "rmse", "rmsle"),
        "tweedie-nloglik",
    }


@pytest.mark.parametrize("metric", documented())
def test_the_page_tells_the_truth(metric: str) -> None:
    """The direction is the one early stopping goes by, and some objective takes the metric."""
    given = metric.replace("@p", "@1.4").replace("@k", "@0.2")
    objectives = ("binary:logistic", "multi:softprob", "reg:quantileerror", "survival:aft")

    assert is_maximised(metric) is (documented()[metric] == "more")
    assert None in [
        refusal(given, {"objective": name, "quantile_alpha": 0.5}) for name in objectives
    ]
