"""Pipe mode: a channel's bytes come once, through a FIFO named after channel and epoch (rule T7).

They are spooled to the local disk, where the readers of File mode take them: training reads its
rows more than once, and the next epoch would be a second download.
"""

from __future__ import annotations

import errno
import logging
import os
import select
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, Final, cast

from churn_daal.contract.signals import StopSignal
from churn_daal.errors import UserError

log = logging.getLogger(__name__)
# Takes a stream and a name; yields pieces of each record, and whether the record ends there.
Unwrap = Callable[..., Iterator[tuple[bytes, bool]]]
WAIT_SECONDS: Final = 900.0
_POLL_SECONDS = 0.1
_COPY_BYTES = 1 << 20
_NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def spool(
    prefix: Path,
    folder: Path,
    *,
    unwrap: Unwrap | None = None,
    stop: StopSignal | None = None,
    wait_seconds: float = WAIT_SECONDS,
) -> Path:
    """Copy the first epoch of a channel to the local disk.

    Parameters
    ----------
    prefix
        The FIFO's path without `_0`: `/opt/ml/input/data/train`.
    folder
        An existing folder on the local disk with room for the channel.
    unwrap
        `tabular.recordio.unwrap` for a channel whose RecordWrapperType is `RecordIO`: each of its
        records is one object of the channel, and becomes a file of its own.
    stop
        Asked several times a second; a job that has to stop does not wait for data.
    wait_seconds
        How long to wait for the FIFO and for its first byte. Once bytes flow there is
        no limit.

    Returns
    -------
    A folder, named as the channel, that holds its files as File mode would.

    Raises
    ------
    UserError
        No FIFO or no bytes in time, nothing in it, records cut short, or no room on the disk;
        what was written is gone then. Also where the job is stopped.
    """
    fifo = prefix.with_name(f"{prefix.name}_0")
    target = folder / prefix.name
    target.mkdir()
    written: list[Path] = []
    try:
        with _Fifo(fifo, stop, wait_seconds) as source:
            stream = cast("BinaryIO", source)
            pieces = unwrap(stream, name=fifo.name) if unwrap else _pieces(source)
            _write(pieces, target, written, fifo.name)
            size = source.count
    except BaseException:
        for path in written:
            path.unlink(missing_ok=True)
        target.rmdir()
        raise
    log.info("%s: spooled %d bytes into %d file(s)", fifo.name, size, len(written))
    return target


class _Fifo:
    """The reading end of a FIFO that may not exist yet, or have no writer yet."""

    def __init__(self, path: Path, stop: StopSignal | None, wait_seconds: float) -> None:
        self._path, self._stop, self.count = path, stop, 0
        self._give_up = time.monotonic() + wait_seconds
        self._wait_seconds = wait_seconds
        self._file = self._open()
        self._poll = select.poll()
        self._poll.register(self._file, select.POLLIN)

    def __enter__(self) -> _Fifo:
        return self

    def __exit__(self, *_: object) -> None:
        # Its writer, if there still is one, gets a broken pipe.
        os.close(self._file)

    def read(self, size: int = -1, /) -> bytes:
        """Return up to `size` bytes, none once every writer has closed its end."""
        # Linux reports a hang-up only after a writer has come and gone, and bytes before it.
        while not self._poll.poll(_POLL_SECONDS * 1000):
            self._check(f"nothing has come through {self._path}" if not self.count else None)
        data = os.read(self._file, size if size > 0 else _COPY_BYTES)
        self.count += len(data)
        self._check(None)
        return data

    def _open(self) -> int:
        while True:
            try:
                # Without O_NONBLOCK this would wait for the writer, out of reach of a signal.
                return os.open(self._path, os.O_RDONLY | os.O_NONBLOCK)
            except FileNotFoundError:
                self._check(f"there is no FIFO {self._path}")
                time.sleep(_POLL_SECONDS)

    def _check(self, waiting: str | None) -> None:
        if self._stop is not None and self._stop.requested:
            raise UserError(
                f"{self._path.name}: stopped by a signal while the channel was read; there is no "
                "model yet. Start the job again"
            )
        if waiting and time.monotonic() > self._give_up:
            raise UserError(
                f"{self._path.name}: {waiting} within {self._wait_seconds:g} seconds; check the "
                "channel's S3 location and its access rights, or use File or FastFile mode"
            )


def _pieces(source: _Fifo) -> Iterator[tuple[bytes, bool]]:
    while piece := source.read(_COPY_BYTES):
        yield piece, False


def _write(
    pieces: Iterator[tuple[bytes, bool]], target: Path, written: list[Path], name: str
) -> None:
    """Write each record to a file of its own, in names that sort as they came."""
    size, file = 0, None
    try:
        for piece, ends in pieces:
            if file is None:
                written.append(target / f"part-{len(written):06d}")
                file = written[-1].open("wb")
            file.write(piece)
            size += len(piece)
            if ends:
                file.close()
                file = None
    except OSError as error:
        if error.errno not in _NO_SPACE:
            raise
        raise UserError(
            f"{name}: no room on the local disk after {size} bytes ({error.strerror}); give the "
            "job a larger volume (VolumeSizeInGB), or use FastFile mode"
        ) from error
    finally:
        if file is not None:
            file.close()
    if not size:
        raise UserError(
            f"{name}: the pipe was closed without a byte in it; check the channel's S3 location, "
            "which may match no object"
        )
