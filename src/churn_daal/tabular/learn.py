"""Learns the schema and the classes from a training table, and encodes tables by them."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from churn_daal.errors import UserError
from churn_daal.tabular import cells
from churn_daal.tabular.encoder import Matrix, codes_of, fill
from churn_daal.tabular.roles import Roles
from churn_daal.tabular.schema import Column, Encoding, Schema
from churn_daal.tabular.table import Table

log = logging.getLogger(__name__)
_MISSING = pa.array(sorted(cells.MISSING))


@dataclass(frozen=True)
class Encoded:
    """A table as XGBoost takes it.

    Attributes
    ----------
    X
        float32 (n, schema.width), C-contiguous, NaN missing.
    unseen
        For each category column by name, how many cells held a category not learned.
    """

    X: Matrix
    unseen: dict[str, int]


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


def encode(table: Table, schema: Schema, roles: Roles) -> Encoded:
    """Encode a table's features by a schema, as serving will encode requests.

    Raises
    ------
    UserError
        A cell does not fit its column; file, row and column are named.
    """
    matrix = np.zeros((table.rows, schema.width), dtype=np.float32)
    unseen: dict[str, int] = {}
    offset = 0
    for column, position in zip(schema.columns, roles.features, strict=True):
        if column.kind == "number":
            matrix[:, offset] = read_numbers(table, position)
        else:
            distinct, codes = _distinct(table.columns[position])
            block = np.zeros((len(distinct), column.width), dtype=np.float32)
            lookup = codes_of(column)
            try:
                fill(block, column, 0, lookup, distinct, text=True)
            except cells.CellError as fault:
                raise _at(table, position, codes, fault) from None
            matrix[:, offset : offset + column.width] = block[codes]
            if column.kind == "category":
                new = [c is not None and c not in lookup for c in map(cells.category, distinct)]
                unseen[column.name] = int(np.asarray(new, dtype=bool)[codes].sum())
        offset += column.width
    return Encoded(matrix, {name: count for name, count in unseen.items() if count})


def read_numbers(table: Table, position: int) -> npt.NDArray[np.float64]:
    """Read one column as numbers, NaN where missing.

    Raises
    ------
    UserError
        A cell is no number; file, row and column are named.
    """
    quick = _cast(table.columns[position])
    if quick is not None:
        return quick
    distinct, codes = _distinct(table.columns[position])
    try:
        return np.asarray(cells.numbers(distinct), dtype=np.float64)[codes]
    except cells.CellError as fault:
        raise _at(table, position, codes, fault) from None


def distinct_cells(table: Table, position: int) -> tuple[list[str], npt.NDArray[np.int64]]:
    """Return a column's distinct trimmed cells, first come first, and each row's place there."""
    raw, codes = _distinct(table.columns[position])
    trimmed: dict[str, int] = {}
    places = [trimmed.setdefault(cell.strip(cells.WHITESPACE), len(trimmed)) for cell in raw]
    return list(trimmed), np.asarray(places, dtype=np.int64)[codes]


def _learn_column(table: Table, position: int, name: str, roles: Roles) -> Column:
    forced = position in roles.categorical
    if not forced and _cast(table.columns[position]) is not None:
        return Column(name, "number")
    distinct, codes = distinct_cells(table, position)
    present = [cell for cell in distinct if cell not in cells.MISSING]
    if not forced:
        counts = np.bincount(codes, minlength=len(distinct))
        number = np.asarray([cells.is_number(cell) for cell in distinct], dtype=bool)
        filled = np.asarray([cell not in cells.MISSING for cell in distinct], dtype=bool)
        if counts[number].sum() * 2 > counts[filled].sum() or not present:
            read_numbers(table, position)  # names the first cell that is none
            return Column(name, "number")
        if all(map(cells.is_boolean, present)):
            return Column(name, "boolean")
        dates = [place for place, cell in enumerate(distinct) if cells.is_date(cell)]
        if counts[dates].sum() * 2 > counts[filled].sum():
            raise table.fault(
                f"{cells.shown(distinct[dates[0]])} is a date, and trees need numbers; turn it "
                "into one (such as days since a fixed day), or list the column in drop_columns "
                "or categorical_columns",
                index=int(np.argmax(codes == dates[0])),
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


def _cast(column: pa.ChunkedArray) -> npt.NDArray[np.float64] | None:
    """Read plain numbers at Arrow's speed; None where the cells' own grammar must decide."""
    trimmed = pc.ascii_trim(column, characters=cells.WHITESPACE)
    missing = pc.is_in(trimmed, value_set=_MISSING)
    try:
        values = pc.cast(pc.if_else(missing, None, trimmed), pa.float64())
    except pa.ArrowInvalid:
        return None
    read: npt.NDArray[np.float64] = values.to_numpy()
    absent = missing.to_numpy()
    with np.errstate(over="ignore"):
        plain = np.isfinite(read.astype(np.float32))
    # Arrow also reads "inf" and odd spellings of "nan", and float32 may overflow.
    return read if bool(np.all(plain | absent)) else None


def _distinct(column: pa.ChunkedArray) -> tuple[list[str], npt.NDArray[np.int64]]:
    coded = column.combine_chunks().dictionary_encode()
    if isinstance(coded, pa.ChunkedArray):
        coded = coded.combine_chunks()
    return coded.dictionary.to_pylist(), coded.indices.to_numpy().astype(np.int64)


def _at(
    table: Table, position: int, codes: npt.NDArray[np.int64], fault: cells.CellError
) -> UserError:
    # The first row with a bad cell: distinct cells stand in order of appearance.
    index = int(np.argmax(codes == fault.index))
    return table.fault(fault.reason, index=index, position=position)
