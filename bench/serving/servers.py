"""A server's process: started on its core, asked until it answers, weighed, ended."""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.serving.home import BenchError
from bench.serving.peers import Peer
from bench.serving.place import Place

_START_SECONDS: Final = 60
_POLL_SECONDS: Final = 0.002


@dataclass(frozen=True)
class Running:
    """A server that answers.

    Attributes
    ----------
    process
        Its first process.
    port, route
        Where rows are posted.
    start_seconds
        From the start of its process to its first answer of 200 to rows.
    """

    process: int
    port: int
    route: str
    start_seconds: float

    @property
    def url(self) -> str:
        """Where rows are posted."""
        return f"http://127.0.0.1:{self.port}{self.route}"


@contextlib.contextmanager
def running(
    peer: Peer, model: Path, *, core: int | str, body: bytes, content_type: str
) -> Iterator[Running]:
    """Start a server on a core, or several (`0,1`), wait for an answer, and end it afterwards.

    Raises
    ------
    BenchError
        It ends, or does not answer in time.
    """
    with tempfile.TemporaryDirectory() as folder:
        place = _place(peer, model, Path(folder))
        start = peer.start(place)
        environ = os.environ | {"OMP_NUM_THREADS": "1"} | start.environ
        if peer.pins:
            environ.pop("PYTHONPATH", None)
        with (place.folder / "log").open("wb") as log:
            begin = time.perf_counter()
            process = subprocess.Popen(
                ["taskset", "-c", str(core), *start.command],
                env=environ,
                cwd=place.folder,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
            try:
                _wait(process, place, peer, body, content_type)
                took = time.perf_counter() - begin
                yield Running(process.pid, place.port, peer.route, took)
            finally:
                _end(process)


def _place(peer: Peer, model: Path, folder: Path) -> Place:
    booster = folder / "booster" / "model.ubj"
    booster.parent.mkdir()
    booster.write_bytes((model / "xgboost-model").read_bytes())
    # `serve` reads BASE/model.
    (folder / "ml").mkdir()
    (folder / "ml" / "model").symlink_to(model)
    return Place(folder / "ml" / "model", booster, folder, free_port(), peer.python())


def free_port() -> int:
    """Return a port that nothing listens on, nor on the two after it."""
    # Below what the kernel gives to clients; multi-model-server knows none above 32,767 either.
    for port in range(20_000 + os.getpid() % 1_000 * 10, 32_000, 3):
        with contextlib.ExitStack() as stack, contextlib.suppress(OSError):
            for number in range(port, port + 3):
                stack.enter_context(socket.socket()).bind(("127.0.0.1", number))
            return port
    raise BenchError("no three ports in a row are free between 20,000 and 32,000")


def _wait(
    process: subprocess.Popen[bytes], place: Place, peer: Peer, body: bytes, content_type: str
) -> None:
    pause = threading.Event()
    deadline = time.monotonic() + _START_SECONDS
    status, content = 0, b""
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError, http.client.HTTPException):
            status, content = ask(place.port, peer.route, body, content_type, seconds=10)
            if status == 200:
                return
        pause.wait(_POLL_SECONDS)
    log = (place.folder / "log").read_text(errors="replace")[-1500:]
    came = f"last answer {status} {content[:200]!r}" if status else "no answer"
    raise BenchError(f"did not come up ({came}): {log}")


def ask(
    port: int, route: str, body: bytes, content_type: str, *, seconds: float = 60
) -> tuple[int, bytes]:
    """Post one body on a connection of its own; return the status and the answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=seconds)
    with contextlib.closing(connection):
        headers = {"Content-Type": content_type, "Accept": content_type}
        connection.request("POST", route, body, headers)
        response = connection.getresponse()
        return response.status, response.read()


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout=15)
    # Whatever it left, and itself where it does not listen.
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def megabytes(process: int) -> tuple[float, float]:
    """Return the resident memory of a server's worker, and the whole server's share of memory.

    A worker is a process that has no children; of several the largest. Pages that processes share
    are counted once in the second figure.
    """
    worker, total, waiting = 0.0, 0.0, [process]
    while waiting:
        number = waiting.pop()
        with contextlib.suppress(OSError):
            tasks = Path(f"/proc/{number}/task").glob("*/children")
            children = [child for task in tasks for child in task.read_text().split()]
            waiting += [int(child) for child in children]
            memory = Path(f"/proc/{number}/smaps_rollup").read_text()
            resident, share = (
                int(re.search(rf"^{name}:\s+(\d+)", memory, re.MULTILINE)[1]) * 1024 / 1e6
                for name in ("Rss", "Pss")
            )
            total += share
            worker = max(worker, 0.0 if children else resident)
    return worker, total
