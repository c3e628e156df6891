"""Raw cells to the matrix the trees read; the one encoding that training and serving share.

An unseen category and a missing one are read alike: none of the known categories, which is
all zeros for a one-hot column and NaN for an ordinal one. scikit-learn's OneHotEncoder and
OrdinalEncoder with unknown categories ignored give the same codes; a test compares them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from churn_daal.errors import DataError, DecodeError, SchemaError
from churn_daal.tabular import cells
from churn_daal.tabular.codes import codes_of, fill, plain_numbers
from churn_daal.tabular.number_texts import number_texts
from churn_daal.tabular.plain_rows import PlainRows
from churn_daal.tabular.schema import Column, Schema

Matrix = npt.NDArray[np.float32]
Numbers = npt.NDArray[Any]


@dataclass(frozen=True)
class _Slot:
    """A column compiled for encoding: where it lies in the matrix, and its table of codes."""

    column: Column
    offset: int
    codes: Mapping[str, int]


class Encoder:
    """Encodes columns of cells by a schema.

    Parameters
    ----------
    schema
        The columns to expect, in this order.
    """

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self._unseen: dict[int, int] | None = None
        self._slots = []
        offset = 0
        for column in schema.columns:
            self._slots.append(_Slot(column, offset, codes_of(column)))
            offset += column.width
        self._plain = all(column.kind == "number" for column in schema.columns)
        self._plain_rows = PlainRows(schema, [slot.codes for slot in self._slots])

    def counting(self, unseen: dict[int, int]) -> Encoder:
        """Return this encoder for one request, which counts unseen categories.

        Parameters
        ----------
        unseen
            Cells whose category training has not seen, by the column's place; added to.
        """
        twin = object.__new__(type(self))
        twin.__dict__.update(self.__dict__)
        twin._unseen = unseen
        return twin

    def from_plain_text(self, text: bytes) -> Matrix | None:
        """Encode lines of cells by position where nothing in them is out of the ordinary.

        Parameters
        ----------
        text
            Lines with the schema's delimiter that end with LF or CRLF; the last may lack it.

        Returns
        -------
        What `from_text` makes of their cells; None where the text has to be read strictly.
        """
        return self._plain_rows.of_text(text, {} if self._unseen is None else self._unseen)

    def from_json_rows(self, rows: Sequence[Sequence[Any]]) -> Matrix:
        """Encode rows of JSON values, 1 or more, each with one for each column; see `from_json`.

        Raises
        ------
        SchemaError
            As `from_json`; `row` counts from 1.
        """
        matrix = self._plain_rows.of_values(rows, {} if self._unseen is None else self._unseen)
        return self.from_json(list(zip(*rows, strict=True))) if matrix is None else matrix

    def from_text(self, columns: Sequence[Sequence[str]]) -> Matrix:
        """Encode text cells, as a CSV has them.

        Parameters
        ----------
        columns
            One sequence of n cells for each of the schema's columns.

        Returns
        -------
        C-contiguous float32 of shape (n, schema.width); NaN is missing.

        Raises
        ------
        DecodeError
            A cell breaks its column's grammar; `row` counts the cells from 1.
        """
        return self._encode(columns, text=True)

    def from_json(self, columns: Sequence[Sequence[Any]]) -> Matrix:
        """Encode JSON values: as `from_text`, and numbers, booleans and null as themselves.

        Raises
        ------
        SchemaError
            A value does not fit its column's kind; `row` counts the values from 1.
        """
        return self._encode(columns, text=False)

    def from_typed(self, columns: Sequence[Numbers | Sequence[str]]) -> Matrix:
        """Encode columns of numbers as numbers, others by their texts.

        Parameters
        ----------
        columns
            For each of the schema's columns n numbers or booleans, where NaN is missing, or the n
            texts that a CSV would hold.

        Raises
        ------
        SchemaError
            As `from_json`; `row` counts from 1.
        """
        matrix = np.zeros((len(columns[0]), self.schema.width), dtype=np.float32)
        for place, (slot, values) in enumerate(zip(self._slots, columns, strict=True)):
            try:
                if isinstance(values, np.ndarray) and slot.column.kind != "category":
                    matrix[:, slot.offset] = plain_numbers(values, slot.column.kind)
                else:
                    texts = number_texts(values) if isinstance(values, np.ndarray) else values
                    unseen = fill(matrix, slot.column, slot.offset, slot.codes, texts, text=True)
                    self._count(place, unseen)
            except cells.CellError as fault:
                raise SchemaError(
                    fault.reason, row=fault.index + 1, column=place + 1, name=slot.column.name
                ) from None
        return matrix

    def from_matrix(self, X: Numbers) -> Matrix:
        """Encode rows of numbers or booleans by position; see `from_typed`.

        Parameters
        ----------
        X
            (n, columns of the schema), NaN missing.
        """
        if X.dtype == np.float32 and self._plain and not np.isinf(X).any():
            return np.ascontiguousarray(X, dtype=np.float32)
        return self.from_typed([X[:, place] for place in range(X.shape[1])])

    def _encode(self, columns: Sequence[Sequence[Any]], *, text: bool) -> Matrix:
        matrix = np.zeros((len(columns[0]), self.schema.width), dtype=np.float32)
        for place, (slot, values) in enumerate(zip(self._slots, columns, strict=True)):
            try:
                unseen = fill(matrix, slot.column, slot.offset, slot.codes, values, text=text)
            except cells.CellError as fault:
                kind: type[DataError] = DecodeError if text else SchemaError
                raise kind(
                    fault.reason, row=fault.index + 1, column=place + 1, name=slot.column.name
                ) from None
            self._count(place, unseen)
        return matrix

    def _count(self, place: int, unseen: int) -> None:
        if unseen and self._unseen is not None:
            self._unseen[place] = self._unseen.get(place, 0) + unseen
