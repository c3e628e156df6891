"""SageMaker's `Record` message: which bytes of it are numbers, and how one is written.

    Record  features = 1, label = 2: map of a name to a Value; uid = 3, metadata = 4
    Value   float32_tensor = 2, float64_tensor = 3, int32_tensor = 7, bytes = 9: one of them
    tensor  values = 1, keys = 2, shape = 3: packed numbers

The message is described at
https://docs.aws.amazon.com/sagemaker/latest/dg/cdf-training.html.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from churn_daal.errors import DecodeError
from churn_daal.tabular.protobuf_wire import (
    BYTES,
    FIXED32,
    FIXED64,
    VARINT,
    WireError,
    encode_bytes,
    encode_varint,
    fields,
    read_varints,
)

FEATURES: Final = 1
LABEL: Final = 2
FLOAT32: Final = 2
FLOAT64: Final = 3
INT32: Final = 7
_OPAQUE = 9
# The wire type of one number of each tensor outside a packed field.
_UNPACKED = {FLOAT32: FIXED32, FLOAT64: FIXED64, INT32: VARINT}
_NUMBER_BYTES = {FLOAT32: 4, FLOAT64: 8}
_VALUES, _KEYS, _SHAPE = 1, 2, 3
# The key of "the" features and "the" label, where they have no names of their own.
NAME: Final = b"values"
_SHOWN = 5


@dataclass(frozen=True)
class Tensor:
    """Numbers of a record, still as bytes.

    Attributes
    ----------
    kind
        `FLOAT32`, `FLOAT64` or `INT32`.
    values
        Packed numbers of that kind.
    keys
        Packed varints, the place of each value; empty where the tensor is dense.
    size
        How many numbers its shape has; None without a shape.
    span
        Where `values` lies in the record, in one piece; None where it is in several.
    """

    kind: int
    values: bytes
    keys: bytes
    size: int | None
    span: tuple[int, int] | None


def read_record(record: bytes) -> tuple[Tensor | None, Tensor | None]:
    """Return features and label of a record; None for what it does not have.

    Raises
    ------
    DecodeError
        The bytes are no such record, or hold what is no number.
    """
    found: dict[int, dict[bytes, Tensor | None]] = {FEATURES: {}, LABEL: {}}
    try:
        for number, kind, start, stop in fields(record, 0, len(record)):
            if number in found:
                _require(kind, BYTES)
                name, tensor = _entry(record, start, stop)
                found[number][name] = tensor
    except WireError:
        raise DecodeError(
            "the bytes are not a protobuf Record of SageMaker's (package aialgs.data); set the "
            "content type to what the data is, or write it anew"
        ) from None
    return _only(found[FEATURES], "features"), _only(found[LABEL], "label")


def encode_record(
    features: NDArray[Any] | None = None,
    *,
    keys: NDArray[np.uint64] | None = None,
    size: int | None = None,
    label: Mapping[str, NDArray[Any]] | None = None,
) -> bytes:
    """Return a record as bytes, without its RecordIO frame (`recordio.frame`).

    Parameters
    ----------
    features
        float32, float64 or int32 (k,); None for a record of labels alone.
    keys
        uint64 (k,), their places where the row is sparse; None where it is dense.
    size
        The shape, which a sparse row needs.
    label
        Arrays as `features` by name: `values` in training data, `score` and the like in answers.
    """
    out = b""
    if features is not None:
        out += _encode_entry(FEATURES, NAME, _encode_value(features, keys, size))
    for name, values in (label or {}).items():
        out += _encode_entry(LABEL, name.encode(), _encode_value(values, None, None))
    return out


def _only(found: dict[bytes, Tensor | None], what: str) -> Tensor | None:
    if found and NAME not in found:
        names = ", ".join(repr(name.decode("utf-8", "replace")) for name in [*found][:_SHOWN])
        raise DecodeError(
            f"{what} has the key(s) {names}; expected 'values'. Write a row's numbers as one "
            "tensor under that key"
        )
    return found.get(NAME)


def _entry(data: bytes, start: int, stop: int) -> tuple[bytes, Tensor | None]:
    name, tensor = b"", None
    for number, kind, first, last in fields(data, start, stop):
        if number == 1:
            _require(kind, BYTES)
            name = data[first:last]
        elif number == 2:
            _require(kind, BYTES)
            tensor = _value(data, first, last)
    return name, tensor


def _value(data: bytes, start: int, stop: int) -> Tensor | None:
    tensor = None
    for number, kind, first, last in fields(data, start, stop):
        if number == _OPAQUE:
            raise DecodeError(
                "a tensor of bytes; expected numbers. Write float32_tensor, float64_tensor or "
                "int32_tensor"
            )
        if number in _UNPACKED:
            _require(kind, BYTES)
            tensor = _tensor(data, first, last, number)
    return tensor


def _tensor(data: bytes, start: int, stop: int, kind: int) -> Tensor:
    parts: dict[int, list[tuple[int, int]]] = {_VALUES: [], _KEYS: [], _SHAPE: []}
    for number, wire, first, last in fields(data, start, stop):
        if number in parts:
            _require(wire, BYTES, _UNPACKED[kind] if number == _VALUES else VARINT)
            parts[number].append((first, last))
    spans = parts[_VALUES]
    values, keys, shape = (b"".join(data[a:b] for a, b in part) for part in parts.values())
    if len(values) % _NUMBER_BYTES.get(kind, 1):
        raise WireError
    size = None
    if shape:
        size = 1
        for length in read_varints(shape):
            size *= length
    return Tensor(kind, values, keys, size, spans[0] if len(spans) == 1 else None)


def _require(kind: int, *allowed: int) -> None:
    if kind not in allowed:
        raise WireError


def _encode_entry(number: int, name: bytes, value: bytes) -> bytes:
    return encode_bytes(number, encode_bytes(1, name) + encode_bytes(2, value))


def _encode_value(values: NDArray[Any], keys: NDArray[Any] | None, size: int | None) -> bytes:
    if values.dtype == np.int32:
        # A negative int32 is written as the 64-bit number it extends to.
        packed = b"".join(encode_varint(int(value) % 2**64) for value in values)
        kind = INT32
    else:
        kind = FLOAT64 if values.dtype == np.float64 else FLOAT32
        packed = values.astype("<f8" if kind == FLOAT64 else "<f4").tobytes()
    tensor = encode_bytes(_VALUES, packed)
    if keys is not None:
        tensor += encode_bytes(_KEYS, b"".join(encode_varint(int(key)) for key in keys))
    if size is not None:
        tensor += encode_bytes(_SHAPE, encode_varint(size))
    return encode_bytes(kind, tensor)
