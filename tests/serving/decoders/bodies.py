"""Bodies of every type, made with the libraries that clients make them with."""

from __future__ import annotations

import io
from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from churn_daal.serving.decoders import FORMATS
from churn_daal.tabular.encoder import Encoder, Matrix
from churn_daal.tabular.schema import Column, Schema

ARROW = "application/vnd.apache.arrow.stream"
JSON = "application/json"
LINES = "application/jsonlines"
LIBSVM = "text/libsvm"
NPY = "application/x-npy"
PARQUET = "application/x-parquet"
RECORDS = "application/x-recordio-protobuf"
# Names that come in any order, a label that is passed over.
WORDS = Encoder(
    Schema(
        (
            Column("n", "number"),
            Column("c", "category", "onehot", ("u", "v", "w")),
            Column("b", "boolean"),
        ),
        ignored=("y",),
    )
)
# What types of numbers alone can hold: a number, a yes or no, a category of numbers.
NUMBERS = Encoder(
    Schema(
        (
            Column("n", "number"),
            Column("b", "boolean"),
            Column("k", "category", "onehot", ("1", "2.5", "10")),
        )
    )
)


def decode(
    kind: str, body: bytes, encoder: Encoder, parameters: Mapping[str, str] | None = None
) -> Matrix:
    """Decode a body into one matrix."""
    blocks = FORMATS[kind].decode(memoryview(body), parameters or {}, encoder)
    return np.concatenate([np.empty((0, encoder.schema.width), np.float32), *blocks])


def stream(table: pa.Table, compression: str | None = None, rows: int | None = None) -> bytes:
    """Write an Arrow stream."""
    sink = io.BytesIO()
    options = pa.ipc.IpcWriteOptions(compression=compression)
    with pa.ipc.new_stream(sink, table.schema, options=options) as writer:
        writer.write_table(table, max_chunksize=rows)
    return sink.getvalue()


def parquet(table: pa.Table, **options: object) -> bytes:
    """Write a Parquet file."""
    sink = io.BytesIO()
    pq.write_table(table, sink, **options)
    return sink.getvalue()


def npy(array: np.ndarray, *, allow_pickle: bool = False) -> bytes:
    """Write an array as numpy.save does."""
    sink = io.BytesIO()
    np.save(sink, array, allow_pickle=allow_pickle)
    return sink.getvalue()
