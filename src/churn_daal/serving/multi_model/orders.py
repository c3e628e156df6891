"""How a load or an unload reaches every worker, and is over in all of them when it is answered.

Each worker listens on a socket of its own. The one that has the request connects to all, names the
model, and hears from each when it is prepared. Then it changes the registry, or does not, and ends
its side of the connections: each worker looks what the registry says, keeps or drops its copy, and
says so. A worker that dies, on either side, ends its connections too, so nothing is left half done.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import socket
import socketserver
import struct
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from churn_daal.errors import ArtifactError, NoRoomError, RequestError, UserError
from churn_daal.serving.multi_model.held import DRAIN_SECONDS, Held
from churn_daal.serving.multi_model.registry import Record

log = logging.getLogger(__name__)
# A worker that has not said a word for so long is not going to: it is ended, and a new one knows
# the registry. Longer than any load or drain should take.
SILENCE_SECONDS: Final = 10 * DRAIN_SECONDS
_SUFFIX: Final = ".worker"


class Listener:
    """A worker's socket, and the thread that takes orders from it.

    Parameters
    ----------
    folder
        Where all workers of the server have theirs; nobody else may enter it.
    held
        The worker's copies.
    """

    def __init__(self, folder: Path, held: Held) -> None:
        # Not by process alone: a number comes back.
        self.path = folder / f"{os.getpid()}-{uuid.uuid4().hex[:8]}{_SUFFIX}"
        self._server = _Server(str(self.path), _Handler)
        self._server.held = held
        threading.Thread(target=self._server.serve_forever, daemon=True, name="orders").start()

    def close(self) -> None:
        """Take no more orders."""
        self.path.unlink(missing_ok=True)
        self._server.shutdown()
        self._server.server_close()


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    request_queue_size = 128
    held: Held


class _Handler(socketserver.StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        line = self.rfile.readline()
        if not line.endswith(b"\n"):
            return
        order = json.loads(line)
        record = Record(**order["record"])
        try:
            self._tell(_prepared(self.server.held, record, load=order["load"]))
            with suppress(OSError):  # the end of a sender that died
                self.rfile.read()
        finally:
            users = self.server.held.settle(record)
        self._tell({"users": users})

    def _tell(self, what: dict[str, Any]) -> None:
        with suppress(OSError):  # the sender is gone: it is settled all the same
            self.wfile.write(json.dumps(what).encode() + b"\n")


def _prepared(held: Held, record: Record, *, load: bool) -> dict[str, Any]:
    try:
        held.prepare(record, load=load)
    except Exception as error:
        return fault_of(error)
    return {}


def fault_of(error: Exception) -> dict[str, Any]:
    """Return what is told of a load that failed: the status of the reason, and the reason."""
    if isinstance(error, ArtifactError | UserError):
        return {"status": RequestError.status, "error": str(error)}
    if isinstance(error, RequestError):
        return {"status": error.status, "error": str(error)}
    if isinstance(error, MemoryError):
        return {"status": NoRoomError.status, "error": "memory ended while it was loaded"}
    text = f"{type(error).__name__}; the server's log has the traceback"
    return {"status": 500, "error": text}


class Order:
    """One load or unload under way in the workers.

    Parameters
    ----------
    folder
        Where the workers have their sockets.
    record
        The model.
    load
        Whether it comes; else it goes.
    silence
        Seconds after which a worker that does not say a word is ended.
    """

    def __init__(
        self, folder: Path, record: Record, *, load: bool, silence: float = SILENCE_SECONDS
    ) -> None:
        self._folder, self._silence = folder, silence
        self._line = json.dumps({"record": asdict(record), "load": load}).encode() + b"\n"
        self._connected: dict[Path, _Connection] = {}

    def workers(self) -> list[Path]:
        """Return the sockets of the workers that live and were not told."""
        there = sorted(path for path in self._folder.iterdir() if path.suffix == _SUFFIX)
        return [path for path in there if path not in self._connected]

    def tell(self, workers: list[Path]) -> list[dict[str, Any]]:
        """Tell workers, who prepare at the same time; return what those that failed say."""
        fresh = [
            self._connected.setdefault(path, _Connection(path, self._silence)) for path in workers
        ]
        for connection in fresh:
            connection.send(self._line)
        replies = [connection.reply() for connection in fresh]
        return [reply for reply in replies if reply and "error" in reply]

    def finish(self) -> int:
        """Let all settle; return how many requests still use a copy that was dropped."""
        for connection in self._connected.values():
            connection.end()
        replies = [connection.reply() for connection in self._connected.values()]
        for connection in self._connected.values():
            connection.close()
        return sum(reply["users"] for reply in replies if reply)


@contextmanager
def ordered(
    folder: Path, record: Record, *, load: bool, silence: float = SILENCE_SECONDS
) -> Iterator[Order]:
    """Open an order, and let the workers settle whatever becomes of it."""
    order = Order(folder, record, load=load, silence=silence)
    try:
        yield order
    finally:
        users = order.finish()
        if users:
            log.warning("%d requests still use model %s, which is gone", users, record.name)


class _Connection:
    """To one worker; one that is gone answers None, one that stays silent is ended."""

    def __init__(self, path: Path, silence: float) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(silence)
        self._file = self._socket.makefile("rb")
        try:
            self._socket.connect(str(path))
        except (ConnectionError, FileNotFoundError):
            path.unlink(missing_ok=True)  # of a worker that was killed

    def send(self, line: bytes) -> None:
        with suppress(OSError):
            self._socket.sendall(line)

    def end(self) -> None:
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)

    def reply(self) -> dict[str, Any] | None:
        try:
            line = self._file.readline()
        except TimeoutError:
            self._kill()
            return None
        except OSError:
            return None
        return dict(json.loads(line)) if line.endswith(b"\n") else None

    def close(self) -> None:
        self._file.close()
        self._socket.close()

    def _kill(self) -> None:
        size = struct.calcsize("3i")
        who = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size)
        process, _, _ = struct.unpack("3i", who)
        log.error("worker %d takes no orders: it is ended", process)
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
