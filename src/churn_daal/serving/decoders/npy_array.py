"""`application/x-npy`: a NumPy array of numbers, one row or one a row of it."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator, Mapping
from tokenize import TokenError
from typing import Any, Final

import numpy as np
from numpy.lib import format as npy

from churn_daal.errors import DecodeError, SchemaError
from churn_daal.serving.decoders.positions import check_numbers_do, encode_slices
from churn_daal.tabular.encoder import Encoder, Matrix, Numbers

# NumPy parses the header as a literal of Python's; that of plain numbers has some 120 bytes.
_HEADER_BYTES: Final = 1 << 10
_READERS: Final = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
# What is no literal has many ways to fail.
_FAULTS: Final = (
    *(ValueError, TypeError, SyntaxError, TokenError),
    *(RecursionError, MemoryError, OverflowError),
)
_SAVE: Final = "send what numpy.save writes of an array of numbers"


def decode_npy(body: memoryview, _: Mapping[str, str], encoder: Encoder) -> Iterator[Matrix]:
    """Decode what `numpy.save` writes: integers, floats or booleans of any width and byte order.

    Nothing is unpickled. An array of one dimension is one row; columns are taken by position.

    Raises
    ------
    DecodeError
        The body is no such array, or cut short.
    SchemaError
        It has another shape or other contents than the model takes.
    """
    if not len(body):
        return
    schema = encoder.schema
    check_numbers_do(schema)
    array = _array(body)
    if array.ndim not in {1, 2}:
        raise SchemaError(
            f"an array of {array.ndim} dimensions; send (rows, {len(schema.columns)}), or "
            f"({len(schema.columns)},) for one row"
        )
    rows = array.reshape(1, -1) if array.ndim == 1 else array
    if len(rows):
        schema.check_count(rows.shape[1], row=1)

    def read(start: int, stop: int) -> Numbers:
        part = rows[start:stop]
        # Beyond float64 nothing is read, and what is no machine's own order is read as it is.
        wide = part.dtype.kind == "f" and part.dtype.itemsize > 8
        return part.astype(np.float64 if wide else part.dtype.newbyteorder("="))

    yield from encode_slices(len(rows), read, encoder)


def _array(body: memoryview) -> np.ndarray[Any, Any]:
    """Return the array as a view of the body."""
    stream = io.BytesIO(body[:_HEADER_BYTES])
    try:
        version = npy.read_magic(stream)
        read = _READERS.get(version)
        if read is None:
            raise DecodeError(f"version {version[0]}.{version[1]} of the format; {_SAVE}")
        shape, fortran, dtype = read(stream, max_header_size=_HEADER_BYTES)
    except _FAULTS as fault:
        reason = " ".join(str(fault).split())
        raise DecodeError(f"no NumPy array or a damaged one ({reason:.120}); {_SAVE}") from None
    if dtype.kind not in "fiub":
        what = "Python objects, which are never unpickled" if dtype.hasobject else f"{dtype!s:.60}"
        raise DecodeError(
            f"an array of {what}; turn it into numbers, as with array.astype('float32'), or send "
            "text/csv or application/json"
        )
    start = stream.tell()
    size = math.prod(shape) * dtype.itemsize
    if min(shape, default=0) < 0 or size != len(body) - start:
        raise DecodeError(
            f"{len(body) - start:,} bytes after the header, but the shape {shape!s:.60} of "
            f"{dtype} takes {size:,}; the body is cut short or damaged: {_SAVE}"
        )
    count = math.prod(shape)
    flat = np.frombuffer(body, dtype, count=count, offset=start) if count else np.empty(0, dtype)
    return flat.reshape(shape, order="F" if fortran else "C")
