"""Rows of plain cells read in one go: the quick way of the encoder, for what it is sure about.

Categories and words become numbers by a table compiled from the schema. Text is then read by one
JSON parser, which takes a tenth of the time that float() does: JSON's numbers are some of those of
`tabular.cells`, rounded alike. What is none of them is left to the encoder's strict way, which
alone tells what is wrong with a cell.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import chain
from types import NoneType
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import orjson

from churn_daal.tabular import cells
from churn_daal.tabular.number_arrays import has_bare_negative_zero, lines_of, number_array
from churn_daal.tabular.quotes import unquoted
from churn_daal.tabular.schema import Schema
from churn_daal.tabular.word_codes import Words

Matrix = npt.NDArray[np.float32]

# Bytes of numbers from which on an array is read at once.
_LONG: Final = 1 << 11
_NUMERIC: Final = b"0123456789+-.eE ,"
_MISSING: Final = re.compile(
    rb"(?<![^,])(?:%b)(?![^,])" % b"|".join(sorted(word.encode() for word in cells.MISSING if word))
)
_NUMBERS: Final = frozenset({float, int, NoneType})


class PlainRows:
    """Reads rows of a schema's columns in their order.

    Parameters
    ----------
    schema
        The columns.
    codes
        The code of each category of each column, by its text.
    """

    def __init__(self, schema: Schema, codes: Sequence[Mapping[str, int]]) -> None:
        self._width, self._cells = schema.width, len(schema.columns)
        self._delimiter = schema.delimiter.encode()
        self._pattern = self._delimiter * (self._cells - 1) + b"\n"
        self._others = bytes(set(range(256)) - set(self._delimiter + b"\n"))
        self._words: list[Words] = []
        # First and last raw column, and matrix column, of those that are a number each.
        self._runs: list[tuple[int, int, int]] = []
        start = offset = first = 0
        for place, (column, table) in enumerate(zip(schema.columns, codes, strict=True)):
            if column.kind != "number":
                self._words.append(Words.of(column, place, offset, table))
            if column.encoding == "onehot":
                self._runs.append((start, place, first))
                start, first = place + 1, offset + column.width
            offset += column.width
        self._runs.append((start, self._cells, first))

    def of_text(self, text: bytes, unseen: dict[int, int]) -> Matrix | None:
        """Encode lines that end with LF or CRLF; the last may lack it.

        Parameters
        ----------
        text
            Some bytes that are hoped to be UTF-8.
        unseen
            Cells whose category training has not seen, by the column's place; added to where an
            answer is given.

        Returns
        -------
        C-contiguous float32 (n, schema.width) as `Encoder.from_text` makes it; None where the
        text is not plain enough to be sure of that.
        """
        if not text:
            return None
        if b"\r" in text:
            text = text.replace(b"\r\n", b"\n")
        text = text.removesuffix(b"\n")
        plain = unquoted(text, self._delimiter) if b'"' in text else text
        rows = None if plain is None else self._lines(plain)
        if plain is None or rows is None or b"\r" in plain:
            return None
        text = plain
        new: dict[int, int] = {}
        if self._words:
            listed = text.replace(b"\n", self._delimiter).split(self._delimiter)
            try:
                for words in self._words:
                    column = slice(words.place, None, self._cells)
                    listed[column] = words.of_texts(listed[column], new)
            except ValueError:
                return None
            text = b",".join(listed)
        else:
            text = text.replace(b"\n", b",")
            if self._delimiter != b",":
                text = text.replace(self._delimiter, b",")
        values = _read(text, rows * self._cells)
        return None if values is None else self._encoded(values, new, unseen)

    def _lines(self, text: bytes) -> int | None:
        """Return how many lines a text has; None if one has not as many cells as columns."""
        if len(text) > _LONG and len(self._delimiter) == 1:
            return lines_of(self._cells, text, self._delimiter)
        ends = text.translate(None, self._others)
        rows = len(ends) // self._cells + 1
        return rows if ends == (self._pattern * rows)[:-1] else None

    def of_values(self, rows: Sequence[Sequence[Any]], unseen: dict[int, int]) -> Matrix | None:
        """Encode rows of JSON values, each of the schema's length; see `of_text`.

        Returns
        -------
        As `Encoder.from_json` makes it, or None.
        """
        listed = [*chain.from_iterable(rows)]
        new: dict[int, int] = {}
        try:
            for words in self._words:
                column = slice(words.place, None, self._cells)
                listed[column] = words.of_values(listed[column], new)
        except (ValueError, TypeError):
            return None
        if not _NUMBERS.issuperset(map(type, listed)):
            return None
        values = _floats(listed, len(rows) * self._cells)
        return None if values is None else self._encoded(values, new, unseen)

    def _encoded(self, values: Matrix, new: dict[int, int], unseen: dict[int, int]) -> Matrix:
        for place, count in new.items():
            unseen[place] = unseen.get(place, 0) + count
        values = values.reshape(-1, self._cells)
        if self._width == self._cells and len(self._runs) == 1:
            return values
        matrix = np.zeros((len(values), self._width), dtype=np.float32)
        for start, stop, first in self._runs:
            if stop > start:
                matrix[:, first : first + stop - start] = values[:, start:stop]
        for words in self._words:
            if words.column.encoding == "onehot":
                _set_ones(matrix, values[:, words.place], words.offset)
        return matrix


def _read(text: bytes, count: int) -> Matrix | None:
    """Return so many numbers between commas as float32, (count,); None if one is not plain."""
    if len(text) > _LONG:
        values = number_array(text, count)
        if values is not None:
            return values
    numbers = _parsed(text)
    values = None if numbers is None else _floats(numbers, count)
    if numbers is None or values is None or (b"-" in text and _lost_sign(text, numbers, values)):
        return None
    return values


def _floats(numbers: Sequence[float | None], count: int) -> Matrix | None:
    """Return so many numbers as float32, (count,); None if it is another count or one overflows."""
    if len(numbers) != count:
        return None
    try:
        with np.errstate(over="raise"):
            # By way of float64, as every number is; None becomes NaN.
            return np.fromiter(numbers, np.float32, count)
    except (FloatingPointError, OverflowError):
        return None


def _set_ones(matrix: Matrix, codes: Matrix, offset: int) -> None:
    """Set the column of each row's code, none for NaN."""
    if len(codes) == 1:
        # Most requests are one row, which costs a tenth this way.
        [code] = codes.tolist()
        if code == code:  # noqa: PLR0124 - NaN
            matrix[0, offset + int(code)] = 1.0
        return
    rows = np.flatnonzero(codes == codes)  # noqa: PLR0124
    matrix[rows, offset + codes[rows].astype(np.intp)] = 1.0


