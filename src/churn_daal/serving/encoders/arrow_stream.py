"""`application/vnd.apache.arrow.stream`: a column for each output.

Imported when such an answer is asked for, since Arrow takes a while to load.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import orjson
import pyarrow as pa

from churn_daal.serving.predictions import Column, Predictions


def encode_stream(blocks: Iterable[Predictions]) -> bytes:
    """Write an Arrow IPC stream, see `encoders.encode_arrow`.

    Classes of which some are words and some numbers are all written as words. Records, such as
    contributions, and what Arrow has no type for are written as JSON's text.
    """
    parts: dict[str, list[pa.Array]] = {}
    for block in blocks:
        for name, column in block.columns.items():
            words = any(isinstance(value, str) for value in block.classes)
            parts.setdefault(name, []).append(_array(column, words=words))
    table = pa.table({name: _joined(arrays) for name, arrays in parts.items()})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    return bytes(sink.getvalue())


def _array(column: Column, *, words: bool) -> pa.Array:
    if not isinstance(column, np.ndarray):
        values = list(column)
        if any(isinstance(value, dict) for value in values) or any(
            isinstance(part, dict) for value in values if isinstance(value, list) for part in value
        ):
            # Their fields' types would change with the rows: text, in every block and answer.
            return pa.array([_text(value) for value in values], pa.string())
        scalar = all(isinstance(value, str | int | float) for value in values)
        if scalar and (words or len({isinstance(value, str) for value in values}) > 1):
            return pa.array([str(value) for value in values], pa.string())
        try:
            return pa.array(values)
        except (pa.ArrowInvalid, pa.ArrowTypeError):
            return pa.array([_text(value) for value in values], pa.string())
    if column.ndim == 1:
        return pa.array(column)
    flat = pa.array(np.ascontiguousarray(column).ravel())
    return pa.FixedSizeListArray.from_arrays(flat, column.shape[1]).cast(pa.list_(flat.type))


def _text(value: object) -> str:
    return orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY).decode()


def _joined(arrays: list[pa.Array]) -> pa.ChunkedArray:
    try:
        # Where blocks hold whole numbers and others, or nothing and something.
        chunks = pa.concat_tables(
            [pa.table({"": array}) for array in arrays], promote_options="permissive"
        )
        return chunks.column(0)
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        texts = [
            [value if isinstance(value, str) else _text(value) for value in array.to_pylist()]
            for array in arrays
        ]
        return pa.chunked_array([pa.array(text, pa.string()) for text in texts])
