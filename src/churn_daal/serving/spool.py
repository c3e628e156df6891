"""Answers of any size: in memory up to some megabytes, beyond by way of the local disk."""

from __future__ import annotations

import contextlib
import mmap
import tempfile
from collections.abc import Iterable, Iterator
from typing import Final

from churn_daal.errors import NoRoomError
from churn_daal.serving.body import HELD

SENT: Final = 1 << 20


def spooled(pieces: Iterable[bytes]) -> bytes | memoryview:
    """Return pieces as one body, mapped from a file without a name if over 16 MiB.

    Raises
    ------
    NoRoomError
        507: the local disk is full.
    """
    source = iter(pieces)
    held: list[bytes] = []
    size = 0
    for piece in source:
        held.append(piece)
        size += len(piece)
        if size > HELD:
            return _mapped(held, source)
    return b"".join(held)


def sent(body: memoryview) -> Iterator[bytes]:
    """Yield a mapped body in the pieces it is sent in."""
    for start in range(0, len(body), SENT):
        yield bytes(body[start : start + SENT])


def _mapped(held: list[bytes], rest: Iterator[bytes]) -> memoryview:
    file = _Spill()
    with contextlib.closing(file):
        file.write(held)
        held.clear()
        for piece in rest:
            file.write([piece])
        return file.mapped()


class _Spill:
    """A file without a name, whose faults are told apart from those of what fills it."""

    def __init__(self) -> None:
        try:
            self.opened = tempfile.TemporaryFile(prefix="churn-daal-")  # noqa: SIM115 - see _mapped
        except OSError as error:
            raise _no_room(error) from error

    def write(self, pieces: Iterable[bytes]) -> None:
        try:
            self.opened.writelines(pieces)
        except OSError as error:
            raise _no_room(error) from error

    def close(self) -> None:
        # A full disk fails once more for what the file still holds back.
        with contextlib.suppress(OSError):
            self.opened.close()

    def mapped(self) -> memoryview:
        try:
            self.opened.flush()
            # The map outlives the file's descriptor.
            return memoryview(mmap.mmap(self.opened.fileno(), 0, access=mmap.ACCESS_READ))
        except OSError as error:
            raise _no_room(error) from error


def _no_room(error: OSError) -> NoRoomError:
    return NoRoomError(
        f"the answer cannot be kept on the local disk, in {tempfile.gettempdir()}: "
        f"{error.strerror}; send fewer rows a request, or give the server more disk"
    )
