"""Choosing the probability from which an answer is positive, on rows held out."""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from churn_daal.boosting.metrics import POSITIVE_LABEL

log = logging.getLogger(__name__)

Rule = Literal["f1", "cost"]
Vector = NDArray[np.float64]

DEFAULT = 0.5
_BELOW_ONE = np.nextafter(np.float32(1), np.float32(0))


@dataclass(frozen=True)
class Threshold:
    """A threshold and what it was chosen by.

    Attributes
    ----------
    value
        An answer is positive if its float32 probability is `float32(value)` or above. Above 0 and
        below 1; written as JSON and read back, it divides the rows the same.
    rule
        `f1`: F1 of the positive class. `cost`: `cost_ratio` for a positive row that is missed
        and 1 for a false alarm, a row on average, by weight.
    figure
        F1 or cost at `value`; None where the rows have no F1.
    default_figure
        The same at 0.5, to see what the choice gains.
    """

    value: float
    rule: Rule
    figure: float | None
    default_figure: float | None


def choose_threshold(
    y: NDArray[np.float32],
    probability: NDArray[np.floating[Any]],
    weight: NDArray[np.float32] | None = None,
    *,
    rule: Rule,
    cost_ratio: float = 1.0,
) -> Threshold:
    """Return the best threshold there is for the given rows.

    All ways to divide the rows are compared that a threshold above 0 and below 1 can make: rows
    of equal probability stay together, one of 0 is never positive, one of 1 always. Of equally
    good ways the one with the fewest positive answers is taken. The value is the shortest decimal
    well between the probabilities on either side, so that the small difference of another engine
    flips no row.

    Where the rows, those without weight apart, have one class, nothing can be chosen: the value
    is 0.5, and the log says so. Where all probabilities are equal, either all rows or none are
    positive.

    Parameters
    ----------
    y
        Labels (n,) from 0 to 1; 0.5 or more counts as the positive class.
    probability
        Probability of the positive class (n,), rounded to float32 as answers are.
    weight
        Weights (n,); None where all rows count alike.
    rule
        What is best: the highest `f1`, or the lowest `cost`.
    cost_ratio
        Cost of a missed positive over that of a false alarm, above 0.

    Raises
    ------
    ValueError
        A probability is not from 0 to 1 (a margin is none), the lengths differ, or the rule or
        the cost ratio is not one of those above.
    """
    if rule not in {"f1", "cost"}:
        raise ValueError(f"rule is {rule!r}; expected 'f1' or 'cost'")
    if not 0 < cost_ratio < math.inf:
        raise ValueError(f"cost_ratio is {cost_ratio}; expected a finite number above 0")
    score, share = checked(y, probability, weight)
    positive = y >= POSITIVE_LABEL
    order = np.argsort(score, kind="stable")
    score, positive, share = score[order], positive[order], share[order]
    cuts = _cuts(score)
    # What lies at a cut or above it, right and wrong.
    hits = _from_above(share * positive)
    alarms = _from_above(share * ~positive)
    figures = _figures(rule, cost_ratio, hits[cuts], alarms[cuts], (hits[0], hits[0] + alarms[0]))
    half = np.searchsorted(score, np.float32(DEFAULT))
    at_half = _figures(
        rule, cost_ratio, hits[[half]], alarms[[half]], (hits[0], hits[0] + alarms[0])
    )
    if not hits[0] > 0 or not alarms[0] > 0:
        log.warning(
            "threshold=%s: the held-out rows are all of one class, so the threshold stays %g",
            *(rule, DEFAULT),
        )
        return Threshold(DEFAULT, rule, _finite(at_half[0]), _finite(at_half[0]))
    # The last of the best: the fewest positive answers.
    last_first = figures[::-1]
    best = len(cuts) - 1 - int(np.argmax(last_first) if rule == "f1" else np.argmin(last_first))
    value = _between(score, int(cuts[best]))
    return Threshold(value, rule, _finite(figures[best]), _finite(at_half[0]))


def checked(
    y: NDArray[np.float32],
    probability: NDArray[np.floating[Any]],
    weight: NDArray[np.float32] | None,
) -> tuple[NDArray[np.float32], Vector]:
    """Return float32 probabilities and float64 weights of rows that fit together.

    Raises
    ------
    ValueError
        There are no rows, lengths differ, or a probability is not from 0 to 1.
    """
    score = np.asarray(probability, np.float32)
    share = np.ones(len(y)) if weight is None else weight.astype(np.float64)
    if not score.shape == share.shape == y.shape or len(y) == 0:
        raise ValueError(
            f"labels, probabilities and weights have shapes {y.shape}, {score.shape} and "
            f"{share.shape}; expected one and the same, (n,), of one row or more"
        )
    if not ((score >= 0) & (score <= 1)).all():
        raise ValueError(
            f"a probability is {score[~((score >= 0) & (score <= 1))][0]}; expected 0 to 1"
        )
    return score, share


def _cuts(score: NDArray[np.float32]) -> NDArray[np.intp]:
    """Return where sorted rows can be divided: the first positive row of each way."""
    starts = np.flatnonzero(np.concatenate([[True], score[1:] != score[:-1]]))
    # Each way needs room for a threshold: above 0, and, the last one for no positive answer at
    # all, below 1.
    below = np.concatenate([[np.float32(0)], score[starts]])
    upper = np.minimum(np.append(score[starts], np.float32(1)), _BELOW_ONE)
    return np.append(starts, len(score))[below < upper]


def _from_above(values: Vector) -> Vector:
    """Return the sum from each place to the end, and 0 after it."""
    return np.append(np.cumsum(values[::-1])[::-1], 0.0)


def _figures(
    rule: Rule, cost_ratio: float, hits: Vector, alarms: Vector, totals: tuple[float, float]
) -> Vector:
    positives, everything = totals
    with np.errstate(invalid="ignore", divide="ignore"):
        if rule == "f1":
            return np.asarray(2 * hits / (positives + hits + alarms))
        return np.asarray((cost_ratio * (positives - hits) + alarms) / everything)


def _between(score: NDArray[np.float32], cut: int) -> float:
    """Return a short number above the probabilities before a cut and not above those after it."""
    low = np.float64(score[cut - 1]) if cut else np.float64(0)
    high = np.float64(score[cut]) if cut < len(score) else np.float64(1)
    middle, margin = (low + high) / 2, (high - low) / 4
    for digits in range(1, 17):
        value = round(float(middle), digits)
        if abs(value - middle) <= margin and low < np.float32(value) <= high and value < 1:
            return value
    # Neighbours in float32: only the upper one itself divides them.
    return float(high)


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
