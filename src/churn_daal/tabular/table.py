"""Training files as columns of text: read by Arrow, with every row traceable to its file.

Arrow reads fast but does not say where it stopped; on a fault the file is walked once more
with the csv module to name the row.
"""

from __future__ import annotations

import csv
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import pyarrow as pa
import pyarrow.csv as pa_csv

from churn_daal.errors import DataError, UserError
from churn_daal.tabular import cells

Header = Literal["auto", "present", "absent"]
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Source:
    """One file of a table: its path, how many rows it gave, whether a header stood on top."""

    path: Path
    rows: int
    header: bool


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
        row = None
        for source in self.sources:
            if index is None:
                break
            if index < source.rows:
                files = source.path.name
                row = _line_of(source, index, self.delimiter)
                break
            index -= source.rows
        column = None if position is None else position + 1
        name = None if position is None else self.name(position)
        return UserError(f"{files}: {DataError(reason, row=row, column=column, name=name)}")


def channel_files(folder: Path) -> list[Path]:
    """Return a channel's data files at any depth, hidden ones left out, in a fixed order.

    Raises
    ------
    UserError
        The folder is missing or holds no file with content.
    """
    if not folder.is_dir():
        raise UserError(f"channel {folder.name!r}: there is no folder {folder}; pass this channel")
    files = sorted(
        path
        for path in folder.rglob("*")
        if path.is_file()
        and path.stat().st_size
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )
    if not files:
        raise UserError(f"channel {folder.name!r}: no file with content in {folder}")
    return files


def read_csv(files: Sequence[Path], *, header: Header = "auto", delimiter: str = ",") -> Table:
    """Read CSV files (UTF-8, one header or none in each alike) into one table.

    Raises
    ------
    UserError
        Naming file and row: not UTF-8, a ragged row, no data row, headers that differ.
    """
    names: tuple[str, ...] | None = None
    tables: list[pa.Table] = []
    sources: list[Source] = []
    for path in files:
        own_names, table = _read_file(path, header, delimiter)
        if tables:
            if order := _order(path.name, own_names, files[0].name, names):
                table = table.select(order).rename_columns(table.column_names)
            if len(table.columns) != len(tables[0].columns):
                raise UserError(
                    f"{path.name}: {len(table.columns)} columns, but {files[0].name} has "
                    f"{len(tables[0].columns)}; every file of a channel needs the same columns"
                )
        else:
            names = own_names
        tables.append(table)
        sources.append(Source(path, table.num_rows, header=own_names is not None))
    whole = pa.concat_tables(tables)
    if not whole.num_rows:
        raise UserError(f"{files[0].name}: a header but no data rows")
    log.info(
        "read %d rows of %d columns from %d file(s), header %s",
        *(whole.num_rows, len(whole.columns), len(files), "present" if names else "absent"),
    )
    return Table(names, tuple(whole.columns), tuple(sources), delimiter)


def _read_file(
    path: Path, header: Header, delimiter: str
) -> tuple[tuple[str, ...] | None, pa.Table]:
    with _located(path, delimiter):
        width = len(next(_records(path, delimiter))[1])
        table = pa_csv.read_csv(
            path,
            read_options=pa_csv.ReadOptions(autogenerate_column_names=True),
            parse_options=pa_csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
            convert_options=pa_csv.ConvertOptions(
                column_types={f"f{place}": pa.string() for place in range(width)}
            ),
        )
    first = tuple(str(column[0].as_py()).strip(cells.WHITESPACE) for column in table.columns)
    if header == "absent" or (header == "auto" and not _is_header(path, first, table)):
        return None, table
    if len(set(first)) < len(first) or "" in first:
        bad = next((name for name in first if not name or first.count(name) > 1), "")
        raise UserError(
            f"{path.name}: row 1: the header has the name {bad!r} "
            f"{'twice' if bad else '(an empty one)'}; give every column its own name, "
            "or set header=absent"
        )
    # Column names are set alike so that files concatenate by position.
    return first, table.slice(1)


