"""Reads a channel's CSV files into one table."""

from __future__ import annotations

import csv
import logging
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pa_csv

from churn_daal.errors import UserError
from churn_daal.tabular import cells
from churn_daal.tabular.csv_lines import find_fault, records
from churn_daal.tabular.header import Header, is_header
from churn_daal.tabular.table import Source, Table, match_columns

log = logging.getLogger(__name__)
# Rows below the first that tell a header from data.
SAMPLE = 100


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


def read_csv(
    files: Sequence[Path],
    *,
    header: Header = "auto",
    delimiter: str = ",",
    known: tuple[str, ...] | None = None,
) -> Table:
    """Read CSV files (UTF-8, one header or none in each alike) into one table.

    Parameters
    ----------
    files
        At least one.
    header
        Whether row 1 of each names the columns; `auto` looks (see `is_header`).
    delimiter
        One character.
    known
        Another channel's header: the same names in row 1 are one.

    Raises
    ------
    UserError
        Naming file and row: not UTF-8, a ragged row, no data row, headers that differ.
    """
    names: tuple[str, ...] | None = None
    tables: list[pa.Table] = []
    sources: list[Source] = []
    first_width = 0
    for path in files:
        own_names, table = _read_file(path, header, delimiter, names or known)
        width = len(table.columns)
        if not tables:
            names, first_width = own_names, width
        order = match_columns(path.name, own_names or width, files[0].name, names or first_width)
        # Names are set alike, so that the files' tables concatenate by position.
        tables.append(table.select(order).rename_columns(table.column_names))
        sources.append(Source(path, table.num_rows, own_names is not None, tuple(order)))
    whole = pa.concat_tables(tables)
    if not whole.num_rows:
        raise UserError(f"{files[0].name}: a header but no data rows")
    log.info(
        "read %d rows of %d columns from %d file(s), header %s",
        *(whole.num_rows, len(whole.columns), len(files), "present" if names else "absent"),
    )
    return Table(names, tuple(whole.columns), tuple(sources), delimiter)


def _read_file(
    path: Path, header: Header, delimiter: str, known: tuple[str, ...] | None
) -> tuple[tuple[str, ...] | None, pa.Table]:
    table = _read_cells(path, delimiter)
    first = tuple(str(column[0].as_py()).strip(cells.WHITESPACE) for column in table.columns)
    present = header == "present"
    if header == "auto":
        present = is_header(path.name, first, table.slice(1, SAMPLE), known)
    if not present:
        return None, table
    if len(set(first)) < len(first) or "" in first:
        bad = next((name for name in first if not name or first.count(name) > 1), "")
        raise UserError(
            f"{path.name}: row 1: the header has the name {bad!r} "
            f"{'twice' if bad else '(an empty one)'}; give every column its own name, "
            "or set header=absent"
        )
    return first, table.slice(1)


def _read_cells(path: Path, delimiter: str) -> pa.Table:
    """Read a file's cells as text, its header as a row."""
    try:
        width = len(next(records(path, delimiter))[1])
        table = _parse(path, width, delimiter)
    except StopIteration:
        raise UserError(f"{path.name}: only empty lines; expected rows of data") from None
    except (pa.ArrowInvalid, UnicodeDecodeError, csv.Error) as error:
        fault = find_fault(path, delimiter)
        if fault is not None:
            raise fault from error
        # Arrow wants a line break after a single row, and each row within one block.
        data = path.read_bytes() + b"\n"
        try:
            table = _parse(pa.BufferReader(data), width, delimiter, block_size=len(data))
        except pa.ArrowInvalid as again:
            reason = str(again).splitlines()[0]
            raise UserError(f"{path.name}: cannot be read as CSV: {reason:.300}") from again
    if any("\n" in column[-1].as_py() for column in table.columns):
        # Arrow reads on to the end of the file where a quote is not closed.
        fault = find_fault(path, delimiter)
        if fault is not None:
            raise fault
    return table


def _parse(
    file: Path | pa.BufferReader, width: int, delimiter: str, block_size: int | None = None
) -> pa.Table:
    return pa_csv.read_csv(
        file,
        read_options=pa_csv.ReadOptions(autogenerate_column_names=True, block_size=block_size),
        parse_options=pa_csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
        convert_options=pa_csv.ConvertOptions(
            column_types={f"f{place}": pa.string() for place in range(width)}
        ),
    )
