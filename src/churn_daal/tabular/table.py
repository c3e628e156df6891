"""Training rows as columns of text, every row traceable to its file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa

from churn_daal.errors import DataError, UserError
from churn_daal.tabular.csv_lines import line_of


@dataclass(frozen=True)
class Source:
    """One file of a table.

    Attributes
    ----------
    path
        The file.
    rows
        How many rows it gave.
    header
        Whether a header stood on top.
    order
        For each of the table's columns, its 0-based place in this file.
    """

    path: Path
    rows: int
    header: bool
    order: tuple[int, ...]


@dataclass(frozen=True)
class Table:
    """Columns of untouched text cells, rows in the order of the sorted files.

    Attributes
    ----------
    names
        The header; None where the files have none.
    columns
        One Arrow string array a column.
    sources
        The files, in order.
    delimiter
        What stood between cells.
    """

    names: tuple[str, ...] | None
    columns: tuple[pa.ChunkedArray, ...]
    sources: tuple[Source, ...]
    delimiter: str

    @property
    def rows(self) -> int:
        """Number of data rows."""
        return sum(source.rows for source in self.sources)

    def name(self, position: int) -> str | None:
        """Return the header over a 0-based position, None without header."""
        return self.names[position] if self.names else None

    def fault(
        self, reason: str, *, index: int | None = None, position: int | None = None
    ) -> UserError:
        """Return the error that names file, row and column.

        Parameters
        ----------
        reason
            What came, what was expected and the remedy.
        index
            0-based data row in the whole table.
        position
            0-based column.
        """
        files = ", ".join(source.path.name for source in self.sources[:3])
        name = None if position is None else self.name(position)
        place = position
        row = None
        if index is not None:
            source, index = self._source_of(index)
            files = source.path.name
            row = line_of(source.path, index + source.header, self.delimiter)
            place = None if position is None else source.order[position]
        column = None if place is None else place + 1
        return UserError(f"{files}: {DataError(reason, row=row, column=column, name=name)}")

    def _source_of(self, index: int) -> tuple[Source, int]:
        for source in self.sources:
            if index < source.rows:
                return source, index
            index -= source.rows
        raise IndexError(index)


def align(table: Table, like: Table) -> Table:
    """Return `table` with its columns in the order of `like`'s.

    Raises
    ------
    UserError
        The two do not have the same columns.
    """
    order = match_columns(
        table.sources[0].path.name,
        table.names or len(table.columns),
        like.sources[0].path.name,
        like.names or len(like.columns),
    )
    sources = tuple(
        replace(source, order=tuple(source.order[p] for p in order)) for source in table.sources
    )
    columns = tuple(table.columns[p] for p in order)
    return replace(table, names=like.names, columns=columns, sources=sources)


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
