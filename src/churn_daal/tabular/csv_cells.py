"""The csv module's reader as training and serving both use it."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from _csv import Reader

MOST_CHARACTERS: Final = 2**31 - 1


def reader(lines: Iterable[str], delimiter: str, *, strict: bool) -> Reader:
    """Return the csv module's reader without its limit of 131,072 characters a cell."""
    # A limit of the whole process; that of the files and bodies themselves is set elsewhere.
    csv.field_size_limit(MOST_CHARACTERS)
    return csv.reader(lines, delimiter=delimiter, strict=strict)
