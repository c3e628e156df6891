"""What goes with what: faults between hyperparameters that show before any data is read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from churn_daal.boosting.metric_names import METRIC_OPTIONS, base_name, refusal

TUNING = "_tuning_objective_metric"
DART_ONLY = ("rate_drop", "skip_drop", "one_drop", "sample_type", "normalize_type")
_LEVELS = {
    "reg:quantileerror": ("quantile_alpha", "0.5 for the median"),
    "reg:expectileerror": ("expectile_alpha", "0.5 for the mean"),
}
_SHARES = frozenset({"binary:logistic", "reg:logistic"})
_POSITIVE = frozenset({"count:poisson", "reg:gamma", "reg:tweedie", "survival:cox", "survival:aft"})
_SELECTORS_OF_COORD_DESCENT = frozenset({"random", "greedy", "thrifty"})
_BOUNDS = ("label_lower_bound", "label_upper_bound")
_OF_BOUNDS = frozenset({"aft-nloglik", "interval-regression-accuracy"})
_COLUMN_ROLES = ("label", *_BOUNDS, "weight", "group", "base_margin", "id_columns", "drop_columns")


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
    if _lacks_level(values):
        name, example = _LEVELS[str(objective)]
        yield f"objective {objective!r} needs {name}, such as {example}."
    yield from _base_score_faults(objective, values.get("base_score"))
    yield from _method_faults(values)
    silent = values.get("disable_default_eval_metric") and not values.get("eval_metric")
    if "early_stopping_rounds" in values and silent:
        yield (
            "early_stopping_rounds needs a metric, and disable_default_eval_metric leaves none. "
            "Name one in eval_metric."
        )
    yield from _metric_faults(values)


def toolkit_conflicts(values: Mapping[str, Any]) -> Iterator[str]:
    """Yield each fault between values of which one at least is the toolkit's own.

    Parameters
    ----------
    values
        Parsed values by name, of the hyperparameters that were given.
    """
    objective = values.get("objective")
    came = "is not given" if objective is None else f"is {objective!r}"
    missing = [name for name in _BOUNDS if name not in values]
    if objective == "survival:aft" and missing:
        yield (
            "objective 'survival:aft' needs the columns label_lower_bound and label_upper_bound; "
            f"{' and '.join(missing)} {'are' if len(missing) > 1 else 'is'} not given."
        )
    if objective != "survival:aft" and len(missing) < len(_BOUNDS):
        given = next(name for name in _BOUNDS if name in values)
        yield (
            f"{given} goes with survival:aft only, and objective {came}. Set that objective or "
            f"leave {given} out."
        )
    if values.get("csv_weights") and "weight" in values:
        yield "csv_weights and weight both name the weights of the rows; give one of them."
    rule = values.get("threshold")
    if isinstance(rule, str) and objective not in {None, "binary:logistic"}:
        yield f"threshold {rule!r} goes with binary:logistic only, and objective {came}."
    yield from _column_faults(values)


def without_effect(values: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Return the values without those the kind of model has no use for, and a note for each.

    Parameters
    ----------
    values
        Parsed values by name, of the hyperparameters that were given.
    """
    notes = []
    idle = [name for name in DART_ONLY if name in values]
    if values.get("booster", "gbtree") == "dart":
        idle = []
    if idle:
        # XGBoost before 3.4 ignores them there, later ones drop trees: one meaning for both.
        notes.append(f"{', '.join(idle)}: without effect, since booster is not dart")
    notes += [
        f"{name}: without effect, since text is encoded before XGBoost"
        for name in ("max_cat_to_onehot", "max_cat_threshold")
        if name in values
    ]
    if "_num_cv_round" in values and "_kfold" not in values:
        notes.append("_num_cv_round: without effect, since _kfold is not given")
    if "cost_ratio" in values and values.get("threshold") != "cost":
        notes.append("cost_ratio: without effect, since threshold is not cost")
    return {name: value for name, value in values.items() if name not in idle}, notes


def _method_faults(values: Mapping[str, Any]) -> Iterator[str]:
    if values.get("tree_method") == "exact":
        if values.get("max_depth") == 0:
            yield "tree_method 'exact' needs a max_depth of 1 or more, and max_depth is 0."
        if values.get("colsample_bynode", 1) < 1:
            yield "tree_method 'exact' has no colsample_bynode; leave one of them out."
        if values.get("sampling_method") == "gradient_based":
            yield "sampling_method 'gradient_based' needs tree_method hist or approx, not exact."
    vector = values.get("multi_strategy") == "multi_output_tree"
    if vector and values.get("tree_method") in {"exact", "approx"}:
        method = values["tree_method"]
        yield f"multi_strategy 'multi_output_tree' needs tree_method hist, not {method}."
    selector = values.get("feature_selector")
    linear = values.get("booster") == "gblinear" and values.get("updater") != "coord_descent"
    if linear and selector in _SELECTORS_OF_COORD_DESCENT:
        yield f"feature_selector {selector!r} needs updater coord_descent."


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
    known = {name: values[name] for name in METRIC_OPTIONS if name in values}
    multi = known.get("objective", "multi:").startswith("multi:")
    if _lacks_level(known) or (not multi and "num_class" in known):
        # The probe would only repeat a fault that is told already.
        return
    for metric in values.get("eval_metric", ()):
        if base_name(metric) in _OF_BOUNDS and known.get("objective") != "survival:aft":
            fault: str | None = "a metric of the two bounds that survival:aft alone has"
        else:
            fault = refusal(metric, known)
        if fault is not None:
            tuned = values.get(TUNING) == metric
            asked = f"{TUNING!r} asks for" if tuned else "hyperparameter 'eval_metric' lists"
            whose = f" with objective {known['objective']!r}" if "objective" in known else ""
            yield f"{asked} {metric!r}{whose}: {fault}."


def _lacks_level(values: Mapping[str, Any]) -> bool:
    objective = values.get("objective")
    return objective in _LEVELS and _LEVELS[objective][0] not in values


def _column_faults(values: Mapping[str, Any]) -> Iterator[str]:
    """Yield columns with two roles; a name and a position of one column cannot be told here."""
    roles: dict[str, str] = {}
    for role in (*_COLUMN_ROLES, "categorical_columns"):
        given = values.get(role, ())
        for column in (given,) if isinstance(given, str) else given:
            first = roles.setdefault(column, role)
            # The times of rows that are not censored are both bounds, and the label.
            if first != role and not (first in {"label", *_BOUNDS} and role in _BOUNDS):
                yield f"column {column!r} is in {first} and in {role}; leave it in one of them."
