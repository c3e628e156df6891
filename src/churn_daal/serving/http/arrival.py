"""A request while it comes in: its body is held in memory, beyond some megabytes on the disk."""

from __future__ import annotations

import contextlib
import mmap
import tempfile
from dataclasses import dataclass
from typing import IO

from churn_daal.errors import NoRoomError, RequestError
from churn_daal.serving.body import DRAINED, HELD, disk_full, too_large
from churn_daal.serving.http.reply import Environ, Reply


class Arrival:
    """A body, and `wsgi.input` at once. Filled by one thread, read by one when it is whole.

    Parameters
    ----------
    limit
        Bytes that are kept. Of a longer body the rest is passed over, so that a client that
        sends before it listens gets its answer.
    length
        Content-Length; None for a chunked body.
    """

    def __init__(self, limit: int, length: int | None) -> None:
        self._limit = limit
        self._pieces: list[bytes] = []
        self._file: IO[bytes] | None = None
        self._fault: RequestError | None = None
        self._place = 0
        self.size = 0
        if length is not None and length > limit:
            self._fault = too_large(limit, length)

    @property
    def is_refused(self) -> bool:
        """Whether nothing more of it is kept."""
        return self._fault is not None

    @property
    def overrun(self) -> bool:
        """Whether more has come than is worth reading for the sake of an answer."""
        return self._fault is not None and self.size > self._limit + DRAINED

    def add(self, piece: bytes) -> None:
        """Take what has come."""
        self.size += len(piece)
        if self._fault is not None:
            return
        if self.size > self._limit:
            self.fail(too_large(self._limit))
            return
        if self._file is None and self.size <= HELD:
            self._pieces.append(piece)
            return
        try:
            self._keep(piece)
        except OSError as error:
            self.fail(NoRoomError(disk_full(error)))

    def fail(self, fault: RequestError) -> None:
        """Refuse the body; the first reason stays."""
        self._fault = self._fault or fault
        self.close()

    def whole(self) -> memoryview:
        """Return the body, in memory or mapped from a file without a name.

        Raises
        ------
        RequestError
            It did not come whole, is too large, or finds no room.
        """
        if self._fault is not None:
            raise self._fault
        if self._file is None:
            if len(self._pieces) > 1:
                self._pieces = [b"".join(self._pieces)]
            return memoryview(self._pieces[0] if self._pieces else b"")
        try:
            self._file.flush()
            # The map outlives the file's descriptor.
            return memoryview(mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ))
        except OSError as error:
            raise NoRoomError(disk_full(error)) from error

    def read(self, size: int = -1) -> bytes:
        """Return up to `size` bytes more, all for -1: WSGI's own way to the body."""
        body = self.whole()
        start, self._place = self._place, len(body) if size < 0 else self._place + size
        return bytes(body[start : self._place])

    def close(self) -> None:
        """Let go of what is held."""
        self._pieces.clear()
        if self._file is not None:
            # A full disk fails once more for what the file still holds back; nobody wants it.
            with contextlib.suppress(OSError):
                self._file.close()

    def _keep(self, piece: bytes) -> None:
        if self._file is None:
            self._file = tempfile.TemporaryFile(prefix="churn-daal-")  # noqa: SIM115 - see close
            self._file.writelines(self._pieces)
            self._pieces.clear()
        self._file.write(piece)


@dataclass(slots=True)
class Exchange:
    """A request that came, and what its answer depends on."""

    environ: Environ
    body: Arrival
    keep: bool = True
    # Where it is known before anyone is asked.
    reply: Reply | None = None
