"""Figures of a binary classifier in the form of a SageMaker model quality report.

The names and the nesting are those that Model Monitor writes (AWS, "Model quality metrics",
Amazon SageMaker developer guide); so is the standard deviation, over five samples of 80 % of the
rows, and only where there are 200 rows or more.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sklearn import metrics

from churn_daal.errors import UserError

_VERSION: Final = 0.0
_SAMPLES: Final = 5
_SAMPLE_SHARE: Final = 0.8
_LEAST_ROWS: Final = 200
# Points of a curve, at most: what a page can show.
MOST_POINTS: Final = 1_001
_BETAS: Final = {"f0_5": 0.5, "f1": 1.0, "f2": 2.0}
# Below the baseline is worse for these, above it for those.
_LOW_IS_WORSE: Final = ("recall", "precision", "accuracy", "true_positive_rate")
_LOW_IS_WORSE_TOO: Final = ("true_negative_rate", "auc", "f0_5", "f1", "f2")
_HIGH_IS_WORSE: Final = ("false_positive_rate", "false_negative_rate")

Truth = NDArray[np.bool_]
Scores = NDArray[np.floating[Any]]
Document = dict[str, Any]


def statistics(truth: Truth, probability: Scores, positive: Truth, *, seed: int = 0) -> Document:
    """Return the document of statistics.

    Parameters
    ----------
    truth
        bool (n,), whether a row is of the positive class.
    probability
        float (n,), the probability of it, as the model answered: not rounded.
    positive
        bool (n,), whether the answer is the positive class, by the model's own threshold.
    seed
        Of the samples that the standard deviations are taken over.

    Returns
    -------
    dict
        `binary_classification_metrics` with, for each figure, `value` and `standard_deviation`
        (the text `NaN` below 200 rows, as Model Monitor writes it); the confusion matrix by true,
        then answered class; ROC and precision-recall curves over every threshold, thinned to
        1,001 points at most. A figure that divides by nothing (the precision of no positive
        answer) is 0, as in scikit-learn.

    Raises
    ------
    UserError
        The rows are all of one class, of which no AUC and no curve can be told.
    """
    if truth.all() or not truth.any():
        raise UserError(
            f"all {len(truth)} rows are of one class, so there is no AUC to judge the model by; "
            "evaluate on rows of both classes"
        )
    figures = _figures(truth, probability, positive)
    spread = _spread(truth, probability, positive, seed)
    found: Document = {"confusion_matrix": _matrix(truth, positive)}
    for name, value in figures.items():
        found[name] = {"value": value, "standard_deviation": spread.get(name, "NaN")}
    for name, value in _best_constant(truth).items():
        found[f"{name}_best_constant_classifier"] = {
            "value": value,
            "standard_deviation": 0.0 if spread else "NaN",
        }
    false, true, _ = metrics.roc_curve(truth, probability)
    precision, recall, _ = metrics.precision_recall_curve(truth, probability)
    found["receiver_operating_characteristic_curve"] = {
        "false_positive_rates": _thinned(false),
        "true_positive_rates": _thinned(true),
    }
    found["precision_recall_curve"] = {
        "precisions": _thinned(precision),
        "recalls": _thinned(recall),
    }
    return {
        "version": _VERSION,
        "dataset": {"item_count": len(truth)},
        "binary_classification_metrics": found,
    }


def constraints(document: Document) -> Document:
    """Return the bounds that a model quality monitor compares later figures with."""
    figures = document["binary_classification_metrics"]
    low = dict.fromkeys((*_LOW_IS_WORSE, *_LOW_IS_WORSE_TOO), "LessThanThreshold")
    operators = low | dict.fromkeys(_HIGH_IS_WORSE, "GreaterThanThreshold")
    return {
        "version": _VERSION,
        "binary_classification_constraints": {
            name: {"threshold": figures[name]["value"], "comparison_operator": operator}
            for name, operator in operators.items()
        },
    }


def _figures(truth: Truth, probability: Scores, positive: Truth) -> dict[str, float]:
    matrix = metrics.confusion_matrix(truth, positive, labels=[False, True])
    (true_negative, false_positive), (false_negative, true_positive) = matrix.tolist()
    recall = _share(true_positive, true_positive + false_negative)
    false_alarm = _share(false_positive, false_positive + true_negative)
    figures = {
        "recall": recall,
        "precision": _share(true_positive, true_positive + false_positive),
        "accuracy": (true_positive + true_negative) / len(truth),
        "true_positive_rate": recall,
        "true_negative_rate": _share(true_negative, false_positive + true_negative),
        "false_positive_rate": false_alarm,
        "false_negative_rate": _share(false_negative, true_positive + false_negative),
        "auc": float(metrics.roc_auc_score(truth, probability)),
    }
    for name, beta in _BETAS.items():
        figures[name] = float(metrics.fbeta_score(truth, positive, beta=beta, zero_division=0.0))
    return figures


def _spread(truth: Truth, probability: Scores, positive: Truth, seed: int) -> dict[str, float]:
    """Return each figure's standard deviation; nothing where the rows are too few."""
    rows = len(truth)
    if rows < _LEAST_ROWS:
        return {}
    rng = np.random.default_rng(seed)
    drawn = []
    for _ in range(_SAMPLES):
        own = rng.choice(rows, int(rows * _SAMPLE_SHARE), replace=False)
        if truth[own].all() or not truth[own].any():
            return {}
        drawn.append(_figures(truth[own], probability[own], positive[own]))
    return {name: float(np.std([each[name] for each in drawn])) for name in drawn[0]}


def _best_constant(truth: Truth) -> dict[str, float]:
    """Return what the better of the two constant answers reaches, by each figure."""
    share = float(truth.mean())
    always = {"recall": 1.0, "precision": share, "accuracy": max(share, 1 - share)}
    for name, beta in _BETAS.items():
        always[name] = (1 + beta**2) * share / (beta**2 * share + 1)
    return always


def _matrix(truth: Truth, positive: Truth) -> dict[str, dict[str, int]]:
    matrix = metrics.confusion_matrix(truth, positive, labels=[False, True]).tolist()
    return {str(row): {str(column): matrix[row][column] for column in (0, 1)} for row in (0, 1)}


def _thinned(values: Scores) -> list[float]:
    places = np.unique(np.linspace(0, len(values) - 1, MOST_POINTS).round().astype(np.intp))
    return [float(value) for value in values[places]]


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
