"""Rows of plain text read in one go: the quick way of the encoder, for text it is sure about.

Each cell is turned into the text of a number, categories and words by a table compiled from the
schema, and one JSON parser reads all of them: a tenth of the time that float() takes a cell.
JSON's numbers are some of those of `tabular.cells`, rounded alike, and what is none of them is
left to the encoder's strict way, which alone tells what is wrong with a cell.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import orjson

from churn_daal.tabular import cells
from churn_daal.tabular.schema import Column, Schema

Matrix = npt.NDArray[np.float32]

_NUMERIC: Final = b"0123456789+-.eE ,"
_MISSING: Final = re.compile(
    rb"(?<![^,])(?:%b)(?![^,])" % b"|".join(sorted(word.encode() for word in cells.MISSING if word))
)
_NO_CODE: Final = b""


@dataclass(frozen=True)
class _Words:
    """A column that is not of numbers: its place, where its codes begin, and their table."""

    column: Column
    place: int
    offset: int
    codes: Mapping[str, int]
    # By the bytes of a cell: the code as JSON, nothing where it has none.
    table: Mapping[bytes, bytes]

    def read(self, found: list[bytes], unseen: dict[int, int]) -> list[bytes]:
        """Return the codes of the column's cells; what training has not seen is counted.

        Raises
        ------
        ValueError
            A cell is not UTF-8, or breaks the column's grammar.
        """
        try:
            return [*map(self.table.__getitem__, found)]
        except KeyError:
            return [self.table.get(cell) or self._read(cell, unseen) for cell in found]

    def _read(self, cell: bytes, unseen: dict[int, int]) -> bytes:
        text = cell.decode()
        if self.column.kind == "boolean":
            [value] = cells.booleans([text])
            return _NO_CODE if math.isnan(value) else b"%d" % value
        category = cells.category(text)
        code = self.codes.get(category or "")
        if code is not None:
            return b"%d" % code
        if category is not None:
            unseen[self.place] = unseen.get(self.place, 0) + 1
        return _NO_CODE


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
        self._words: list[_Words] = []
        # First and last raw column, and matrix column, of those that are a number each.
        self._runs: list[tuple[int, int, int]] = []
        start = offset = first = 0
        for place, (column, table) in enumerate(zip(schema.columns, codes, strict=True)):
            if column.kind != "number":
                self._words.append(_Words(column, place, offset, table, _table(column, table)))
            if column.encoding == "onehot":
                self._runs.append((start, place, first))
                start, first = place + 1, offset + column.width
            offset += column.width
        self._runs.append((start, self._cells, first))

    def read(self, text: bytes, unseen: dict[int, int]) -> Matrix | None:
        """Encode lines that end with LF; the last may lack it.

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
        text = text.removesuffix(b"\n")
        ends = text.translate(None, self._others)
        rows = len(ends) // self._cells + 1
        if ends != (self._pattern * rows)[:-1] or b'"' in text or b"\r" in text:
            return None
        found: dict[int, int] = {}
        if self._words:
            listed = text.replace(b"\n", self._delimiter).split(self._delimiter)
            try:
                for words in self._words:
                    column = slice(words.place, None, self._cells)
                    listed[column] = words.read(listed[column], found)
            except ValueError:
                return None
            numbers = b",".join(listed)
        else:
            numbers = text.replace(b"\n", b",").replace(self._delimiter, b",")
        values = _values(numbers, rows, self._cells)
        if values is None:
            return None
        for place, count in found.items():
            unseen[place] = unseen.get(place, 0) + count
        return self._spread(values)

    def _spread(self, values: Matrix) -> Matrix:
        """Write one-hot codes as the columns they stand for."""
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


def _values(numbers: bytes, rows: int, columns: int) -> Matrix | None:
    """Read numbers between commas; None where one is not JSON's, or beyond float32."""
    # Letters but e would be JSON's true and null, quotes its texts, brackets its lists.
    if numbers.translate(None, _NUMERIC):
        numbers = _MISSING.sub(b"", numbers)
        if numbers.translate(None, _NUMERIC):
            return None
    text = b"[%b]" % numbers
    # JSON's integers have no negative zero.
    if b"-" in text and any(zero in text for zero in (b"-0,", b"-0]", b"-0 ")):
        return None
    try:
        try:
            values = orjson.loads(text)
        except orjson.JSONDecodeError:
            # Searched for only now: that takes as long as to parse.
            values = orjson.loads(_with_nulls(text))
        if len(values) != rows * columns:
            return None
        with np.errstate(over="raise"):
            # By way of float64, as every number is; None becomes NaN.
            return np.fromiter(values, np.float32, len(values)).reshape(rows, columns)
    except (orjson.JSONDecodeError, FloatingPointError):
        return None


def _with_nulls(text: bytes) -> bytes:
    # Twice: the second comma of two is the first of the next two.
    text = text.replace(b",,", b",null,").replace(b",,", b",null,")
    return text.replace(b"[,", b"[null,").replace(b",]", b",null]")


def _table(column: Column, codes: Mapping[str, int]) -> dict[bytes, bytes]:
    if column.kind == "boolean":
        words = {"": _NO_CODE, "1": b"1", "0": b"0"}
        for word in cells.TRUE | cells.FALSE:
            for text in (word, word.upper(), word.capitalize()):
                words[text] = b"1" if word in cells.TRUE else b"0"
    else:
        # Some texts are another category than they say, see `cells.category`.
        words = {text: b"%d" % code for text, code in codes.items() if cells.category(text) == text}
        words.setdefault("", b"%d" % codes[""] if "" in codes else _NO_CODE)
    return {text.encode(): code for text, code in words.items()}
