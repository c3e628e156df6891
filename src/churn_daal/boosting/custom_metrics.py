"""The metrics AWS's image computes beside XGBoost's own, for every round of training.

They equal scikit-learn's on the same rows and weights, but are sums over blocks of rows: a round
of boosting takes a fraction of a second, and sorting or copying millions of rows would show.
Being sums, they also add up over the machines of a distributed job, where XGBoost by itself
would average each machine's figure.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xgboost
from numpy.typing import NDArray
from xgboost import collective

from churn_daal.boosting.metric_names import CLASS_METRICS
from churn_daal.boosting.metrics import POSITIVE_LABEL, is_positive, probability

Sums = NDArray[np.float64]
Block = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32] | None]

log = logging.getLogger(__name__)

_BLOCK = 1 << 18
# XGBoost takes the scores of such metrics as text of six decimals.
_FEW_DIGITS = 1e-4
_EPS = float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class CustomMetrics:
    """Metrics in the form `xgboost.train(custom_metric=...)` takes, for a built-in objective.

    An undefined value is NaN: the precision of no positive answer, the recall and F1 of no
    positive row (scikit-learn's `zero_division=nan`), R2 of one row or of equal labels, anything
    of no rows. Within the mean of a `*_macro` metric or of `f1`, an undefined class counts as 0
    (`zero_division=0`): left out, it would reward a model that never answers it.

    Attributes
    ----------
    names
        The metrics, in the order in which their scores are given.
    objective
        XGBoost's name of it.
    num_class
        Number of classes; not looked at for regression.
    threshold
        Probability of the positive class at which the answer is positive.
    """

    names: tuple[str, ...]
    objective: str
    num_class: int = 2
    threshold: float = 0.5
    _told: set[str] = field(default_factory=set, compare=False, repr=False)

    def __call__(
        self, predictions: NDArray[np.float32], data: xgboost.DMatrix
    ) -> list[tuple[str, float]]:
        """Score what XGBoost hands over once a round: its answers, not margins.

        Parameters
        ----------
        predictions
            (n,), or (n, K) for `multi:softprob`; classes for `multi:softmax`, and for
            `binary:logitraw` alone margins.
        data
            The rows, of which labels and weights are read.
        """
        y, weight = data.get_label(), data.get_weight()
        blocks = _Blocks(predictions, y, weight if len(weight) else None)
        figures: dict[str, float] = {}
        if not CLASS_METRICS.isdisjoint(self.names):
            figures |= _of_classes(*self._confusion(blocks))
        if "mse" in self.names or "r2" in self.names:
            figures |= self._of_values(blocks)
            self._tell_small(figures["mse"])
        return [(name, figures[name]) for name in self.names]

    def _confusion(self, blocks: _Blocks) -> tuple[Sums, Sums]:
        """Return the confusion matrix (K, K), true classes down, by weight and by rows."""
        k = self.num_class
        sums = np.zeros((2, k * k))
        for y, answer, weight in blocks:
            code = self._classes_of(y) * k + self._answered(answer)
            rows = np.bincount(code, minlength=k * k)
            sums[1] += rows
            sums[0] += rows if weight is None else np.bincount(code, weight, k * k)
        by_weight, by_rows = _everywhere(sums).reshape(2, k, k)
        return by_weight, by_rows

    def _classes_of(self, y: NDArray[np.float32]) -> NDArray[np.intp]:
        if self.objective.startswith("multi:"):
            return y.astype(np.intp)
        return (y >= POSITIVE_LABEL).astype(np.intp)

    def _answered(self, answer: NDArray[np.float32]) -> NDArray[np.intp]:
        if self.objective.startswith("multi:"):
            return answer.argmax(axis=1) if answer.ndim == 2 else answer.astype(np.intp)
        return is_positive(self.objective, answer, self.threshold).astype(np.intp)

    def _tell_small(self, mse: float) -> None:
        if "mse" in self.names and 0 < mse < _FEW_DIGITS and not self._told:
            self._told.add("mse")
            log.warning(
                "mse is %.1e, and only six decimals of it are seen; take rmse, or scale the label",
                mse,
            )

    def _of_values(self, blocks: _Blocks) -> dict[str, float]:
        sums = np.zeros(3)
        for y, _, weight in blocks:
            sums += len(y), _sum(np.ones(len(y)), weight), _sum(y, weight)
        rows, total, labels = _everywhere(sums)
        if total <= 0:
            return {"mse": np.nan, "r2": np.nan}
        mean = labels / total
        squares = np.zeros(2)
        for y, answer, weight in blocks:
            exact = y.astype(np.float64)
            off = exact - probability(self.objective, answer).reshape(len(y))
            squares += _sum(off * off, weight), _sum((exact - mean) ** 2, weight)
        error, spread = _everywhere(squares)
        # Rounding leaves a trace of spread between equal labels.
        spread_out = rows > 1 and spread > total * (4 * _EPS * mean) ** 2
        return {"mse": error / total, "r2": 1 - error / spread if spread_out else np.nan}


@dataclass(frozen=True)
class _Blocks:
    """Labels, answers and weights, a bounded number of rows at a time, as often as wanted."""

    predictions: NDArray[np.float32]
    y: NDArray[np.float32]
    weight: NDArray[np.float32] | None

    def __iter__(self) -> Iterator[Block]:
        for start in range(0, len(self.y), _BLOCK):
            rows = slice(start, start + _BLOCK)
            yield (
                self.y[rows],
                self.predictions[rows],
                None if self.weight is None else self.weight[rows],
            )


def _of_classes(weights: Sums, rows: Sums) -> dict[str, float]:
    right, true, answered = weights.diagonal(), weights.sum(axis=1), weights.sum(axis=0)
    # scikit-learn's mean is over the classes that occur, whatever they weigh.
    occur = rows.sum(axis=0) + rows.sum(axis=1) > 0
    with np.errstate(divide="ignore", invalid="ignore"):
        precision, recall = right / answered, right / true
        f1 = 2 * right / (true + answered)
        accuracy = float(right.sum() / weights.sum())
    macro = {
        "precision_macro": _mean(np.nan_to_num(precision[occur])),
        "recall_macro": _mean(np.nan_to_num(recall[occur])),
        "f1_macro": _mean(np.nan_to_num(f1[occur])),
    }
    return macro | {
        "accuracy": accuracy,
        # Of one class a row, all three count the same.
        "precision_micro": accuracy,
        "recall_micro": accuracy,
        "balanced_accuracy": _mean(recall[true > 0]),
        "f1": macro["f1_macro"],
        "precision": float(precision[1]),
        "recall": float(recall[1]),
        "f1_binary": float(f1[1]),
    }


def _mean(values: Sums) -> float:
    return float(values.mean()) if len(values) else float("nan")


def _sum(values: NDArray[Any], weight: NDArray[np.float32] | None) -> float:
    # Not a dot product: its threads would contend with XGBoost's, at twenty times the cost.
    exact = values.astype(np.float64, copy=False)
    return float(np.sum(exact if weight is None else exact * weight))


def _everywhere(sums: Sums) -> Sums:
    """Add up over the machines of a distributed job; each gets the total."""
    if not collective.is_distributed():
        return sums
    total: Sums = collective.allreduce(sums.ravel(), collective.Op.SUM).reshape(sums.shape)
    return total
