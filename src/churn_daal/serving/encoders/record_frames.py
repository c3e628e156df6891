"""`application/x-recordio-protobuf`: a `Record` a row, each output a tensor in its label."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from churn_daal.serving.encoders.numeric import numeric
from churn_daal.serving.predictions import Column, Predictions
from churn_daal.tabular.record_message import encode_record
from churn_daal.tabular.recordio import frame

_TYPE: Final = "application/x-recordio-protobuf"
# Magic number and length, see tabular.recordio.
_HEAD: Final = 8


def encode_records(blocks: Iterable[Predictions]) -> bytes:
    """Write float32 tensors by the outputs' names, as AWS's image does.

    Words cannot be in a tensor: a class that is one goes as its number, its place among the
    model's classes in XGBoost's order.

    Raises
    ------
    NotAcceptableError
        406: a column holds what is no number, nor a class.
    """
    return b"".join(map(_records, blocks))


def _records(block: Predictions) -> bytes:
    numbers = {value: place for place, value in enumerate(block.classes)}
    words = any(isinstance(value, str) for value in block.classes)
    columns = {
        name: _tensors(numeric(_numbered(column, numbers) if words else column, name, _TYPE))
        for name, column in block.columns.items()
    }
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


def _numbered(column: Column, numbers: dict[Any, int]) -> Column:
    """Return a column of classes, or of lists of them, as their numbers; any other as it is."""
    if isinstance(column, np.ndarray):
        return column
    if any(isinstance(value, str) for value in column):
        return [numbers.get(value, value) for value in column]
    if all(isinstance(value, list | tuple) for value in column):
        return [
            [numbers.get(part, part) for part in value]
            if any(isinstance(part, str) for part in value)
            else value
            for value in column
        ]
    return column


def _tensors(values: NDArray[Any]) -> NDArray[np.float32]:
    return np.ascontiguousarray(values.reshape(len(values), -1), dtype="<f4")
