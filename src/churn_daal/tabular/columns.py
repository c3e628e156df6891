"""Columns as they are read: numbers as float32, everything else as codes of distinct texts.

Four bytes a cell, whatever the file's format, and nothing is decided for good before the last
row: a column that turns out to hold text is read again as text, since a number does not tell
how it was written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from churn_daal.tabular import cells
from churn_daal.tabular.number_texts import distinct_texts

Numbers = NDArray[np.float32]
Codes = NDArray[np.int32]
# The row of a cell that other hosts hold.
ELSEWHERE: Final = -1
_MISSING: Final = pa.array(sorted(cells.MISSING))


class TextColumn:
    """A column of texts: its distinct trimmed cells, first come first.

    Attributes
    ----------
    distinct
        The cells.
    counts
        How many rows hold each.
    first
        The 0-based row where each stands first.
    """

    def __init__(self) -> None:
        self._codes: dict[str, int] = {}
        self._counts = np.zeros(0, dtype=np.int64)
        self._first = np.zeros(0, dtype=np.int64)

    @property
    def distinct(self) -> list[str]:
        """The distinct cells, in order of their codes."""
        return list(self._codes)

    @property
    def counts(self) -> NDArray[np.int64]:
        """Rows of each distinct cell."""
        return self._counts

    @property
    def first(self) -> NDArray[np.int64]:
        """First row of each distinct cell."""
        return self._first

    def add(self, texts: pa.Array, row: int) -> Codes:
        """Take the next cells, of which the first stands in `row`; return their codes."""
        coded = pc.fill_null(texts, "").dictionary_encode()
        places = np.empty(len(coded.dictionary), dtype=np.int32)
        known = self._codes
        for place, cell in enumerate(coded.dictionary.to_pylist()):
            places[place] = known.setdefault(cell.strip(cells.WHITESPACE), len(known))
        codes: Codes = places[coded.indices.to_numpy()]
        grown = len(known) - len(self._counts)
        if grown:
            new, at = np.unique(codes, return_index=True)
            fresh = at[new >= len(self._counts)]
            self._first = np.concatenate([self._first, row + fresh.astype(np.int64)])
            self._counts = np.concatenate([self._counts, np.zeros(grown, dtype=np.int64)])
        self._counts += np.bincount(codes, minlength=len(known))
        return codes

    @classmethod
    def of(
        cls, distinct: Sequence[str], counts: NDArray[np.int64], first: NDArray[np.int64]
    ) -> TextColumn:
        """Return a column of cells that are known already."""
        column = cls()
        column._codes = {cell: code for code, cell in enumerate(distinct)}
        column._counts, column._first = counts, first
        return column

    def absorb(self, distinct: Sequence[str], counts: Sequence[int]) -> None:
        """Add what other hosts hold of the column; the codes of cells known here stay.

        The first row of a cell that only others hold is `ELSEWHERE`.
        """
        for cell in distinct:
            self._codes.setdefault(cell, len(self._codes))
        grown = len(self._codes) - len(self._counts)
        self._counts = np.concatenate([self._counts, np.zeros(grown, dtype=np.int64)])
        self._first = np.concatenate([self._first, np.full(grown, ELSEWHERE, dtype=np.int64)])
        places = [self._codes[cell] for cell in distinct]
        self._counts[places] += np.asarray(counts, dtype=np.int64)


class NumberColumn:
    """A column of numbers."""


def as_texts(array: pa.Array) -> pa.Array:
    """Return a column's cells as a CSV would hold them; null stays missing."""
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if pa.types.is_string(array.type):
        return array
    if pa.types.is_floating(array.type):
        texts, codes = distinct_texts(array.to_numpy(zero_copy_only=False))
        return pa.array(texts, pa.string()).take(pa.array(codes))
    texts = pc.cast(array, pa.string())
    if pa.types.is_decimal(array.type) and array.type.scale > 0:
        # The zeros are the type's, not the cell's.
        return pc.utf8_rtrim(pc.utf8_rtrim(texts, "0"), ".")
    if pa.types.is_timestamp(array.type):
        return pc.replace_substring_regex(texts, r"\.0+(Z?)$", r"\1")
    return texts


def quick_numbers(texts: pa.Array) -> Numbers | None:
    """Read plain numbers at Arrow's speed; None where the cells' own grammar must decide."""
    trimmed = pc.ascii_trim(texts, characters=cells.WHITESPACE)
    absent = pc.or_kleene(pc.is_null(trimmed), pc.is_in(trimmed, value_set=_MISSING))
    try:
        values = pc.cast(pc.if_else(absent, None, trimmed), pa.float64())
    except pa.ArrowInvalid:
        return None
    return plain(values, absent.to_numpy(zero_copy_only=False))


def plain(values: pa.Array, absent: NDArray[np.bool_]) -> Numbers | None:
    """Return float64 values as float32; None if one that is not absent is no finite number.

    Arrow also reads "inf" and odd spellings of "nan", and float32 may overflow.
    """
    with np.errstate(over="ignore"):
        read: Numbers = values.to_numpy(zero_copy_only=False).astype(np.float32)
    return read if bool(np.all(np.isfinite(read) | absent)) else None


def plain_columns(columns: Mapping[int, pa.Array]) -> dict[int, Numbers]:
    """Return those float64 columns that `plain` takes, null as NaN, as rows of one array.

    Once for a block and not for each of its columns: a block has few rows, and a call of NumPy
    costs as much as converting some hundreds of cells.
    """
    if not columns:
        return {}
    read: Numbers = np.empty((len(columns), len(next(iter(columns.values())))), np.float32)
    with np.errstate(over="ignore"):
        for row, values in zip(read, columns.values(), strict=True):
            row[:] = values.to_numpy(zero_copy_only=False)
    rows = dict(zip(columns, read, strict=True))
    if np.isfinite(read).all():
        return rows
    absent = {p: np.asarray(values.is_null()) for p, values in columns.items()}
    return {p: row for p, row in rows.items() if bool(np.all(np.isfinite(row) | absent[p]))}


def slow_numbers(texts: pa.Array) -> Numbers:
    """Read cells by the grammar of cells.

    Raises
    ------
    CellError
        A cell is no number; `index` is its place.
    """
    coded = pc.fill_null(texts, "").dictionary_encode()
    codes = coded.indices.to_numpy()
    try:
        values = np.asarray(cells.numbers(coded.dictionary.to_pylist()), dtype=np.float32)
    except cells.CellError as fault:
        raise cells.CellError(int(np.argmax(codes == fault.index)), fault.reason) from None
    read: Numbers = values[codes]
    return read


def typed_numbers(array: pa.Array) -> Numbers | None:
    """Return a typed column of numbers as float32, null and NaN as NaN.

    None where the type is no number or a value is beyond float32.
    """
    kind = array.type
    if pa.types.is_null(kind):
        return np.full(len(array), np.nan, dtype=np.float32)
    number = pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_decimal(kind)
    if not number:
        return None
    if pa.types.is_decimal(kind):
        # Arrow's cast to float64 is not correctly rounded and needs spare digits.
        array = pc.cast(array, pa.string())
    wide = pc.cast(array, pa.float64(), safe=False)
    read: NDArray[Any] = wide.to_numpy(zero_copy_only=False)
    return plain(wide, np.isnan(read))
