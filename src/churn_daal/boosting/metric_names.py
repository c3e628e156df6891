"""What is known of XGBoost's metrics by their names; the library itself is asked for the rest."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import xgboost

from churn_daal.boosting.xgboost_faults import reason

# Metrics of which more is better. XGBoost's own list, which its callback uses where it is not
# told, leaves out ams and the accuracy of interval regression.
MAXIMISED = frozenset({"auc", "aucpr", "map", "ndcg", "pre", "ams", "interval-regression-accuracy"})
# XGBoost computes a number for other labels too, which means nothing.
_OF_CLASSES = frozenset({"auc", "aucpr"})
_CLASS_OBJECTIVES = ("binary:", "multi:", "rank:", "reg:logistic")
# XGBoost drops what follows the @ of any other metric without a word.
WITH_PARAMETER = frozenset({"error", "ndcg", "map", "pre", "ams", "tweedie-nloglik"})
# AWS's image computes these beside XGBoost's own.
LATER_METRICS = frozenset({
    "accuracy", "balanced_accuracy", "f1", "f1_binary", "f1_macro", "mse", "precision",
    "precision_macro", "precision_micro", "r2", "recall", "recall_macro", "recall_micro",
})  # fmt: skip


def base_name(metric: str) -> str:
    """Return a metric's name without its parameter and the minus of the ranking metrics."""
    return metric.partition("@")[0].removesuffix("-")


def is_maximised(metric: str) -> bool:
    """Whether more of a metric is better; `metric` may carry a parameter, as in `ndcg@5-`."""
    return base_name(metric) in MAXIMISED


def refusal(metric: str, params: dict[str, Any]) -> str | None:
    """Return why a metric cannot be had, or None where it can.

    Parameters
    ----------
    metric
        The name as given, with its parameter: `error@0.4`.
    params
        What the metric depends on: the objective, where one is given, and its options.
    """
    name = base_name(metric)
    if name in LATER_METRICS:
        return "one of AWS's own metrics, which are not in this release"
    if "@" in metric and name not in WITH_PARAMETER:
        return f"a metric without a parameter; only {', '.join(sorted(WITH_PARAMETER))} take one"
    if "objective" in params:
        if name in _OF_CLASSES and not params["objective"].startswith(_CLASS_OBJECTIVES):
            return "a metric of classes, which this objective does not learn"
        return _probe(metric, params)
    # The objective is still to be chosen from the labels: one that fits is enough.
    fault = _probe(metric, params | {"objective": "binary:logistic"})
    if fault is not None and _probe(metric, params | {"objective": "multi:softprob"}) is None:
        return None
    return fault


def _probe(metric: str, params: dict[str, Any]) -> str | None:
    """Let XGBoost score two rows, whose labels suit every metric, before the first round."""
    if params["objective"].startswith("multi:"):
        params = {"num_class": 3} | params
    rows = xgboost.DMatrix(np.zeros((2, 1), np.float32), label=np.array([0.0, 1.0]), nthread=1)
    probe = params | {"eval_metric": metric, "base_score": 0.5, "nthread": 1}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            xgboost.Booster(probe, [rows]).eval(rows)
        except xgboost.core.XGBoostError as error:
            return reason(str(error))
    return None
