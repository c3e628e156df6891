"""Reads a request's body: all of it, within the limit, or a refusal.

Werkzeug's own limit ends a chunked body at the limit without a word, and takes a body that is
shorter than its Content-Length for whole; either would be answered for rows nobody sent.
"""

from __future__ import annotations

import logging
import mmap
import tempfile
from collections.abc import Callable
from typing import IO, Final, Protocol

from churn_daal.errors import NoRoomError, PayloadTooLargeError, RequestError

log = logging.getLogger(__name__)
# Of a body that is refused, so much is still read: a client that is cut off while it sends sees a
# broken connection in place of the answer.
DRAINED: Final = 128 * 2**20
PIECE: Final = 2**16
# Larger bodies go to the local disk, and are mapped from there.
HELD: Final = 16 * 2**20


class Stream(Protocol):
    """What WSGI hands over as `wsgi.input`."""

    def read(self, size: int) -> bytes:
        """Return up to `size` bytes, none at the end."""


def read_body(stream: Stream, *, length: int | None, terminated: bool, limit: int) -> memoryview:
    """Return a request's body, one of more than 16 MiB by way of a file without a name.

    Parameters
    ----------
    stream
        `wsgi.input`.
    length
        Content-Length in bytes; None where there is none.
    terminated
        Whether the server ends the stream itself (`wsgi.input_terminated`), as it must for a
        chunked body.
    limit
        Bytes allowed.

    Raises
    ------
    PayloadTooLargeError
        413.
    NoRoomError
        507: the local disk is full.
    RequestError
        400: the body ends before its Content-Length, or its chunks are malformed.
    """
    whole: Callable[[], memoryview] | None = getattr(stream, "whole", None)
    if whole is not None:
        return whole()  # this package's own server has read it, by the same rules
    if length is None and not terminated:
        return memoryview(b"")
    if length is not None and length > limit:
        _drain(stream, min(length, DRAINED))
        raise too_large(limit, length)
    body = _read(stream, limit + 1 if length is None else length)
    if len(body) > limit:
        _drain(stream, DRAINED)
        raise too_large(limit)
    if length is not None and len(body) < length:
        raise RequestError(
            f"the body ends after {len(body):,} bytes of a Content-Length of {length:,}; "
            "send it again, whole"
        )
    return body


def too_large(limit: int, length: int | None = None) -> PayloadTooLargeError:
    """Return the refusal of a body over the limit, of that many bytes where it is known."""
    came = "" if length is None else f"has {length:,} bytes and "
    return PayloadTooLargeError(
        f"the body {came}is over the limit of {limit:,} bytes; send fewer rows a request, or raise "
        "MAX_CONTENT_LENGTH"
    )


def _read(stream: Stream, size: int) -> memoryview:
    pieces: list[bytes] = []
    held = 0
    while size and held <= HELD and (piece := _next(stream, min(size, HELD))):
        pieces.append(piece)
        held += len(piece)
        size -= len(piece)
    if held <= HELD:
        return memoryview(pieces[0] if len(pieces) == 1 else b"".join(pieces))
    try:
        with tempfile.TemporaryFile(prefix="churn-daal-") as file:
            file.writelines(pieces)
            pieces.clear()
            return _spooled(stream, size, file)
    except OSError as error:
        raise NoRoomError(disk_full(error)) from error


def _spooled(stream: Stream, size: int, file: IO[bytes]) -> memoryview:
    while size and (piece := _next(stream, min(size, HELD))):
        file.write(piece)
        size -= len(piece)
    file.flush()
    # The map outlives the file's descriptor.
    return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))


def _next(stream: Stream, size: int) -> bytes:
    try:
        return stream.read(size)
    # Each server has its own errors for a malformed chunk or a client that stalls.
    except Exception as error:
        log.warning("a body could not be read: %r", error)
        raise RequestError(
            "the body could not be read: it stalled, or its chunks are malformed; send it again"
        ) from error


def _drain(stream: Stream, size: int) -> None:
    try:
        while size > 0 and (piece := stream.read(min(PIECE, size))):
            size -= len(piece)
    except Exception as error:
        log.debug("a refused body could not be drained: %r", error)


def disk_full(error: OSError) -> str:
    """Return why there is no room for a body."""
    return (
        f"the body cannot be kept on the local disk, in {tempfile.gettempdir()}: "
        f"{error.strerror}; send fewer rows a request, or give the server more disk"
    )
