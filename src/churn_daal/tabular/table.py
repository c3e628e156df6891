"""Training rows as compact columns, every row traceable to its file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from churn_daal.errors import DataError, UserError
from churn_daal.tabular.batch import Reader
from churn_daal.tabular.columns import ELSEWHERE, NumberColumn, TextColumn
from churn_daal.tabular.number_texts import shortest
from churn_daal.tabular.store import Store

ON_ANOTHER_HOST: Final = " (on another host)"


@dataclass(frozen=True)
class Table:
    """What was read of a channel, rows in the order of the sorted files.

    Attributes
    ----------
    reader
        Where the rows came from; tells names and places.
    columns
        What each wanted column turned out to hold, by position.
    kept
        Columns held in memory, by position: float32 numbers, or int32 codes into the distinct
        cells of a column of texts. Labels of sparse formats are float64, since classes may be
        numbers that float32 rounds.
    store
        The other columns, in the same two forms.
    rows_of
        How many rows each file gave.
    """

    reader: Reader
    columns: Mapping[int, NumberColumn | TextColumn]
    kept: Mapping[int, NDArray[Any]]
    store: Store
    rows_of: tuple[int, ...]

    @property
    def rows(self) -> int:
        """Number of data rows."""
        return self.store.rows

    @property
    def names(self) -> tuple[str, ...] | None:
        """The columns' names; None where the files have none."""
        return self.reader.names

    @property
    def delimiter(self) -> str:
        """What stood between cells."""
        return self.reader.delimiter

    def name(self, position: int) -> str | None:
        """Return the name of a 0-based position, None where columns have none."""
        return self.names[position] if self.names else None

    def numbers(self, position: int) -> NDArray[np.float32] | None:
        """Return a kept column of numbers; None where it holds texts."""
        if isinstance(self.columns[position], TextColumn):
            return None
        return self.kept[position].astype(np.float32, copy=False)

    def cell(self, position: int, index: int) -> str:
        """Return a kept column's cell in a 0-based row, as text."""
        column, value = self.columns[position], self.kept[position][index]
        if isinstance(column, TextColumn):
            return column.distinct[int(value)]
        return "" if np.isnan(value) else shortest(value).removesuffix(".0")

    def fault(
        self, reason: str, *, index: int | None = None, position: int | None = None
    ) -> UserError:
        """Return the error that names file, row and column.

        Parameters
        ----------
        reason
            What came, what was expected and the remedy.
        index
            0-based data row in the whole table; `ELSEWHERE` where another host has it.
        position
            0-based column.
        """
        if index == ELSEWHERE:
            return fault(self.reader, self.rows_of, reason + ON_ANOTHER_HOST, position=position)
        return fault(self.reader, self.rows_of, reason, index=index, position=position)


def fault(
    reader: Reader,
    rows_of: Sequence[int],
    reason: str,
    *,
    index: int | None = None,
    position: int | None = None,
) -> UserError:
    """Return the error that names file, row and column; see `Table.fault`."""
    files = ", ".join(path.name for path in reader.files[:3])
    name = reader.names[position] if reader.names and position is not None else None
    place, row = position, None
    if index is not None:
        file = 0
        while file < len(rows_of) - 1 and index >= rows_of[file]:
            index -= rows_of[file]
            file += 1
        files = reader.files[file].name
        row = reader.line(file, index)
        place = None if position is None else reader.source(file).order[position]
    column = None if place is None else place + 1
    return UserError(f"{files}: {DataError(reason, row=row, column=column, name=name)}")


def match_columns(
    file: str, own: Sequence[str] | int, first: str, wanted: Sequence[str] | int
) -> list[int]:
    """Find where a file has each of the first file's columns.

    Parameters
    ----------
    file, first
        The files' names, for the message.
    own, wanted
        The header of each, or its number of columns where it has none.

    Raises
    ------
    UserError
        They do not have the same columns.
    """
    if isinstance(own, int) and isinstance(wanted, int) and own == wanted:
        return list(range(own))
    if isinstance(own, int) or isinstance(wanted, int) or set(own) != set(wanted):
        raise UserError(
            f"{file}: row 1: {_columns(own)}, but {first} has {_columns(wanted)}; every file "
            "needs the same columns, and a header in all or in none"
        )
    places = {name: place for place, name in enumerate(own)}
    return [places[name] for name in wanted]


def _columns(header: Sequence[str] | int) -> str:
    if isinstance(header, int):
        return f"{header} columns without a header"
    return f"the header {', '.join(header):.300}"
