"""Features of a table as XGBoost takes them, encoded piece by piece when they are asked for.

The table holds each raw cell once, in four bytes; one-hot columns exist only for the rows at
hand.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from churn_daal.tabular.store import Store

# Encoded cells of a piece, at most: 16 MB.
_CELLS: Final = 1 << 22


@dataclass(frozen=True)
class Slot:
    """One raw column's way into the encoded ones.

    Attributes
    ----------
    width
        How many encoded columns it becomes.
    values
        For a column of texts that becomes one: the number of each distinct cell, float32.
    codes
        For one that becomes several: the place of each distinct cell among them, -1 for none.
    """

    width: int = 1
    values: NDArray[np.float32] | None = None
    codes: NDArray[np.int32] | None = None

    def encode(self, raw: NDArray[Any]) -> Iterator[NDArray[np.float32]]:
        """Yield the encoded columns of raw numbers or codes."""
        if self.codes is not None:
            places = self.codes[raw]
            for place in range(self.width):
                yield (places == place).astype(np.float32)
        else:
            yield raw if self.values is None else self.values[raw]


class Frame:
    """Encoded features of a stored table; see `boosting.dataset.Features`.

    Parameters
    ----------
    store
        The raw columns.
    slots
        One for each of them.
    """

    def __init__(self, store: Store, slots: Sequence[Slot]) -> None:
        self._store, self._slots = store, tuple(slots)
        self.width = sum(slot.width for slot in slots)
        self._names = [str(place) for place in range(self.width)]

    def __len__(self) -> int:
        return self._store.rows

    def batches(self, rows: NDArray[np.intp] | None = None) -> Iterator[pa.Table]:
        """Yield Arrow tables of `width` float32 columns, NaN missing; all rows by default."""
        for raw in self._raw(rows):
            columns = [
                pa.array(encoded)
                for slot, column in zip(self._slots, raw.columns, strict=True)
                for encoded in slot.encode(column.to_numpy(zero_copy_only=False))
            ]
            yield pa.Table.from_arrays(columns, names=self._names)

    def dense(self, rows: NDArray[np.intp] | None = None) -> NDArray[np.float32]:
        """Return float32 (n, width), C-contiguous, NaN missing; all rows by default."""
        matrix = np.empty((len(self) if rows is None else len(rows), self.width), np.float32)
        start = 0
        for piece in self.batches(rows):
            stop = start + piece.num_rows
            for place, column in enumerate(piece.columns):
                matrix[start:stop, place] = column.to_numpy()
            start = stop
        return matrix

    def _raw(self, rows: NDArray[np.intp] | None) -> Iterator[pa.RecordBatch]:
        """Yield the raw rows in pieces that encode to a bounded number of cells."""
        most = max(1, _CELLS // self.width)
        if rows is None:
            for piece in self._store.pieces():
                for start in range(0, piece.num_rows, most):
                    yield piece.slice(start, most)
        elif len(rows) < 2 or bool(np.all(rows[1:] > rows[:-1])):
            yield from self._rising(rows, most)
        else:
            whole = self._store.table()
            for start in range(0, len(rows), most):
                chosen = whole.take(pa.array(rows[start : start + most]))
                yield chosen.combine_chunks().to_batches()[0]

    def _rising(self, rows: NDArray[np.intp], most: int) -> Iterator[pa.RecordBatch]:
        first = 0
        for piece in self._store.pieces():
            low, high = np.searchsorted(rows, [first, first + piece.num_rows])
            own = rows[low:high] - first
            for start in range(0, len(own), most):
                yield piece.take(pa.array(own[start : start + most]))
            first += piece.num_rows
