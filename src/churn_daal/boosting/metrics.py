"""The figures of held-out rows, ready for JSON.

They are scikit-learn's, but for the log loss of binary objectives: its own takes classes alone,
and XGBoost also fits labels between 0 and 1, the share of the positive class in a row.

A figure that the rows cannot give (the AUC of one class, the precision of no positive answer)
is None, JSON's null: NaN is not JSON, and a stand-in number would be read as a result.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import metrics

Metrics = dict[str, Any]
Vector = NDArray[np.float64]

# binary:hinge answers classes and no probability, so it has no log loss.
CLASS_ONLY = "binary:hinge"
MARGIN_ONLY = "binary:logitraw"
# A label may be the share of the positive class in a row; it counts as the nearer class.
POSITIVE_LABEL = 0.5
# By the objective's first part; of any other, regression.
_TASKS = {
    "binary": "binary",
    "multi": "multiclass",
    "survival": "survival",
    "rank": "ranking",
}


def probability(objective: str, response: NDArray[Any]) -> NDArray[Any]:
    """Return answers as they are, and the margins of `binary:logitraw` as probabilities."""
    if objective != MARGIN_ONLY:
        return response
    # By tanh, which does not overflow.
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * response.astype(np.float64))))


def is_positive(
    objective: str, response: NDArray[Any], threshold: float = 0.5
) -> NDArray[np.bool_]:
    """Tell which answers (n,) of a `binary:*` objective are positive: at the threshold or above."""
    # In float32, the type answers come in: 0.35 is not below a threshold of 0.35. Margins are
    # compared as serving does, with the margin of the threshold.
    cut = math.log(threshold / (1 - threshold)) if objective == MARGIN_ONLY else threshold
    return np.asarray(response.astype(np.float32, copy=False) >= np.float32(cut))


def held_out_metrics(
    objective: str,
    y: NDArray[np.float32],
    response: NDArray[np.float32],
    weight: NDArray[np.float32] | None = None,
    *,
    threshold: float = 0.5,
) -> Metrics:
    """Score the answers to rows that were not trained on.

    Parameters
    ----------
    objective
        XGBoost's name of it; says what `response` holds.
    y
        Encoded labels (n,). For `binary:*` from 0 to 1: the log loss is the cross-entropy with
        the label as it is, every other figure takes one of 0.5 or more as the positive class.
    response
        Answers (n,), or class probabilities (n, K) for `multi:*`. For `binary:logistic`
        probabilities, for `binary:hinge` 0 or 1, for `binary:logitraw` margins.
    weight
        Weights (n,), used in every figure except the confusion matrix, which counts rows.
    threshold
        Probability of the positive class at which the answer is positive.

    Returns
    -------
    dict
        Figures by name, with the objective's kind of task under `task` and the number of
        rows under `rows`. Survival and ranking have no figure of their own here: XGBoost's
        metrics, in the history, know censoring and queries. Rows whose weights are all 0 have
        no figure either.
    """
    family = objective.partition(":")[0]
    truth = y.astype(np.float64)
    answer = np.asarray(response, dtype=np.float64)
    shares = None if weight is None else weight.astype(np.float64)
    if shares is not None and not shares.any():
        return {"rows": len(y), "task": _TASKS.get(family, "regression")}
    with warnings.catch_warnings():
        # Each figure that cannot be computed is None: scikit-learn's warning adds nothing.
        warnings.simplefilter("ignore")
        if family == "binary":
            figures = _binary(objective, truth, answer, shares, threshold)
        elif family == "multi":
            figures = _multiclass(truth, answer, shares)
        elif family in {"survival", "rank"}:
            figures = {"task": _TASKS[family]}
        else:
            figures = _regression(objective, truth, answer, shares)
    return {"rows": len(y)} | {name: _finite(value) for name, value in figures.items()}


def _binary(
    objective: str, y: Vector, response: Vector, weight: Vector | None, threshold: float
) -> Metrics:
    score = probability(objective, response)
    positive = is_positive(objective, response, threshold).astype(np.int64)
    known = (y >= POSITIVE_LABEL).astype(np.int64)
    both = len(np.unique(known)) > 1
    own: dict[str, Any] = {"zero_division": np.nan, "sample_weight": weight}
    macro: dict[str, Any] = {"average": "macro", "zero_division": 0.0, "sample_weight": weight}
    figures: Metrics = {
        "task": "binary",
        "threshold": threshold,
        "auc": _try(metrics.roc_auc_score, known, score, weight) if both else None,
        "average_precision": (
            _try(metrics.average_precision_score, known, score, weight) if both else None
        ),
        "logloss": None,
        "accuracy": metrics.accuracy_score(known, positive, sample_weight=weight),
        "balanced_accuracy": (
            metrics.balanced_accuracy_score(known, positive, sample_weight=weight) if both else None
        ),
        "precision": metrics.precision_score(known, positive, **own),
        "recall": metrics.recall_score(known, positive, **own),
        "f1_binary": metrics.f1_score(known, positive, **own),
        "f1_macro": metrics.f1_score(known, positive, **macro),
        "confusion_matrix": metrics.confusion_matrix(known, positive, labels=[0, 1]).tolist(),
    }
    if objective != CLASS_ONLY:
        figures["logloss"] = _cross_entropy(y, score, weight)
    return figures


def _cross_entropy(y: Vector, score: Vector, weight: Vector | None) -> float:
    # Clipped as scikit-learn does: a sure and wrong answer costs much, not infinitely much.
    tiny = np.finfo(np.float64).eps
    chance = np.clip(score, tiny, 1.0 - tiny)
    loss = -(y * np.log(chance) + (1.0 - y) * np.log(1.0 - chance))
    return float(np.average(loss, weights=weight))


def _multiclass(y: Vector, response: Vector, weight: Vector | None) -> Metrics:
    classes = np.arange(response.shape[1])
    known, chosen = y.astype(np.int64), response.argmax(axis=1)
    # float32 probabilities miss a sum of 1 by more than scikit-learn lets pass.
    shares = response / response.sum(axis=1, keepdims=True)
    macro: dict[str, Any] = {"average": "macro", "zero_division": 0.0, "sample_weight": weight}
    return {
        "task": "multiclass",
        "logloss": metrics.log_loss(known, shares, labels=classes, sample_weight=weight),
        "accuracy": metrics.accuracy_score(known, chosen, sample_weight=weight),
        "balanced_accuracy": metrics.balanced_accuracy_score(known, chosen, sample_weight=weight),
        "precision_macro": metrics.precision_score(known, chosen, **macro),
        "recall_macro": metrics.recall_score(known, chosen, **macro),
        "f1_macro": metrics.f1_score(known, chosen, **macro),
        "confusion_matrix": metrics.confusion_matrix(known, chosen, labels=classes).tolist(),
    }


def _regression(objective: str, y: Vector, response: Vector, weight: Vector | None) -> Metrics:
    r2 = partial(metrics.r2_score, force_finite=False)
    # An exponential link can overflow, and scikit-learn takes no infinite answer.
    figures: Metrics = {
        "task": "regression",
        "rmse": _try(metrics.root_mean_squared_error, y, response, weight),
        "mae": _try(metrics.mean_absolute_error, y, response, weight),
        "r2": _try(r2, y, response, weight),
    }
    if objective == "count:poisson":
        figures["mean_poisson_deviance"] = _try(metrics.mean_poisson_deviance, y, response, weight)
    return figures


def _try(
    figure: Callable[..., float], y: NDArray[Any], response: Vector, weight: Vector | None
) -> float | None:
    """Return a figure, or None where scikit-learn says that these rows have none."""
    try:
        return figure(y, response, sample_weight=weight)
    except ValueError:
        return None


def _finite(value: object) -> object:
    if isinstance(value, float | np.floating):
        return float(value) if math.isfinite(value) else None
    return value