def _is_header(path: Path, first: tuple[str, ...], table: pa.Table) -> bool:
    """Tell whether row 1 names columns: distinct words, none of them data by its look."""
    if any(name in cells.MISSING or cells.is_number(name) for name in first):
        return False
    if len(set(first)) < len(first):
        return False
    sample = [column.slice(1, 100).to_pylist() for column in table.columns]
    if any(any(cells.is_number(c.strip(cells.WHITESPACE)) for c in column) for column in sample):
        return True
    if any(cells.is_boolean(name) for name in first):
        return False
    raise UserError(
        f"{path.name}: cannot tell whether row 1 is a header, as no column holds numbers; "
        "set the hyperparameter header to present or absent"
    )


def align(table: Table, like: Table) -> Table:
    """Return `table` with its columns in the order of `like`'s header.

    Raises
    ------
    UserError
        The two do not have the same columns.
    """
    first, theirs = like.sources[0].path.name, table.sources[0].path.name
    order = _order(theirs, table.names, first, like.names)
    if len(table.columns) != len(like.columns):
        raise UserError(
            f"{theirs}: {len(table.columns)} columns, but {first} has {len(like.columns)}; "
            "every channel needs the same columns"
        )
    order = order or list(range(len(table.columns)))
    return replace(table, names=like.names, columns=tuple(table.columns[p] for p in order))


def _order(
    file: str, own: tuple[str, ...] | None, first: str, names: tuple[str, ...] | None
) -> list[int]:
    """Find where each of the first file's names stands in another file; [] without header."""
    if own is None and names is None:
        return []
    if own is None or names is None or set(own) != set(names):
        theirs = "no header" if own is None else f"the header {', '.join(own)}"
        ours = "none" if names is None else ", ".join(names)
        raise UserError(
            f"{file}: row 1: {theirs:.300}, but {first} has {ours:.300}; every file needs the "
            "same columns, and a header in all or in none"
        )
    return [own.index(name) for name in names]


@contextmanager
def _located(path: Path, delimiter: str) -> Iterator[None]:
    """Turn Arrow's faults into ones that name the row."""
    try:
        yield
    except StopIteration:
        raise UserError(f"{path.name}: only empty lines; expected rows of data") from None
    except (pa.ArrowInvalid, UnicodeDecodeError, csv.Error) as error:
        raise _explain(path, delimiter, error) from error


def _explain(path: Path, delimiter: str, error: Exception) -> UserError:
    width = None
    line = 0
    try:
        for line, record in _records(path, delimiter):
            width = width or len(record)
            if len(record) != width:
                return UserError(
                    f"{path.name}: row {line}: {len(record)} values, but the first row has "
                    f"{width}; a cell that holds {delimiter!r} needs double quotes around it"
                )
    except UnicodeDecodeError as fault:
        where = path.read_bytes().count(b"\n", 0, _offset_of(path, fault)) + 1
        return UserError(f"{path.name}: row {where}: not UTF-8 text; save the file as UTF-8")
    except csv.Error as fault:
        return UserError(f"{path.name}: row {line + 1}: {fault}; mend the quoting of this row")
    return UserError(f"{path.name}: cannot be read as CSV: {str(error).splitlines()[0]:.300}")


def _offset_of(path: Path, fault: UnicodeDecodeError) -> int:
    """Find the first undecodable byte; the fault's own offset is within a read buffer."""
    try:
        path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as whole:
        return whole.start
    return fault.start


def _records(path: Path, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Yield (line, cells) of each record, empty lines left out as Arrow does."""
    with path.open(encoding="utf-8-sig", newline="") as lines:
        reader = csv.reader(lines, delimiter=delimiter)
        for record in reader:
            if record:
                yield reader.line_num, record


def _line_of(source: Source, index: int, delimiter: str) -> int:
    skip = index + source.header
    for place, (line, _) in enumerate(_records(source.path, delimiter)):
        if place == skip:
            return line
    return skip + 1
