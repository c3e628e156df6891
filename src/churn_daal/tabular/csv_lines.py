"""Walks a CSV file line by line to name a place in it.

Arrow reads fast but does not tell where it stopped or which line a row stood on; these walks
do, and happen only when there is a fault to report.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator
from pathlib import Path

from churn_daal.errors import UserError
from churn_daal.tabular.csv_cells import reader
from churn_daal.tabular.files import open_bytes


def records(
    path: Path, delimiter: str, *, strict: bool = False, charset: str = "utf-8"
) -> Iterator[tuple[int, list[str]]]:
    """Yield (line, cells) of each record, empty lines left out as Arrow does."""
    with open_bytes(path) as raw, io.TextIOWrapper(raw, _signed(charset), newline="") as lines:
        rows = reader(lines, delimiter, strict=strict)
        for record in rows:
            if record:
                yield rows.line_num, record


def line_of(path: Path, index: int, delimiter: str, charset: str = "utf-8") -> int:
    """Return the line, from 1, of a file's record with a 0-based index."""
    for place, (line, _) in enumerate(records(path, delimiter, charset=charset)):
        if place == index:
            return line
    return index + 1


def find_fault(path: Path, delimiter: str, charset: str = "utf-8") -> UserError | None:
    """Find the row at which a file stops being CSV; None where every row is one."""
    width = None
    line = 0
    try:
        for line, record in records(path, delimiter, strict=True, charset=charset):
            width = width or len(record)
            if len(record) != width:
                return UserError(
                    f"{path.name}: row {line}: {len(record)} values, but the first row has "
                    f"{width}; a cell that holds {delimiter!r} needs double quotes around it"
                )
    except UnicodeDecodeError:
        return UserError(
            f"{path.name}: row {_undecodable_line(path, charset)}: not UTF-8 text; save the file "
            "as UTF-8"
        )
    except csv.Error as fault:
        return UserError(f"{path.name}: row {line + 1}: {fault}; mend the quoting of this row")
    return None


def _undecodable_line(path: Path, charset: str) -> int:
    """Find the first line that does not decode: a reader's buffer holds many."""
    line = 0
    with open_bytes(path) as raw, io.BufferedReader(raw) as lines:
        for line, data in enumerate(lines, start=1):
            try:
                data.decode(charset)
            except UnicodeDecodeError:
                return line
    return line


def _signed(charset: str) -> str:
    """Return the character set that also passes over a byte order mark."""
    return "utf-8-sig" if codecs.lookup(charset).name in {"utf-8", "ascii"} else charset
