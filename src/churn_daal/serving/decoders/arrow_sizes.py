"""How large an Arrow stream says that it is, looked up before anything is unpacked.

A compressed buffer begins with its size, for which Arrow makes room; a batch without buffers may
have any number of rows. Both stand in each message's metadata, a FlatBuffer
(https://arrow.apache.org/docs/format/Columnar.html#serialization-and-interprocess-communication-ipc).
"""

from __future__ import annotations

import struct
from typing import Any, Final

import pyarrow as pa

from churn_daal.errors import DecodeError
from churn_daal.serving.decoders.blocks import check_rows

# Fields of a Message, a RecordBatch and a DictionaryBatch.
_HEADER: Final = 2
_LENGTH, _BUFFERS, _COMPRESSION = 0, 2, 3
_DATA: Final = 1


def check_stream(body: memoryview, *, most: int) -> None:
    """Refuse a stream of more rows than bytes, or of more than `most` bytes when unpacked.

    Raises
    ------
    DecodeError
        It is one.
    """
    rows = size = 0
    reader = pa.ipc.MessageReader.open_stream(pa.py_buffer(body))
    for message in reader:
        if message.type not in {"record batch", "dictionary"}:
            continue
        try:
            length, unpacked = _sizes(message)
        except (struct.error, IndexError) as fault:
            raise DecodeError("damaged metadata; send the stream again") from fault
        size += unpacked
        rows += length if message.type == "record batch" else 0
        check_rows(rows, body)
        if size > most:
            raise DecodeError(
                f"{len(body):,} bytes that hold {size:,}; this server unpacks {most:,} of them at "
                "most. Send fewer rows a request"
            )


def _sizes(message: Any) -> tuple[int, int]:  # noqa: ANN401 - Arrow's
    """Return the rows of a batch and the bytes that its compressed buffers hold."""
    data = memoryview(message.metadata)
    batch = _child(data, _root(data), _HEADER)
    if message.type == "dictionary":
        batch = _child(data, batch, _DATA)
    length = _field(data, batch, _LENGTH)
    rows = struct.unpack_from("<q", data, length)[0] if length else 0
    buffers = _field(data, batch, _BUFFERS)
    if not buffers or not _field(data, batch, _COMPRESSION):
        return rows, 0
    start = buffers + struct.unpack_from("<I", data, buffers)[0]
    (count,) = struct.unpack_from("<I", data, start)
    body = memoryview(message.body)
    unpacked = 0
    for place in range(count):
        offset, size = struct.unpack_from("<qq", data, start + 4 + 16 * place)
        if size >= 8:
            # -1 stands before a buffer that is not compressed after all.
            unpacked += max(0, struct.unpack_from("<q", body, offset)[0])
    return rows, unpacked


def _root(data: memoryview) -> int:
    return int(struct.unpack_from("<I", data, 0)[0])


def _child(data: memoryview, table: int, field: int) -> int:
    """Return where the table starts that a field holds."""
    place = _field(data, table, field)
    if not place:
        raise IndexError(field)
    return place + int(struct.unpack_from("<I", data, place)[0])


def _field(data: memoryview, table: int, field: int) -> int:
    """Return where a table's field lies; 0 where the table does not have it."""
    vtable = table - struct.unpack_from("<i", data, table)[0]
    (size,) = struct.unpack_from("<H", data, vtable)
    entry = 4 + 2 * field
    if entry + 2 > size:
        return 0
    offset = int(struct.unpack_from("<H", data, vtable + entry)[0])
    return table + offset if offset else 0
