"""Columns that tell the label by themselves: most often one that was filled in after the fact.

Such a column gives a model that is perfect on held-out rows and useless in service, where the
column is not known yet.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from churn_daal.report.column_quality import Codes, Numbers
from churn_daal.report.moments import Moments

Classes = NDArray[np.intp]

MOST_CLASSES = 100
MOST_TEXTS = 1_000
# Fewer rows of a class, or of a text, are told apart by chance.
FEWEST_ROWS = 5
SAME = 0.9999
_FIRST = 1_000


class Separation:
    """Whether a column's values alone tell the class of every row.

    Numbers do where each class has a range of its own; texts where each comes with one class.
    Missing cells count as one more value.

    Parameters
    ----------
    classes
        Number of classes.
    """

    def __init__(self, classes: int) -> None:
        self._possible = 2 <= classes <= MOST_CLASSES
        self._rows = np.zeros(classes, dtype=np.int64)
        self._low = np.full(classes, np.inf)
        self._high = np.full(classes, -np.inf)
        self._class_of: dict[str, int] = {}

    @property
    def perfect(self) -> bool:
        """Whether no row so far speaks against it, and there are enough of them."""
        seen = self._rows[self._rows > 0]
        return bool(
            self._possible
            and len(seen) >= 2
            and np.min(seen) >= FEWEST_ROWS
            and len(self._class_of) * FEWEST_ROWS <= seen.sum()
        )

    def add_numbers(self, values: Numbers, y: Classes) -> None:
        """Add cells, float32 (n,), NaN missing, and the class of each row."""
        # Nearly every column is found out by its first rows.
        for part in (slice(0, _FIRST), slice(_FIRST, None)):
            if self._possible and len(y[part]):
                self._add_numbers(values[part], y[part])

    def _add_numbers(self, values: Numbers, y: Classes) -> None:
        self._rows += np.bincount(y, minlength=len(self._rows))
        missing = np.isnan(values)
        np.minimum.at(self._low, y[~missing], values[~missing])
        np.maximum.at(self._high, y[~missing], values[~missing])
        self._note({("", int(label)) for label in np.unique(y[missing])})
        self._check_ranges()

    def add_codes(self, codes: Codes, distinct: Sequence[str], y: Classes) -> None:
        """Add cells, int (n,), each the place of its text, and the class of each row."""
        if not self._possible:
            return
        self._rows += np.bincount(y, minlength=len(self._rows))
        pairs = np.unique(np.maximum(codes, -1).astype(np.int64) * len(self._rows) + y)
        places, labels = np.divmod(pairs, len(self._rows))
        self._note(
            {
                ("" if place < 0 else distinct[place], int(label))
                for place, label in zip(places, labels, strict=True)
            }
        )

    def merge(self, other: Separation) -> None:
        """Add what another host has seen of the same column."""
        self._possible = self._possible and other._possible
        self._rows += other._rows
        self._low = np.minimum(self._low, other._low)
        self._high = np.maximum(self._high, other._high)
        self._note(set(other._class_of.items()))
        self._check_ranges()

    def _note(self, pairs: set[tuple[str, int]]) -> None:
        for text, label in pairs:
            if self._class_of.setdefault(text, label) != label:
                self._give_up()
                return
        if len(self._class_of) > MOST_TEXTS:
            self._give_up()

    def _check_ranges(self) -> None:
        there = self._low <= self._high
        low, high = self._low[there], self._high[there]
        order = np.argsort(low)
        if (high[order][:-1] >= low[order][1:]).any():
            self._give_up()

    def _give_up(self) -> None:
        self._possible = False
        self._class_of = {}


class Correlation:
    """How closely a number follows a numeric label: Pearson's r over rows that have both."""

    def __init__(self) -> None:
        self._x, self._y, self._products = Moments(), Moments(), 0.0

    def add(self, values: Numbers, y: Numbers) -> None:
        """Add cells, float32 (n,), NaN missing, and the label of each row."""
        both = np.isfinite(values) & np.isfinite(y)
        if not both.any():
            return
        batch = Correlation()
        batch._x.add(values[both])
        batch._y.add(y[both])
        x, target = values[both].astype(np.float64), y[both].astype(np.float64)
        batch._products = float(((x - x.mean()) * (target - target.mean())).sum())
        self.merge(batch)

    def merge(self, other: Correlation) -> None:
        """Add what another host has seen of the same column."""
        x, y = other._x, other._y
        count = self._x.count + x.count
        if not count:
            return
        apart = (x.mean - self._x.mean) * (y.mean - self._y.mean)
        self._products += other._products + apart * self._x.count * x.count / count
        self._x.merge(x)
        self._y.merge(y)

    @property
    def value(self) -> float:
        """Pearson's r; NaN where the column or the label is constant, or rows are few."""
        spread = math.sqrt(self._x.squares) * math.sqrt(self._y.squares)
        if self._x.count < FEWEST_ROWS or not spread:
            return math.nan
        return self._products / spread
