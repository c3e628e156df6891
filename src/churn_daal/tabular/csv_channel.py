"""Reads a channel's CSV files into one table."""

from __future__ import annotations

import csv
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import pyarrow as pa
import pyarrow.csv as pa_csv

from churn_daal.errors import UserError
from churn_daal.tabular import cells
from churn_daal.tabular.csv_lines import explain, records
from churn_daal.tabular.table import Source, Table, match_columns

Header = Literal["auto", "present", "absent"]
log = logging.getLogger(__name__)


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
    first_width = 0
    for path in files:
        own_names, table = _read_file(path, header, delimiter)
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
    path: Path, header: Header, delimiter: str
) -> tuple[tuple[str, ...] | None, pa.Table]:
    with _located(path, delimiter):
        width = len(next(records(path, delimiter))[1])
        table = pa_csv.read_csv(
            path,
            read_options=pa_csv.ReadOptions(autogenerate_column_names=True),
            parse_options=pa_csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
            convert_options=pa_csv.ConvertOptions(
                column_types={f"f{place}": pa.string() for place in range(width)}
            ),
        )
        if any("\n" in column[-1].as_py() for column in table.columns):
            # Arrow reads on to the end of the file where a quote is not closed.
            for _ in records(path, delimiter, strict=True):
                pass
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


@contextmanager
def _located(path: Path, delimiter: str) -> Iterator[None]:
    """Turn Arrow's faults into ones that name the row."""
    try:
        yield
    except StopIteration:
        raise UserError(f"{path.name}: only empty lines; expected rows of data") from None
    except (pa.ArrowInvalid, UnicodeDecodeError, csv.Error) as error:
        raise explain(path, delimiter, error) from error
