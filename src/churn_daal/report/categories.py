"""Counts of a text column's values in fixed memory, however many values it has.

The counts are exact up to a limit of distinct values. Beyond it the rarest are given up by the
rule of Misra and Gries, and the number of distinct values is estimated from the smallest of
their hashes (Bar-Yossef et al., "Counting distinct elements in a data stream", 2002).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from churn_daal.report.row_hashes import Hashes, hash_texts

LIMIT = 10_000
_HASHES = 1024
_HASH_RANGE = 2.0**64


class CategoryCounts:
    """How often each value came.

    Parameters
    ----------
    limit
        Distinct values counted.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._counts: dict[str, int] = {}
        self._smallest: Hashes = np.empty(0, dtype=np.uint64)
        self.undercount = 0

    @property
    def exact(self) -> bool:
        """Whether no value was given up; otherwise a count is at most `undercount` too low."""
        return not self.undercount

    @property
    def counts(self) -> Mapping[str, int]:
        """The values that are counted, in the order in which they came."""
        return self._counts

    @property
    def distinct(self) -> int:
        """Number of distinct values, estimated to some 3 % where it is not exact."""
        if self.exact:
            return len(self._counts)
        smallest = _smallest(self._smallest, hash_texts(list(self._counts)))
        if len(smallest) < _HASHES:
            return len(smallest)
        return round((_HASHES - 1) * _HASH_RANGE / float(smallest[-1]))

    def add(self, counts: Mapping[str, int]) -> None:
        """Add occurrences by value."""
        for value, count in counts.items():
            self._counts[value] = self._counts.get(value, 0) + count
        self._prune()

    def merge(self, other: CategoryCounts) -> None:
        """Add what another has seen."""
        self.undercount += other.undercount
        self.add(other.counts)
        self._smallest = _smallest(self._smallest, other._smallest)

    def top(self, most: int) -> list[tuple[str, int]]:
        """Return the most frequent values with their counts; of equal ones the first in text."""
        return sorted(self._counts.items(), key=lambda item: (-item[1], item[0]))[:most]

    def _prune(self) -> None:
        if len(self._counts) <= self._limit:
            return
        self._smallest = _smallest(self._smallest, hash_texts(list(self._counts)))
        cut = sorted(self._counts.values(), reverse=True)[self._limit]
        self._counts = {value: count - cut for value, count in self._counts.items() if count > cut}
        self.undercount += cut


def _smallest(held: Hashes, more: Hashes) -> Hashes:
    return np.unique(np.concatenate([held, more]))[:_HASHES]
