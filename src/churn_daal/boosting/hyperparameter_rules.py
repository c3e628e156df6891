"""What goes with what: faults between hyperparameters that show before any data is read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from churn_daal.boosting.metric_names import refusal

DART_ONLY = ("rate_drop", "skip_drop", "one_drop", "sample_type", "normalize_type")
# Hyperparameters a metric depends on beside the objective.
_METRIC_OPTIONS = ("num_class", "quantile_alpha", "tweedie_variance_power", "huber_slope")
_SHARES = frozenset({"binary:logistic", "reg:logistic"})
_POSITIVE = frozenset({"count:poisson", "reg:gamma", "reg:tweedie", "survival:cox"})
_COLUMN_ROLES = ("label", "weight", "id_columns", "drop_columns")


def conflicts(values: Mapping[str, Any]) -> Iterator[str]:
    """Yield each fault between values that are right by themselves.

    Parameters
    ----------
    values
        Parsed values by name, of the hyperparameters that were given.
    """
    objective = values.get("objective")
    multi = objective is not None and objective.startswith("multi:")
    if "num_class" in values and not multi:
        came = "is not given" if objective is None else f"is {objective!r}"
        yield (
            f"num_class goes with multi:softprob or multi:softmax only, and objective {came}. "
            "Set that objective or leave num_class out."
        )
    if objective == "reg:quantileerror" and "quantile_alpha" not in values:
        yield "objective 'reg:quantileerror' needs quantile_alpha, such as 0.5 for the median."
    yield from _base_score_faults(objective, values.get("base_score"))
    if values.get("tree_method") == "exact" and values.get("max_depth") == 0:
        yield "tree_method 'exact' needs a max_depth of 1 or more, and max_depth is 0."
    if values.get("tree_method") == "exact" and values.get("colsample_bynode", 1) < 1:
        yield "tree_method 'exact' has no colsample_bynode; leave one of them out."
    silent = values.get("disable_default_eval_metric") and not values.get("eval_metric")
    if "early_stopping_rounds" in values and silent:
        yield (
            "early_stopping_rounds needs a metric, and disable_default_eval_metric leaves none. "
            "Name one in eval_metric."
        )
    yield from _metric_faults(values)
    yield from _column_faults(values)


def _base_score_faults(objective: str | None, base_score: float | None) -> Iterator[str]:
    """Yield why an objective cannot start from a base score.

    XGBoost takes some of these without a word and answers NaN.
    """
    if base_score is None:
        return
    if objective in _SHARES and not 0 <= base_score <= 1:
        expected = "from 0 to 1"
    elif objective in _POSITIVE and base_score <= 0:
        expected = "above 0"
    elif objective == "reg:squaredlogerror" and base_score <= -1:
        expected = "above -1"
    else:
        return
    yield f"base_score is {base_score:g}; objective {objective!r} expects a number {expected}."


def _metric_faults(values: Mapping[str, Any]) -> Iterator[str]:
    known = {name: values[name] for name in ("objective", *_METRIC_OPTIONS) if name in values}
    if "objective" in known and not _is_sound(known):
        # The probe would only repeat a fault that is told already.
        return
    for metric in values.get("eval_metric", ()):
        fault = refusal(metric, known)
        if fault is not None:
            whose = f" with objective {known['objective']!r}" if "objective" in known else ""
            yield f"hyperparameter 'eval_metric' lists {metric!r}{whose}: {fault}."


def _is_sound(known: Mapping[str, Any]) -> bool:
    objective = known["objective"]
    lacks_quantile = objective == "reg:quantileerror" and "quantile_alpha" not in known
    return not lacks_quantile and (objective.startswith("multi:") or "num_class" not in known)


def _column_faults(values: Mapping[str, Any]) -> Iterator[str]:
    """Yield columns with two roles; a name and a position of one column cannot be told here."""
    roles: dict[str, str] = {}
    for role in (*_COLUMN_ROLES, "categorical_columns"):
        given = values.get(role, ())
        for column in (given,) if isinstance(given, str) else given:
            first = roles.setdefault(column, role)
            if first != role:
                yield f"column {column!r} is in {first} and in {role}; leave it in one of them."