def _parsed(text: bytes) -> list[Any] | None:
    """Read numbers between commas; None where one is not JSON's."""
    # Letters but e would be JSON's true and null, quotes its texts, brackets its lists.
    if text.translate(None, _NUMERIC):
        text = _MISSING.sub(b"", text)
        if text.translate(None, _NUMERIC):
            return None
    text = b"[%b]" % text
    numbers: list[Any]
    try:
        try:
            numbers = orjson.loads(text)
        except orjson.JSONDecodeError:
            # Searched for only now: that takes as long as to parse.
            numbers = orjson.loads(_with_nulls(text))
    except orjson.JSONDecodeError:
        return None
    return numbers


def _lost_sign(text: bytes, numbers: list[Any], values: Matrix) -> bool:
    """Tell whether one of the numbers has lost its sign; see `has_bare_negative_zero`."""
    # To search the text takes a tenth of what all else does.
    if np.count_nonzero(values) == len(values):
        return False
    zeros = np.flatnonzero(values == 0).tolist()
    if not any(type(numbers[place]) is int for place in zeros):
        return False
    return has_bare_negative_zero(text)


def _with_nulls(text: bytes) -> bytes:
    # Twice: the second comma of two is the first of the next two.
    text = text.replace(b",,", b",null,").replace(b",,", b",null,")
    return text.replace(b"[,", b"[null,").replace(b",]", b",null]")
