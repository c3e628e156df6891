"""Walks a CSV file line by line to name a place in it.

Arrow reads fast but does not tell where it stopped or which line a row stood on; these walks
do, and happen only when there is a fault to report.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from churn_daal.errors import UserError

if TYPE_CHECKING:
    from _csv import Reader

MOST_CHARACTERS: Final = 2**31 - 1


def reader(lines: Iterable[str], delimiter: str, *, strict: bool) -> Reader:
    """Return the csv module's reader without its limit of 131,072 characters a cell."""
    # A limit of the whole process; that of the files and bodies themselves is set elsewhere.
    csv.field_size_limit(MOST_CHARACTERS)
    return csv.reader(lines, delimiter=delimiter, strict=strict)


def records(path: Path, delimiter: str, *, strict: bool = False) -> Iterator[tuple[int, list[str]]]:
    """Yield (line, cells) of each record, empty lines left out as Arrow does."""
    with path.open(encoding="utf-8-sig", newline="") as lines:
        rows = reader(lines, delimiter, strict=strict)
        for record in rows:
            if record:
                yield rows.line_num, record


def line_of(path: Path, index: int, delimiter: str) -> int:
    """Return the line, from 1, of a file's record with a 0-based index."""
    for place, (line, _) in enumerate(records(path, delimiter)):
        if place == index:
            return line
    return index + 1


def find_fault(path: Path, delimiter: str) -> UserError | None:
    """Find the row at which a file stops being CSV; None where every row is one."""
    width = None
    line = 0
    try:
        for line, record in records(path, delimiter, strict=True):
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
    return None


def _offset_of(path: Path, fault: UnicodeDecodeError) -> int:
    """Find the first undecodable byte; the fault's own offset is within a read buffer."""
    try:
        path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as whole:
        return whole.start
    return fault.start
