"""Learns the schema and the classes from a training table, and encodes tables by them."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
from numpy.typing import NDArray

from churn_daal.errors import UserError
from churn_daal.tabular import cells
from churn_daal.tabular.codes import codes_of
from churn_daal.tabular.columns import TextColumn
from churn_daal.tabular.frame import Frame, Slot
from churn_daal.tabular.number_texts import shortest
from churn_daal.tabular.roles import Roles
from churn_daal.tabular.schema import Column, Encoding, Schema
from churn_daal.tabular.table import Table

log = logging.getLogger(__name__)


def learn_schema(table: Table, roles: Roles) -> Schema:
    """Learn each feature's kind, and the categories of those that are categories.

    Raises
    ------
    UserError
        A column mixes numbers and words, or holds dates; file, row and column are named.
    """
    columns = []
    for place, position in enumerate(roles.features):
        name = table.name(position) or f"f{place}"
        columns.append(_learn_column(table, position, name, roles))
    ignored = tuple(table.names[p] for p in roles.others) if table.names else ()
    schema = Schema(tuple(columns), ignored, table.delimiter)
    if not schema.width:
        raise UserError("every feature column is empty; there is nothing to learn from")
    return schema


def encode(table: Table, schema: Schema, roles: Roles) -> Frame:
    """Encode a table's features by a schema, as serving will encode requests.

    Raises
    ------
    UserError
        A cell does not fit its column; file, row and column are named.
    """
    slots = []
    for column, position in zip(schema.columns, roles.features, strict=True):
        texts = table.columns[position]
        if isinstance(texts, TextColumn):
            slots.append(_slot(table, position, column, texts))
        else:
            slots.append(Slot())
    return Frame(table.store, slots)


def text_features(schema: Schema, roles: Roles) -> frozenset[int]:
    """Return the positions of the features whose cells are read as texts."""
    pairs = zip(schema.columns, roles.features, strict=True)
    return frozenset(position for column, position in pairs if column.kind != "number")


def read_numbers(table: Table, position: int) -> NDArray[np.float32]:
    """Read one kept column as numbers, NaN where missing.

    Raises
    ------
    UserError
        A cell is no number; file, row and column are named.
    """
    plain = table.numbers(position)
    if plain is not None:
        return plain
    values = _numbers_of(table, position)
    codes: NDArray[np.int32] = table.kept[position]
    return values[codes]


def distinct_cells(table: Table, position: int) -> tuple[list[str], NDArray[np.int32]]:
    """Return a kept column's distinct trimmed cells, first come first, and each row's place there.

    Numbers come as their shortest text.
    """
    column = table.columns[position]
    if isinstance(column, TextColumn):
        return column.distinct, table.kept[position]
    values, codes = np.unique(table.kept[position], return_inverse=True)
    return [_shortest(value) for value in values], codes.astype(np.int32)


def tally(table: Table, position: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return how many rows hold each of `distinct_cells`, over all hosts, and the first of them."""
    column = table.columns[position]
    if isinstance(column, TextColumn):
        return column.counts, column.first
    _, first, counts = np.unique(table.kept[position], return_index=True, return_counts=True)
    return counts.astype(np.int64), first.astype(np.int64)


def _shortest(value: np.floating[Any]) -> str:
    if np.isnan(value):
        return ""
    narrow = np.float32(value)
    # Recordio's labels may be float32, held in float64 here.
    return shortest(narrow if narrow == value else value)


def _slot(table: Table, position: int, column: Column, texts: TextColumn) -> Slot:
    if column.kind == "number":
        return Slot(values=_numbers_of(table, position))
    distinct = texts.distinct
    if column.kind == "boolean":
        try:
            return Slot(values=np.asarray(cells.booleans(distinct), dtype=np.float32))
        except cells.CellError as fault:
            raise _at(table, position, texts, fault) from None
    lookup = codes_of(column)
    codes = [lookup.get(cells.category(cell) or "", -1) for cell in distinct]
    if column.encoding == "ordinal":
        values = np.asarray(codes, dtype=np.float32)
        values[values < 0] = np.nan
        return Slot(values=values)
    return Slot(width=column.width, codes=np.asarray(codes, dtype=np.int32))


def _numbers_of(table: Table, position: int) -> NDArray[np.float32]:
    """Return the number each distinct cell of a column of texts stands for."""
    texts = table.columns[position]
    assert isinstance(texts, TextColumn)  # noqa: S101 - of numbers there is nothing to read
    try:
        return np.asarray(cells.numbers(texts.distinct), dtype=np.float32)
    except cells.CellError as fault:
        raise _at(table, position, texts, fault) from None


def _learn_column(table: Table, position: int, name: str, roles: Roles) -> Column:
    texts = table.columns[position]
    if not isinstance(texts, TextColumn):
        return Column(name, "number")
    distinct, counts = texts.distinct, texts.counts
    present = [cell for cell in distinct if cell not in cells.MISSING]
    if position not in roles.categorical | table.reader.categorical:
        number = np.asarray([cells.is_number(cell) for cell in distinct], dtype=bool)
        filled = np.asarray([cell not in cells.MISSING for cell in distinct], dtype=bool)
        if counts[number].sum() * 2 > counts[filled].sum() or not present:
            _numbers_of(table, position)  # names the first cell that is none
            return Column(name, "number")
        if all(map(cells.is_boolean, present)):
            return Column(name, "boolean")
        dates = [place for place, cell in enumerate(distinct) if cells.is_date(cell)]
        if counts[dates].sum() * 2 > counts[filled].sum():
            raise table.fault(
                f"{cells.shown(distinct[dates[0]])} is a date, and trees need numbers; turn it "
                "into one (such as days since a fixed day), or list the column in drop_columns "
                "or categorical_columns",
                index=int(texts.first[dates[0]]),
                position=position,
            )
    if len(present) * 2 > table.rows and table.rows > roles.max_onehot_categories:
        log.warning(
            "column %r holds %d different texts in %d rows; if it is an identifier, list it "
            "in id_columns",
            *(name, len(present), table.rows),
        )
    categories = sorted({category for category in map(cells.category, present) if category})
    return Column(name, "category", _encoding(len(categories), roles), tuple(categories))


def _encoding(categories: int, roles: Roles) -> Encoding:
    if roles.category_encoding != "auto":
        return roles.category_encoding
    return "onehot" if categories <= roles.max_onehot_categories else "ordinal"


def _at(table: Table, position: int, texts: TextColumn, fault: cells.CellError) -> UserError:
    # The first row with a bad cell: distinct cells stand in order of appearance.
    index = int(texts.first[fault.index])
    return table.fault(fault.reason, index=index, position=position)
