"""The RecordIO framing: where one record of a stream ends and the next begins.

A frame is the magic number, a word with the length in its lower 29 bits and the kind of frame in
its upper 3, and the payload, padded to 4 bytes. A payload that holds the magic number may have been
split there, over a first, middle and last frames, and the number left out.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import BinaryIO, Final, Protocol

from churn_daal.errors import DecodeError, UserError

MAGIC: Final = struct.pack("<I", 0xCED7230A)
_WHOLE, _FIRST, _MIDDLE, _LAST = range(4)
_LENGTH_BITS = 29
_HEADER = struct.Struct("<4sI")
_READ_BYTES: Final = 1 << 20


class Stream(Protocol):
    """What records are read from."""

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes, none at the end."""


def frame(payload: bytes) -> bytes:
    """Return a record as one frame.

    Parameters
    ----------
    payload
        Less than 512 MB.
    """
    if len(payload) >= 1 << _LENGTH_BITS:
        raise ValueError(f"{len(payload)} bytes do not fit a frame of {1 << _LENGTH_BITS}")
    return _HEADER.pack(MAGIC, len(payload)) + payload + bytes(-len(payload) % 4)


def read_records(stream: BinaryIO, *, name: str) -> Iterator[bytes]:
    """Yield the payload of each record of a file.

    Parameters
    ----------
    stream
        Read to its end, a piece at a time; not closed.
    name
        The file, as a message names it.

    Raises
    ------
    UserError
        Naming file and byte offset; see `records`.
    """
    try:
        yield from records(stream)
    except DecodeError as fault:
        raise UserError(f"{name}: {fault}") from fault


def unwrap(stream: BinaryIO, *, name: str) -> Iterator[tuple[bytes, bool]]:
    """Yield each record's payload in pieces of bounded size, and whether the record ends there.

    For records as large as a whole file, which is what SageMaker makes of each object of a
    channel with RecordWrapperType `RecordIO`.

    Raises
    ------
    UserError
        See `read_records`.
    """
    try:
        yield from _pieces(stream)
    except DecodeError as fault:
        raise UserError(f"{name}: {fault}") from fault


def records(stream: Stream) -> Iterator[bytes]:
    """Yield the payload of each record.

    Raises
    ------
    DecodeError
        Naming the byte offset: these are not frames, or the last one is cut short.
    """
    parts: list[bytes] = []
    for piece, ends in _pieces(stream):
        if ends and not parts:
            yield piece
        else:
            parts.append(piece)
            if ends:
                yield b"".join(parts)
                parts = []


def _pieces(stream: Stream) -> Iterator[tuple[bytes, bool]]:
    source = _Source(stream)
    kind = _WHOLE
    while header := source.take(_HEADER.size):
        start = source.offset - len(header)
        previous, (kind, length) = kind, source.header(header, start)
        if (kind in {_MIDDLE, _LAST}) != (previous in {_FIRST, _MIDDLE}):
            raise DecodeError(
                f"byte {start}: a frame of kind {kind} after one of kind {previous}; "
                "the parts of a record are out of order. Write it anew"
            )
        if previous in {_FIRST, _MIDDLE}:
            yield MAGIC, False
        ends = kind in {_WHOLE, _LAST}
        left = length
        while left > _READ_BYTES:
            yield source.all_of(_READ_BYTES, start), False
            left -= _READ_BYTES
        payload = source.all_of(left, start)
        source.all_of(-length % 4, start)
        yield payload, ends
    if kind in {_FIRST, _MIDDLE}:
        raise DecodeError(
            f"byte {source.offset}: the data ends within a record of several frames; it "
            "is cut short. Write or send it anew"
        )


class _Source:
    """A stream, read in large pieces and handed out in small ones."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._buffer, self._at = b"", 0
        self.offset = 0

    def take(self, count: int) -> bytes:
        """Return the next `count` bytes, fewer at the end of the stream."""
        stop = self._at + count
        if stop > len(self._buffer):
            self._fill(count)
            stop = self._at + count
        piece = self._buffer[self._at : stop]
        self._at += len(piece)
        self.offset += len(piece)
        return piece

    def all_of(self, count: int, start: int) -> bytes:
        """Return the next `count` bytes of the frame at `start`."""
        piece = self.take(count)
        if len(piece) < count:
            raise DecodeError(
                f"byte {start}: the data ends at byte {self.offset}, within the "
                "record that starts here; it is cut short. Write or send it anew"
            )
        return piece

    def header(self, header: bytes, start: int) -> tuple[int, int]:
        """Return kind and length of the frame at `start`."""
        if not header.startswith(MAGIC[: len(header)]):
            raise DecodeError(
                f"byte {start}: {header[:4].hex(' ')} is not the start of a RecordIO "
                f"record, {MAGIC.hex(' ')}; set the content type to what the data is"
            )
        if len(header) < _HEADER.size:
            raise DecodeError(
                f"byte {start}: the data ends at byte {self.offset}, within the "
                "record that starts here; it is cut short. Write or send it anew"
            )
        word = int.from_bytes(header[4:], "little")
        kind = word >> _LENGTH_BITS
        if kind > _LAST:
            raise DecodeError(
                f"byte {start}: a frame of kind {kind}; expected 0 to {_LAST}. "
                "The data is damaged: write or send it anew"
            )
        return kind, word & ((1 << _LENGTH_BITS) - 1)

    def _fill(self, count: int) -> None:
        pieces = [self._buffer[self._at :]]
        held = len(pieces[0])
        while held < count:
            piece = self._stream.read(max(_READ_BYTES, count - held))
            if not piece:
                break
            pieces.append(piece)
            held += len(piece)
        self._buffer, self._at = b"".join(pieces), 0
