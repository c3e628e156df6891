"""Apache Arrow streams and Parquet files: columns by name, with the types they have.

Imported when such a body comes, since Arrow takes a while to load.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from churn_daal.errors import DecodeError, SchemaError
from churn_daal.serving.decoders.arrow_sizes import check_stream
from churn_daal.serving.decoders.blocks import check_rows, rows_at_a_time
from churn_daal.tabular import cells
from churn_daal.tabular.columns import Numbers, as_texts, typed_numbers
from churn_daal.tabular.encoder import Encoder, Matrix
from churn_daal.tabular.schema import Column, Schema
from churn_daal.tabular.typed import refusal

# Row numbers that pandas stores.
_PANDAS_INDEX: Final = re.compile(r"__index_level_\d+__")
# What a body may grow to when its compression is undone, as far as it says beforehand.
_UNPACKED: Final = 1 << 30
_GROWTH: Final = 32
_READ_BYTES: Final = 1 << 16


def decode_stream(body: memoryview, encoder: Encoder) -> Iterator[Matrix]:
    """Decode Arrow's IPC stream, see `decoders.decode_arrow`."""
    with _sound("an Arrow stream", "pyarrow.ipc.new_stream"):
        check_stream(body, most=_most(body))
        with pa.ipc.open_stream(pa.py_buffer(body)) as stream:
            columns = _columns(stream.schema, encoder.schema)
            places = [place for place, _ in columns]
            row = 0
            for batch in stream:
                yield from _encoded(batch, columns, places, encoder, row)
                row += batch.num_rows


def decode_file(body: memoryview, encoder: Encoder) -> Iterator[Matrix]:
    """Decode a Parquet file, see `decoders.decode_parquet`."""
    with _sound("a Parquet file", "pyarrow.parquet.write_table"):
        with _opened(body) as file:
            check_rows(file.metadata.num_rows, body)
            schema = file.schema_arrow
            columns = _columns(schema, encoder.schema)
            places = [place for place, _ in columns]
            _check_unpacked(file, body)
        names = [schema.names[place] for place in places]
        # As dictionaries: a text that stands a million times is held once.
        texts = [schema.names[place] for place in places if _is_string(schema.types[place])]
        with _opened(body, read_dictionary=texts) as file:
            row = 0
            for batch in file.iter_batches(_rows(encoder.schema), columns=names, use_threads=False):
                # Batches have the columns in the file's order.
                own = {name: place for place, name in enumerate(batch.schema.names)}
                order = [
                    (own[name], column) for name, (_, column) in zip(names, columns, strict=True)
                ]
                yield from _encoded(batch, order, places, encoder, row)
                row += batch.num_rows


def _opened(body: memoryview, **options: Any) -> Any:  # noqa: ANN401 - Arrow's
    source = pa.BufferReader(pa.py_buffer(body))
    # Without pre_buffer a row group is read as it is decoded, not whole.
    return pq.ParquetFile(source, pre_buffer=False, buffer_size=_READ_BYTES, **options)


def _rows(schema: Schema) -> int:
    return rows_at_a_time(max(schema.width, len(schema.columns)))


def _most(body: memoryview) -> int:
    return max(_UNPACKED, _GROWTH * len(body))


def _columns(schema: pa.Schema, wanted: Schema) -> list[tuple[int, Column]]:
    """Return the place of each of the model's columns, in its order, and the column.

    Raises
    ------
    SchemaError
        A column is absent, unknown, there twice, or of a type that is no cell.
    """
    named = [(name.strip(cells.WHITESPACE), place) for place, name in enumerate(schema.names)]
    named = [(name, at) for name, at in named if not _PANDAS_INDEX.fullmatch(name)]
    wanted.check_names([name for name, _ in named])
    places = dict(named)
    found = [(places[column.name], column) for column in wanted.columns]
    for place, column in found:
        reason = refusal(schema.types[place], text=column.kind == "category")
        if reason is not None:
            what = reason.partition("; ")[0]
            raise SchemaError(
                f"{what}; send numbers, booleans or text, as in training",
                column=place + 1,
                name=column.name,
            )
    return found


def _encoded(
    batch: pa.RecordBatch,
    columns: Sequence[tuple[int, Column]],
    places: Sequence[int],
    encoder: Encoder,
    before: int,
) -> Iterator[Matrix]:
    size = _rows(encoder.schema)
    for start in range(0, batch.num_rows, size):
        part = batch.slice(start, size)
        values = [_cells(part.column(place), column) for place, column in columns]
        try:
            yield encoder.from_typed(values)
        except SchemaError as fault:
            at = (fault.column or 1) - 1
            raise SchemaError(
                fault.reason,
                row=before + start + (fault.row or 1),
                column=places[at] + 1,
                name=fault.name,
            ) from None


def _cells(array: pa.Array, column: Column) -> Numbers | list[str]:
    """Return a column's cells as training reads them: numbers, or the texts of a CSV."""
    # Any bytes may stand where text is declared, and any number where a place in a dictionary.
    array.validate(full=True)
    if column.kind == "number":
        numbers = typed_numbers(array)
        if numbers is not None:
            return numbers
    return _texts(array)


def _texts(array: pa.Array) -> list[str]:
    if pa.types.is_dictionary(array.type):
        # The last place, -1, is that of a missing cell.
        distinct = [*_texts(array.dictionary), ""]
        return [distinct[place] for place in array.indices.cast(pa.int64()).fill_null(-1).tolist()]
    text = _is_string(array.type)
    return [cell or "" for cell in (array if text else as_texts(array)).to_pylist()]


def _is_string(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    )


def _check_unpacked(file: Any, body: memoryview) -> None:  # noqa: ANN401 - Arrow's
    """Refuse a file that is declared to be very large when unpacked."""
    metadata = file.metadata
    # Not column by column: in a damaged footer Arrow ends the process there.
    size = sum(metadata.row_group(at).total_byte_size for at in range(metadata.num_row_groups))
    most = _most(body)
    if size > most:
        raise DecodeError(
            f"{len(body):,} bytes that hold {size:,}; this server unpacks {most:,} of them at "
            "most. Send fewer rows a request"
        )


@contextmanager
def _sound(what: str, writer: str) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, OSError, ValueError, KeyError, IndexError, OverflowError) as fault:
        reason = " ".join(str(fault).split())
        if "crypt" in reason:
            raise DecodeError(
                f"encrypted Parquet is not read ({reason:.120}); send the file without it"
            ) from fault
        raise DecodeError(
            f"not {what}, cut off or damaged ({reason:.200}); send what {writer} writes"
        ) from fault
