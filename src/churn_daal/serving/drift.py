"""Requests against the ranges of the training data, on the encoded matrix."""

from __future__ import annotations

from dataclasses import dataclass, field
from operator import gt, lt

import numpy as np
from numpy.typing import NDArray

from churn_daal.artifact import Manifest
from churn_daal.tabular.encoder import Matrix


@dataclass(frozen=True)
class Ranges:
    """The smallest and largest value of each number column of the train channel.

    Attributes
    ----------
    first, last
        The matrix's columns from the first that is checked up to the last.
    low, high
        float32 (last - first,), without bounds where a column has none.
    places
        Place of the raw column of each of them.
    """

    first: int
    last: int
    low: NDArray[np.float32]
    high: NDArray[np.float32]
    places: tuple[int, ...]
    _least: list[float] = field(init=False, repr=False, compare=False)
    _most: list[float] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # The same float32 as Python's numbers, which hold them exactly.
        object.__setattr__(self, "_least", self.low.tolist())
        object.__setattr__(self, "_most", self.high.tolist())

    @classmethod
    def of(cls, manifest: Manifest) -> Ranges | None:
        """Return the ranges of a model; None where its manifest has none."""
        low, high, places = [], [], []
        for place, column in enumerate(manifest.schema.columns):
            known = manifest.statistics.range_of(column.name) if column.kind == "number" else None
            bounds = known or (-np.inf, np.inf)
            low += [bounds[0]] * column.width
            high += [bounds[1]] * column.width
            places += [place] * column.width
        checked = np.flatnonzero(np.isfinite(low))
        if not len(checked):
            return None
        first, last = int(checked[0]), int(checked[-1]) + 1
        return cls(
            first,
            last,
            np.asarray(low[first:last], dtype=np.float32),
            np.asarray(high[first:last], dtype=np.float32),
            tuple(places[first:last]),
        )

    def count(self, matrix: Matrix, outside: dict[int, int]) -> None:
        """Add to `outside`, by the raw column's place, the cells that are out of range.

        Parameters
        ----------
        matrix
            Encoded rows, float32 (n, width); missing cells (NaN) are in range.
        outside
            The counts so far.
        """
        cells = matrix[:, self.first : self.last]
        if len(cells) == 1:
            # Most requests, and for one row a comparison of arrays takes longer than of numbers.
            row = cells[0].tolist()
            if not (any(map(lt, row, self._least)) or any(map(gt, row, self._most))):
                return
        found = (cells < self.low) | (cells > self.high)
        # On a row of some columns, several times as fast as any().
        if not np.count_nonzero(found):
            return
        counts = np.count_nonzero(found, axis=0)
        for column in np.flatnonzero(counts).tolist():
            place = self.places[column]
            outside[place] = outside.get(place, 0) + int(counts[column])
