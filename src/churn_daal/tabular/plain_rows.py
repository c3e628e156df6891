"""Rows of plain cells read in one go: the quick way of the encoder, for what it is sure about.

Categories and words become numbers by a table compiled from the schema. Text is then read by one
JSON parser, which takes a tenth of the time that float() does: JSON's numbers are some of those of
`tabular.cells`, rounded alike. What is none of them is left to the encoder's strict way, which
alone tells what is wrong with a cell.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from types import NoneType
from typing import Any, Final

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
_NUMBERS: Final = frozenset({float, int, NoneType})


@dataclass(frozen=True)
class _Words:
    """A column that is not of numbers: its place, where its codes begin, and their tables."""

    column: Column
    place: int
    offset: int
    codes: Mapping[str, int]
    # What most cells are, None for missing; and as JSON by the bytes of a text.
    values: Mapping[str | bool | None, int | None]
    texts: Mapping[bytes, bytes]

    @classmethod
    def of(cls, column: Column, place: int, offset: int, codes: Mapping[str, int]) -> _Words:
        values: dict[str | bool | None, int | None]
        if column.kind == "boolean":
            values = {"": None, "1": 1, "0": 0, True: 1, False: 0}
            for word in cells.TRUE | cells.FALSE:
                code = int(word in cells.TRUE)
                values |= dict.fromkeys((word, word.upper(), word.capitalize()), code)
        else:
            # Some texts are another category than they say, see `cells.category`.
            values = {text: code for text, code in codes.items() if cells.category(text) == text}
            values[""] = codes.get("")
        texts = {
            text.encode(): _text(code) for text, code in values.items() if isinstance(text, str)
        }
        return cls(column, place, offset, codes, values | {None: values[""]}, texts)

    def of_texts(self, found: list[bytes], unseen: dict[int, int]) -> list[bytes]:
        """Return the codes of a column's cells as JSON; what training has not seen is counted.

        Raises
        ------
        ValueError
            A cell is not UTF-8, or breaks the column's grammar.
        """
        try:
            return [*map(self.texts.__getitem__, found)]
        except KeyError:
            known = self.texts.get
            return [known(cell) or _text(self._code(cell.decode(), unseen)) for cell in found]

    def of_values(self, found: list[Any], unseen: dict[int, int]) -> list[int | None]:
        """Return the codes of JSON's values, None for missing; see `of_texts`.

        Raises
        ------
        ValueError, TypeError
            A value breaks the column's grammar.
        """
        known = self.values
        try:
            return [*map(known.__getitem__, found)]
        except KeyError:
            return [known[x] if x in known else self._code(x, unseen) for x in found]

    def _code(self, cell: Any, unseen: dict[int, int]) -> int | None:  # noqa: ANN401 - JSON's
        if self.column.kind == "boolean":
            [value] = cells.booleans([cell])
            return None if math.isnan(value) else int(value)
        [text] = cells.json_categories([cell])
        category = cells.category(text)
        code = self.codes.get(category or "")
        if code is None and category is not None:
            unseen[self.place] = unseen.get(self.place, 0) + 1
        return code


def _text(code: int | None) -> bytes:
    return b"" if code is None else b"%d" % code


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
                self._words.append(_Words.of(column, place, offset, table))
            if column.encoding == "onehot":
                self._runs.append((start, place, first))
                start, first = place + 1, offset + column.width
            offset += column.width
        self._runs.append((start, self._cells, first))

    def of_text(self, text: bytes, unseen: dict[int, int]) -> Matrix | None:
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
        if not text:
            return None
        text = text.removesuffix(b"\n")
        ends = text.translate(None, self._others)
        rows = len(ends) // self._cells + 1
        if ends != (self._pattern * rows)[:-1] or b'"' in text or b"\r" in text:
            return None
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
            text = text.replace(b"\n", b",").replace(self._delimiter, b",")
        numbers = _parsed(text)
        return None if numbers is None else self._encoded(numbers, rows, new, unseen)

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
        return self._encoded(listed, len(rows), new, unseen)

    def _encoded(
        self, numbers: list[Any], rows: int, new: dict[int, int], unseen: dict[int, int]
    ) -> Matrix | None:
        if len(numbers) != rows * self._cells:
            return None
        try:
            with np.errstate(over="raise"):
                # By way of float64, as every number is; None becomes NaN.
                values = np.fromiter(numbers, np.float32, len(numbers))
        except (FloatingPointError, OverflowError):
            return None
        for place, count in new.items():
            unseen[place] = unseen.get(place, 0) + count
        return self._spread(values.reshape(rows, self._cells))

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


def _parsed(text: bytes) -> list[Any] | None:
    """Read numbers between commas; None where one is not JSON's."""
    # Letters but e would be JSON's true and null, quotes its texts, brackets its lists.
    if text.translate(None, _NUMERIC):
        text = _MISSING.sub(b"", text)
        if text.translate(None, _NUMERIC):
            return None
    text = b"[%b]" % text
    # JSON's integers have no negative zero.
    if b"-" in text and any(zero in text for zero in (b"-0,", b"-0]", b"-0 ")):
        return None
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


def _with_nulls(text: bytes) -> bytes:
    # Twice: the second comma of two is the first of the next two.
    text = text.replace(b",,", b",null,").replace(b",,", b",null,")
    return text.replace(b"[,", b"[null,").replace(b",]", b",null]")
