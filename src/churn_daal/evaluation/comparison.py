"""Two models on the same labelled rows: whether one is better, or chance made it look so.

Each figure's difference comes with a 95 % interval of the paired bootstrap (Efron and Tibshirani,
"An Introduction to the Bootstrap", chapter 13): the same rows are drawn for both models, since
they are right and wrong on much the same rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from churn_daal.errors import UserError
from churn_daal.evaluation.labelled import Answered

FIGURES: Final = ("auc", "f1", "accuracy")
_LEVELS: Final = (2.5, 97.5)

Weights = NDArray[np.int64]


@dataclass(frozen=True)
class Comparison:
    """What two models are worth beside each other.

    Attributes
    ----------
    rows
        How many they answered.
    figures
        Of each model, `auc`, `f1` and `accuracy`.
    differences
        The second model's figure less the first's: `value`, and the ends `low` and `high` of
        its interval.
    agreement
        Share of the rows to which both answer the same class.
    """

    rows: int
    figures: tuple[Mapping[str, float], Mapping[str, float]]
    differences: Mapping[str, Mapping[str, float]]
    agreement: float

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON's types."""
        first, second = self.figures
        return {
            "rows": self.rows,
            "first": dict(first),
            "second": dict(second),
            "differences": {name: dict(value) for name, value in self.differences.items()},
            "agreement": self.agreement,
        }


def compare(first: Answered, second: Answered, *, samples: int = 1000, seed: int = 0) -> Comparison:
    """Compare the answers of two models to the same rows.

    Parameters
    ----------
    first, second
        Their answers, row by row.
    samples
        Bootstrap samples, 100 or more.
    seed
        Of their draws.

    Raises
    ------
    UserError
        The rows are not the same, are of one class, or the samples are too few.
    """
    truth = first.truth
    if not np.array_equal(truth, second.truth):
        raise UserError(
            "the two models read different labels from the rows; their positive classes differ, "
            "so their answers are to different questions"
        )
    if truth.all() or not truth.any():
        raise UserError(f"all {len(truth)} rows are of one class; compare on rows of both classes")
    if samples < 100:
        raise UserError(f"samples is {samples}; an interval needs 100 or more, 1000 by default")
    both = [_Ranked(each) for each in (first, second)]
    every = np.ones(len(truth), dtype=np.int64)
    found = [each.figures(every) for each in both]
    rng = np.random.default_rng(seed)
    drawn: dict[str, list[float]] = {name: [] for name in FIGURES}
    for _ in range(samples):
        rows = rng.integers(len(truth), size=len(truth))
        weights = np.bincount(rows, minlength=len(truth)).astype(np.int64)
        if 0 < weights[truth].sum() < len(truth):
            one, other = (each.figures(weights) for each in both)
            for name in FIGURES:
                drawn[name].append(other[name] - one[name])
    differences = {}
    for name in FIGURES:
        low, high = np.percentile(drawn[name], _LEVELS)
        value = found[1][name] - found[0][name]
        differences[name] = {"value": value, "low": float(low), "high": float(high)}
    agreement = float((first.positive == second.positive).mean())
    return Comparison(len(truth), (found[0], found[1]), differences, agreement)


class _Ranked:
    """Answers in the order of their probability, so that a sample costs one pass and no sorting."""

    def __init__(self, answered: Answered) -> None:
        self._order = np.argsort(answered.probability, kind="stable")
        ordered = answered.probability[self._order]
        # Rows of equal probability count half to each other.
        self._starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
        self._truth, self._positive = answered.truth, answered.positive

    def figures(self, weights: Weights) -> dict[str, float]:
        """Return the figures of rows that count so many times."""
        truth, positive = self._truth, self._positive
        right = int(weights[truth & positive].sum())
        missed = int(weights[truth & ~positive].sum())
        false = int(weights[~truth & positive].sum())
        whole = int(weights.sum())
        return {
            "auc": self._auc(weights),
            "f1": 2 * right / (2 * right + missed + false) if right else 0.0,
            "accuracy": (whole - missed - false) / whole,
        }

    def _auc(self, weights: Weights) -> float:
        """Return the share of pairs in which the positive row has the higher probability."""
        own = weights[self._order]
        truth = self._truth[self._order]
        positive = np.add.reduceat(np.where(truth, own, 0), self._starts)
        negative = np.add.reduceat(np.where(truth, 0, own), self._starts)
        below = np.cumsum(negative) - negative
        pairs = float(positive.sum()) * float(negative.sum())
        return float((positive * (below + 0.5 * negative)).sum() / pairs)
