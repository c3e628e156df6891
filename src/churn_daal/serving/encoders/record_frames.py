"""`application/x-recordio-protobuf`: a `Record` a row, each output a tensor in its label."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from churn_daal.errors import NotAcceptableError
from churn_daal.serving.encoders.numeric import numeric
from churn_daal.serving.predictions import Predictions
from churn_daal.tabular.record_message import encode_record
from churn_daal.tabular.recordio import frame

_TYPE: Final = "application/x-recordio-protobuf"
# Magic number and length, see tabular.recordio.
_HEAD: Final = 8


def encode_records(blocks: Iterable[Predictions]) -> bytes:
    """Write float32 tensors by the outputs' names, as AWS's image does.

    A class that is a word goes as its number, see `numeric`.

    Raises
    ------
    NotAcceptableError
        406: a column holds what is no number, nor a class, or whole numbers beyond float32.
    """
    return b"".join(map(_records, blocks))


def _records(block: Predictions) -> bytes:
    columns = {name: _tensors(numeric(block, name, _TYPE), name) for name in block.columns}
    # Records of one answer differ in their numbers alone, which end each entry.
    template = b""
    places = []
    for name, values in columns.items():
        template += encode_record(label={name: np.zeros(values.shape[1], np.float32)})
        places.append(_HEAD + len(template) - 4 * values.shape[1])
    row = np.frombuffer(frame(template), dtype=np.uint8)
    table = np.tile(row, (len(block), 1))
    for start, values in zip(places, columns.values(), strict=True):
        raw = values.view(np.uint8).reshape(len(values), -1)
        table[:, start : start + raw.shape[1]] = raw
    return table.tobytes()


def _tensors(values: NDArray[Any], name: str) -> NDArray[np.float32]:
    written: NDArray[np.float32] = np.ascontiguousarray(
        values.reshape(len(values), -1), dtype="<f4"
    )
    if values.dtype.kind in "iu" and (written.reshape(values.shape) != values).any():
        raise NotAcceptableError(
            f"{name!r} holds whole numbers that {_TYPE}, which is of float32, would round; "
            "ask for application/json, application/jsonlines, text/csv or application/x-npy"
        )
    return written
