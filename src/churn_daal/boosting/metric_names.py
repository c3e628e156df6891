"""What is known of metrics by their names; of its own, XGBoost is asked for the rest."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import xgboost

from churn_daal.boosting.xgboost_faults import reason

# AWS's image computes these beside XGBoost's own, and so does boosting.custom_metrics.
POSITIVE_CLASS_METRICS = frozenset({"f1_binary", "precision", "recall"})
CLASS_METRICS = POSITIVE_CLASS_METRICS | {
    "accuracy", "balanced_accuracy", "f1", "f1_macro", "precision_macro", "precision_micro",
    "recall_macro", "recall_micro",
}  # fmt: skip
VALUE_METRICS = frozenset({"mse", "r2"})
CUSTOM_METRICS = CLASS_METRICS | VALUE_METRICS
# Metrics of which more is better. XGBoost's own list, which its callback uses where it is not
# told, leaves out ams and the accuracy of interval regression.
MAXIMISED = CLASS_METRICS | {
    "r2", "auc", "aucpr", "map", "ndcg", "pre", "ams", "interval-regression-accuracy",
}  # fmt: skip
# XGBoost computes a number for other labels too, which means nothing.
_OF_CLASSES = frozenset({"auc", "aucpr"})
_CLASS_OBJECTIVES = ("binary:", "multi:", "rank:", "reg:logistic")
# XGBoost drops what follows the @ of any other metric without a word.
WITH_PARAMETER = frozenset({"error", "ndcg", "map", "pre", "ams", "tweedie-nloglik"})
# All that a metric, its name or the objective's own metric depends on.
METRIC_OPTIONS = (
    *("objective", "num_class", "quantile_alpha", "tweedie_variance_power", "huber_slope"),
    *("aft_loss_distribution", "aft_loss_distribution_scale", "lambdarank_num_pair_per_sample"),
    *("lambdarank_pair_method", "ndcg_exp_gain", "expectile_alpha"),
)


def base_name(metric: str) -> str:
    """Return a metric's name without its parameter and the minus of the ranking metrics."""
    return metric.partition("@")[0].removesuffix("-")


def is_maximised(metric: str) -> bool:
    """Whether more of a metric is better; `metric` may carry a parameter, as in `ndcg@5-`."""
    return base_name(metric) in MAXIMISED


def refusal(metric: str, params: Mapping[str, Any]) -> str | None:
    """Return why a metric cannot be had, or None where it can.

    Parameters
    ----------
    metric
        The name as given, with its parameter: `error@0.4`.
    params
        What the metric depends on: the objective, where one is given, and its options.
    """
    name, objective = base_name(metric), params.get("objective")
    if ("@" in metric and name not in WITH_PARAMETER) or (
        name in CUSTOM_METRICS and metric != name
    ):
        return f"a metric without a parameter; only {', '.join(sorted(WITH_PARAMETER))} take one"
    if name in CUSTOM_METRICS:
        return None if objective is None else _misfit(name, objective)
    if objective is not None:
        if name in _OF_CLASSES and not objective.startswith(_CLASS_OBJECTIVES):
            return "a metric of classes, which this objective does not learn"
        return _probe(metric, params)[1]
    # The objective is still to be chosen from the labels: one that fits is enough.
    fault = _probe(metric, {**params, "objective": "binary:logistic"})[1]
    if fault and _probe(metric, {**params, "objective": "multi:softprob"})[1] is None:
        return None
    return fault


def printed_name(metric: str | None, params: Mapping[str, Any]) -> str:
    """Return the name under which a metric's scores come, in the lines and in the history.

    XGBoost writes some names in its own way: `error@0.50` comes as `error`, `rank:ndcg`'s own
    metric as `ndcg@32`.

    Parameters
    ----------
    metric
        A name `refusal` lets pass; None for the objective's own metric.
    params
        The objective and its options; other hyperparameters are passed over.

    Raises
    ------
    ValueError
        XGBoost cannot compute the metric.
    """
    if metric in CUSTOM_METRICS:
        return str(metric)
    known = {name: params[name] for name in METRIC_OPTIONS if name in params}
    line, fault = _probe(metric, known)
    if fault is not None:
        raise ValueError(f"metric {metric!r} with objective {params['objective']!r}: {fault}")
    return line.rpartition("\t")[2].partition("-")[2].rpartition(":")[0]


def _misfit(name: str, objective: str) -> str | None:
    """Return why one of the metrics computed here says nothing of an objective's answers."""
    if objective.startswith("binary:") or objective == "reg:logistic":
        return None
    if objective.startswith(("rank:", "survival:")):
        return "a metric of labels, which this objective's answers are not comparable with"
    if not objective.startswith("multi:"):
        classes = "a metric of classes, which this objective does not learn"
        return classes if name in CLASS_METRICS else None
    if name in VALUE_METRICS:
        return "a metric of numbers, and this objective answers classes"
    if name in POSITIVE_CLASS_METRICS:
        instead = f"{name.partition('_')[0]}_macro"
        return f"a metric of one positive class, and here are several; {instead} has all"
    return None


def _probe(metric: str | None, params: Mapping[str, Any]) -> tuple[str, str | None]:
    """Let XGBoost score two rows, whose labels suit every metric, before the first round.

    Returns
    -------
    tuple
        The line of scores, empty with a fault; and the fault, None without.
    """
    probe = {**params, "base_score": 0.5, "nthread": 1}
    if metric is not None:
        probe["eval_metric"] = metric
    extra: dict[str, Any] = {}
    if params["objective"].startswith("multi:"):
        probe.setdefault("num_class", 3)
    elif params["objective"].startswith("rank:"):
        extra["group"] = [2]
    elif params["objective"] == "survival:aft":
        extra |= {"label_lower_bound": [1.0, 1.0], "label_upper_bound": [1.0, 2.0]}
    label = np.array([0.0, 1.0])
    rows = xgboost.DMatrix(np.zeros((2, 1), np.float32), label=label, nthread=1, **extra)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return xgboost.Booster(probe, [rows]).eval(rows), None
        except xgboost.core.XGBoostError as error:
            return "", reason(str(error))
