"""Count, mean, spread and range of numbers that come in batches, in one pass.

Batches are merged by the formula of Chan, Golub and LeVeque ("Algorithms for computing the
sample variance", 1983), which loses no digits where the mean is large beside the spread.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass
class Moments:
    """What is known of the finite values seen so far.

    Attributes
    ----------
    count
        Finite values.
    infinite
        Infinite values, which count nowhere else.
    mean, squares
        Their mean, and the sum of their squared distances from it.
    low, high
        The smallest and the largest; infinite while there are none.
    whole
        Whether every one is a whole number.
    """

    count: int = 0
    infinite: int = 0
    mean: float = 0.0
    squares: float = 0.0
    low: float = math.inf
    high: float = -math.inf
    whole: bool = True

    @property
    def std(self) -> float:
        """Standard deviation of all the values, as of a population; NaN when empty."""
        return math.sqrt(self.squares / self.count) if self.count else math.nan

    def add(self, values: NDArray[np.float32]) -> None:
        """Add values, none of them NaN."""
        finite = values[np.isfinite(values)].astype(np.float64)
        self.infinite += len(values) - len(finite)
        if len(finite):
            mean = float(finite.mean())
            squares = float(((finite - mean) ** 2).sum())
            low, high = float(np.min(finite)), float(np.max(finite))
            whole = bool((finite == np.floor(finite)).all())
            self.merge(Moments(len(finite), 0, mean, squares, low, high, whole))

    def merge(self, other: Moments) -> None:
        """Add what another has seen."""
        self.infinite += other.infinite
        count = self.count + other.count
        if not other.count:
            return
        apart = other.mean - self.mean
        # Not by the formula into nothing, which would round the last digit.
        self.mean = self.mean + apart * other.count / count if self.count else other.mean
        self.squares += other.squares + apart**2 * self.count * other.count / count
        self.low, self.high = min(self.low, other.low), max(self.high, other.high)
        self.whole = self.whole and other.whole
        self.count = count
