"""Who computes which of a job's metrics, and which of them early stopping watches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from churn_daal.boosting.custom_metrics import CustomMetrics
from churn_daal.boosting.metric_names import CUSTOM_METRICS, printed_name


@dataclass(frozen=True)
class MetricPlan:
    """Which part of a job's metrics XGBoost computes, and which this package.

    Attributes
    ----------
    builtin
        For the booster's `eval_metric`, each metric once; where it is empty, leave `eval_metric`
        out, and XGBoost prints the objective's own metric.
    custom
        For `xgboost.train(custom_metric=...)`; None where no metric asks for it.
    decisive
        The metric early stopping watches, by its name in the lines and in the history: the last
        one listed, or the objective's own. XGBoost prints its own metrics before the others,
        so it need not be the last one there.
    """

    builtin: tuple[str, ...]
    custom: CustomMetrics | None
    decisive: str


def metric_plan(
    eval_metric: tuple[str, ...], params: Mapping[str, Any], *, threshold: float = 0.5
) -> MetricPlan:
    """Divide the listed metrics between XGBoost and this package.

    Parameters
    ----------
    eval_metric
        Names as listed, each let pass by `metric_names.refusal`.
    params
        The booster's parameters: `objective`, `num_class` for `multi:*`, and its options.
    threshold
        Probability of the positive class at which the answer is positive.

    Raises
    ------
    ValueError
        XGBoost cannot compute a metric.
    """
    own = tuple(dict.fromkeys(name for name in eval_metric if name in CUSTOM_METRICS))
    # By the printed name: twice the same would give the history two scores a round.
    printed = {
        printed_name(name, params): name for name in eval_metric if name not in CUSTOM_METRICS
    }
    custom = None
    if own:
        custom = CustomMetrics(
            own,
            objective=params["objective"],
            num_class=params.get("num_class", 2),
            threshold=threshold,
        )
    decisive = printed_name(eval_metric[-1] if eval_metric else None, params)
    return MetricPlan(tuple(printed.values()), custom, decisive)
