"""The wire format of protocol buffers, as much of it as SageMaker's `Record` needs.

https://protobuf.dev/programming-guides/encoding. The library for it would be a dependency of
every image for the sake of one message with three kinds of numbers in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

VARINT: Final = 0
FIXED64: Final = 1
BYTES: Final = 2
FIXED32: Final = 5
_FIXED = {FIXED64: 8, FIXED32: 4}
_LONGEST_VARINT = 10


class WireError(ValueError):
    """Bytes that are not a message."""


def fields(data: bytes, start: int, stop: int) -> Iterator[tuple[int, int, int, int]]:
    """Yield (number, wire type, start, stop) of the fields of the message in `data[start:stop]`.

    The place is that of the content: a varint's own bytes, a string's without its length.

    Raises
    ------
    WireError
        The bytes do not make a message.
    """
    while start < stop:
        tag = data[start]
        start += 1
        if tag >= 0x80:
            tag, start = _varint(data, start - 1, stop)
        kind = tag & 7
        if kind == BYTES:
            if start >= stop:
                raise WireError
            size = data[start]
            start += 1
            if size >= 0x80:
                size, start = _varint(data, start - 1, stop)
            end = start + size
        elif kind == VARINT:
            _, end = _varint(data, start, stop)
        elif kind in _FIXED:
            end = start + _FIXED[kind]
        else:
            raise WireError
        if end > stop or tag < 8:
            raise WireError
        yield tag >> 3, kind, start, end
        start = end


def varints(data: bytes) -> tuple[NDArray[np.uint64], NDArray[np.intp]]:
    """Read packed varints, all at once.

    Returns
    -------
    uint64 (k,), the values; int (k,), the offset at which each ends.

    Raises
    ------
    WireError
        The last is cut short, or one is longer than 10 bytes.
    """
    given = np.frombuffer(data, dtype=np.uint8)
    ends = np.flatnonzero(given < 0x80) + 1
    if not len(ends):
        if len(given):
            raise WireError
        return np.zeros(0, dtype=np.uint64), ends
    starts = np.append([0], ends[:-1])
    lengths = ends - starts
    if ends[-1] != len(given) or lengths.max() > _LONGEST_VARINT:
        raise WireError
    values = (given[starts] & 0x7F).astype(np.uint64)
    for place in range(1, int(lengths.max())):
        longer = np.flatnonzero(lengths > place)
        more = (given[starts[longer] + place] & 0x7F).astype(np.uint64)
        values[longer] |= more << np.uint64(7 * place)
    return values, ends


def read_varints(data: bytes) -> list[int]:
    """Read a few packed varints, for which `varints` would take longer.

    Raises
    ------
    WireError
        See `varints`.
    """
    values, start = [], 0
    while start < len(data):
        value, start = _varint(data, start, len(data))
        values.append(value)
    return values


def encode_varint(value: int) -> bytes:
    """Return a number of 0 or more as a varint."""
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def encode_bytes(number: int, content: bytes) -> bytes:
    """Return a field that holds bytes, a text, a message or packed numbers."""
    return encode_varint(number << 3 | BYTES) + encode_varint(len(content)) + content


def _varint(data: bytes, start: int, stop: int) -> tuple[int, int]:
    value = shift = 0
    for place in range(start, min(stop, start + _LONGEST_VARINT)):
        byte = data[place]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place + 1
        shift += 7
    raise WireError
