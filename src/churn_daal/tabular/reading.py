"""Reads a channel once, block by block, into a table of compact columns."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from churn_daal.errors import UserError
from churn_daal.tabular import cells
from churn_daal.tabular.batch import Batch, Reader
from churn_daal.tabular.columns import (
    NumberColumn,
    Numbers,
    TextColumn,
    as_texts,
    quick_numbers,
    slow_numbers,
)
from churn_daal.tabular.store import Store
from churn_daal.tabular.table import Table, fault

log = logging.getLogger(__name__)


class _TurnedTextError(Exception):
    """Columns that held numbers hold texts from here on."""

    def __init__(self, positions: Collection[int]) -> None:
        self.positions = frozenset(positions)
        super().__init__()


def read_table(
    reader: Reader,
    *,
    features: Iterable[int],
    keep: Iterable[int] = (),
    text: Collection[int] = (),
    numbers: Collection[int] = (),
    budget: int | None = None,
    check: Callable[[], None] = lambda: None,
    may_be_empty: bool = False,
) -> Table:
    """Read the wanted columns of a channel.

    Parameters
    ----------
    reader
        The channel.
    features
        Positions of columns to store.
    keep
        Positions of columns to hold in memory: the label, weights, groups.
    text
        Those of them to read as texts whatever they hold.
    numbers
        Those of them that are numbers or a fault.
    budget
        Bytes of memory for the stored columns; beyond them they go to the disk.
    check
        Called between two batches; what it raises ends the reading.
    may_be_empty
        Whether there need not be any rows, as on one of several hosts.

    Raises
    ------
    UserError
        A column of `numbers` holds something else, the files hold no rows, or the reader finds
        a fault; file, row and column are named.
    """
    wanted = _Wanted(
        tuple(features),
        tuple(keep),
        frozenset(text) | (reader.categorical - frozenset(numbers)),
        frozenset(numbers),
    )
    while True:
        reading = _Reading(reader, wanted, Store(wanted.features, budget=budget))
        try:
            for batch in reader.batches(wanted.all, reading.texts):
                check()
                reading.take(batch)
            return reading.table(may_be_empty=may_be_empty)
        except _TurnedTextError as turned:
            # What a number looked like is not kept, so a column of texts starts over.
            names = ", ".join(str(_name(reader, p)) for p in sorted(turned.positions))
            log.info("column %s holds text below its first rows; reading again", names)
            wanted = replace(wanted, text=wanted.text | turned.positions)


@dataclass(frozen=True)
class _Wanted:
    """Positions of the columns to read, and what is known of them before; see `read_table`."""

    features: tuple[int, ...]
    keep: tuple[int, ...]
    text: frozenset[int]
    numbers: frozenset[int]

    @property
    def all(self) -> tuple[int, ...]:
        return (*self.features, *self.keep)


class _Reading:
    """One pass over a channel."""

    def __init__(self, reader: Reader, wanted: _Wanted, store: Store) -> None:
        self.texts = {p for p in wanted.all if p in wanted.text}
        self._reader, self._wanted, self._store = reader, wanted, store
        self._columns: dict[int, NumberColumn | TextColumn] = {
            p: TextColumn() if p in wanted.text else NumberColumn() for p in wanted.all
        }
        self._kept: dict[int, list[NDArray[Any]]] = {p: [] for p in wanted.keep}
        self._rows_of = [0] * len(reader.files)
        self._turned: set[int] = set()

    def take(self, batch: Batch) -> None:
        """Take the next rows; raise where a column of `numbers` holds something else."""
        start = sum(self._rows_of)
        self._rows_of[batch.file] += batch.rows
        turned = set()
        read: dict[int, NDArray[Any]] = {}
        for p in self._wanted.all:
            if p in self._turned:
                continue
            try:
                read[p] = _piece(self._columns[p], batch.columns[p], start)
            except cells.CellError as error:
                if p in self._wanted.numbers:
                    index = start + error.index
                    raise fault(
                        self._reader, self._rows_of, error.reason, index=index, position=p
                    ) from None
                turned.add(p)
        self.texts |= turned
        if turned and start:
            self._turned |= turned
        if self._turned:
            # Nothing is stored any more, but a second reading should be the last.
            return
        for p in turned:
            self._columns[p] = column = TextColumn()
            read[p] = column.add(as_texts(batch.columns[p]), start)
        self._store.add({p: read[p] for p in self._wanted.features}, batch.rows)
        for p in self._wanted.keep:
            # A copy: what came may be a view that holds all columns of its block.
            self._kept[p].append(read[p].copy())

    def table(self, *, may_be_empty: bool) -> Table:
        """Return what was read; raise where columns turned to text below the first rows."""
        if self._turned:
            raise _TurnedTextError(self._turned)
        reader, store = self._reader, self._store
        store.close()
        if not store.rows and not may_be_empty:
            raise UserError(f"{reader.files[0].name}: a header but no data rows")
        header = "present" if reader.names else "absent"
        log.info(
            "read %d rows of %d columns from %d file(s), header %s",
            *(store.rows, reader.width, len(reader.files), header),
        )
        kept = {p: self._whole(p, parts) for p, parts in self._kept.items()}
        return Table(reader, self._columns, kept, store, tuple(self._rows_of))

    def _whole(self, position: int, parts: list[NDArray[Any]]) -> NDArray[Any]:
        text = isinstance(self._columns[position], TextColumn)
        nothing = np.zeros(0, np.int32 if text else np.float32)
        return np.concatenate([nothing, *parts])


def _piece(column: NumberColumn | TextColumn, came: Numbers | pa.Array, start: int) -> NDArray[Any]:
    """Return the next cells of a column as numbers or codes; CellError where one is neither."""
    if isinstance(column, TextColumn):
        if isinstance(came, np.ndarray):
            # Read ahead, before the column turned out to hold texts.
            raise cells.CellError(0, "how the number was written is not kept")
        return column.add(as_texts(came), start)
    if isinstance(came, np.ndarray):
        return came
    quick = quick_numbers(came)
    return slow_numbers(came) if quick is None else quick


def _name(reader: Reader, position: int) -> str:
    return repr(reader.names[position]) if reader.names else str(position)
