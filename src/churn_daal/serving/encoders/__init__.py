"""Predictions to answer bodies, one encoder for each media type, in the table `ENCODERS`.

The usual shapes are those of AWS's XGBoost image, so that its clients read them. An encoder takes
the blocks as they are predicted, and holds no more of them than it has to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final, TypeAlias

from churn_daal.serving.encoders.csv_lines import encode_csv
from churn_daal.serving.encoders.json_rows import encode_json, encode_json_lines
from churn_daal.serving.encoders.npy_array import encode_npy
from churn_daal.serving.encoders.record_frames import encode_records
from churn_daal.serving.predictions import Predictions

Encode: TypeAlias = Callable[[Iterable[Predictions]], bytes]


def encode_arrow(blocks: Iterable[Predictions]) -> bytes:
    """Write an Arrow IPC stream: a column for each output, a list a row where it is several."""
    # Starting the server does not load Arrow.
    from churn_daal.serving.encoders.arrow_stream import encode_stream  # noqa: PLC0415

    return encode_stream(blocks)


ENCODERS: Final[Mapping[str, Encode]] = {
    "text/csv": encode_csv,
    "application/json": encode_json,
    "application/jsonlines": encode_json_lines,
    "application/x-recordio-protobuf": encode_records,
    "application/x-npy": encode_npy,
    "application/vnd.apache.arrow.stream": encode_arrow,
}

# Types whose body is the bodies of its blocks, one after the other: of any size in little memory.
CONCATENATED: Final = frozenset(
    {"text/csv", "application/jsonlines", "application/x-recordio-protobuf"}
)

# Types that hold the score alone where the client has no wish.
SCORE_ALONE: Final = frozenset({"text/csv", "application/x-npy"})
