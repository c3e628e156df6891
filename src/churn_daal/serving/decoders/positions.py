"""Rows of numbers that have a place but no name: libsvm, recordio-protobuf and NumPy arrays."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from churn_daal.errors import SchemaError
from churn_daal.serving.decoders.blocks import rows_at_a_time
from churn_daal.tabular import cells
from churn_daal.tabular.encoder import Encoder, Matrix, Numbers
from churn_daal.tabular.schema import Schema
from churn_daal.tabular.sparse_block import SparseBlock


def check_numbers_do(schema: Schema) -> None:
    """Refuse a model that has categories which are words: a number would be none of them.

    Raises
    ------
    SchemaError
        Naming the column, and what to send instead.
    """
    for place, column in enumerate(schema.columns, start=1):
        if column.kind == "category" and not all(map(cells.is_number, column.categories)):
            raise SchemaError(
                f"a category of words such as {cells.shown(column.categories[-1])}, and this type "
                "holds numbers alone; send text/csv, application/json, application/jsonlines, "
                "application/x-parquet or application/vnd.apache.arrow.stream",
                column=place,
                name=column.name,
            )


def encode_block(block: SparseBlock, encoder: Encoder) -> Iterator[Matrix]:
    """Encode rows whose features count from 0, what a row does not have as missing.

    Raises
    ------
    SchemaError
        A value does not fit its column; row and column are named.
    """
    width = len(encoder.schema.columns)

    def rows(start: int, stop: int) -> Numbers:
        return block.part(start, stop).dense(width)

    try:
        yield from encode_slices(len(block), rows, encoder)
    except SchemaError as fault:
        number = int(block.rows[(fault.row or 1) - 1])
        raise SchemaError(fault.reason, row=number, column=fault.column, name=fault.name) from None


def encode_slices(
    count: int, rows: Callable[[int, int], Numbers], encoder: Encoder
) -> Iterator[Matrix]:
    """Encode `count` rows, of which `rows(start, stop)` gives some as (n, columns).

    Raises
    ------
    SchemaError
        A value does not fit its column; `row` counts from 1.
    """
    size = rows_at_a_time(max(encoder.schema.width, len(encoder.schema.columns)))
    for start in range(0, count, size):
        try:
            yield encoder.from_matrix(rows(start, min(count, start + size)))
        except SchemaError as fault:
            row = start + (fault.row or 1)
            raise SchemaError(fault.reason, row=row, column=fault.column, name=fault.name) from None
