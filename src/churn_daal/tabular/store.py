"""Compact columns of a table: in memory up to a budget, beyond it in a file on the local disk."""

from __future__ import annotations

import logging
import shutil
import tempfile
import weakref
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

log = logging.getLogger(__name__)
# About 8 MB a piece: enough rows to work on at once, little beside any budget.
_CELLS: Final = 1 << 21


class Store:
    """Rows of four-byte columns, appended once and read many times.

    Parameters
    ----------
    positions
        The table's positions of the columns held.
    budget
        Bytes of memory to stay within; None for no limit.
    """

    def __init__(self, positions: tuple[int, ...], *, budget: int | None = None) -> None:
        self.positions = positions
        self.rows = 0
        self._budget = budget
        self._pieces: list[pa.RecordBatch] = []
        self._waiting: list[Mapping[int, NDArray[Any]]] = []
        self._waiting_rows = 0
        self._piece_rows = max(1, _CELLS // max(1, len(positions)))
        self._folder: Path | None = None
        self._writer: Any = None
        self._file: Any = None

    @property
    def on_disk(self) -> bool:
        """Whether the rows went to the disk."""
        return self._folder is not None

    @property
    def bytes(self) -> int:
        """Bytes of all rows."""
        return 4 * self.rows * len(self.positions)

    def add(self, columns: Mapping[int, NDArray[Any]], rows: int) -> None:
        """Append rows: float32 or int32 by position."""
        self._waiting.append(columns)
        self._waiting_rows += rows
        self.rows += rows
        if self._waiting_rows >= self._piece_rows:
            self._flush()

    def close(self) -> None:
        """End appending."""
        self._flush()
        if self._writer is not None:
            self._writer.close()
            self._file.close()
            reader = pa.ipc.open_file(pa.memory_map(str(self._path())))
            self._pieces = [reader.get_batch(i) for i in range(reader.num_record_batches)]

    def pieces(self) -> Iterator[pa.RecordBatch]:
        """Yield the rows in order; column `i` is the one at `positions[i]`."""
        yield from self._pieces

    def table(self) -> pa.Table:
        """Return the rows as one table, nothing copied."""
        return pa.Table.from_batches(self._pieces)

    def _flush(self) -> None:
        if not self._waiting_rows:
            return
        parts, self._waiting = self._waiting, []
        self._waiting_rows = 0
        arrays = [
            pa.array(
                parts[0][p] if len(parts) == 1 else np.concatenate([part[p] for part in parts])
            )
            for p in self.positions
        ]
        piece = pa.RecordBatch.from_arrays(arrays, names=[str(p) for p in self.positions])
        if self._writer is None and self._budget is not None and self.bytes > self._budget:
            self._spill(piece.schema)
        if self._writer is None:
            self._pieces.append(piece)
        else:
            self._writer.write_batch(piece)

    def _spill(self, schema: pa.Schema) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="churn-daal-"))
        # Gone with the store, one that is given up half-written too.
        weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        log.info("the data is over the memory budget and goes to the disk, in %s", self._folder)
        self._file = pa.OSFile(str(self._path()), "wb")
        self._writer = pa.ipc.new_file(self._file, schema)
        for piece in self._pieces:
            self._writer.write_batch(piece)
        self._pieces = []

    def _path(self) -> Path:
        assert self._folder is not None  # noqa: S101 - only called after the spill
        return self._folder / "columns.arrow"
