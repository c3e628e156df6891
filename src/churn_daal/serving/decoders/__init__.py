"""Request bodies to matrices, one decoder for each media type, in the table `FORMATS`.

A decoder yields the rows block by block, so that a body of any size takes bounded memory beyond
itself. A body that is not what its type says is a DecodeError; one that is, but breaks the
model's schema, a SchemaError. Rows count from 1 as in the body, a header counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from churn_daal.serving.decoders.csv_rows import decode_csv
from churn_daal.serving.decoders.json_document import decode_json
from churn_daal.serving.decoders.json_lines import decode_json_lines
from churn_daal.serving.decoders.libsvm_text import decode_libsvm
from churn_daal.serving.decoders.npy_array import decode_npy
from churn_daal.serving.decoders.record_frames import decode_records
from churn_daal.tabular.encoder import Encoder, Matrix

Decode: TypeAlias = Callable[[memoryview, Mapping[str, str], Encoder], Iterator[Matrix]]


@dataclass(frozen=True)
class Format:
    """A media type that is read.

    Attributes
    ----------
    kind
        Its name in a refusal, `Loading csv data failed`.
    decode
        Takes the body, the media type's parameters and the model's encoder; yields float32
        (n, width) blocks, n at least 1, and nothing for a body without rows.
    answer
        The media type of the answer where the client has no wish.
    """

    kind: str
    decode: Decode
    answer: str


def decode_arrow(body: memoryview, _: Mapping[str, str], encoder: Encoder) -> Iterator[Matrix]:
    """Decode an Arrow IPC stream: columns by name in any order, read as training reads Parquet.

    Raises
    ------
    DecodeError
        It is none, damaged, or would grow beyond measure.
    SchemaError
        Its columns are not the model's, or a cell does not fit.
    """
    # Starting the server does not load Arrow.
    from churn_daal.serving.decoders.arrow_tables import decode_stream  # noqa: PLC0415

    return decode_stream(body, encoder)


def decode_parquet(body: memoryview, _: Mapping[str, str], encoder: Encoder) -> Iterator[Matrix]:
    """Decode a Parquet file; see `decode_arrow`."""
    from churn_daal.serving.decoders.arrow_tables import decode_file  # noqa: PLC0415

    return decode_file(body, encoder)


_CSV: Final = "text/csv"
FORMATS: Final[Mapping[str, Format]] = {
    _CSV: Format("csv", decode_csv, _CSV),
    "application/json": Format("json", decode_json, "application/json"),
    "application/jsonlines": Format("jsonlines", decode_json_lines, "application/jsonlines"),
    "text/libsvm": Format("libsvm", decode_libsvm, _CSV),
    "application/x-recordio-protobuf": Format("recordio-protobuf", decode_records, _CSV),
    "application/x-npy": Format("npy", decode_npy, "application/x-npy"),
    "application/x-parquet": Format("parquet", decode_parquet, _CSV),
    "application/vnd.apache.arrow.stream": Format(
        "arrow", decode_arrow, "application/vnd.apache.arrow.stream"
    ),
}
