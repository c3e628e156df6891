"""A small WSGI app on the event loop, in a thread of this process, asked by bare sockets."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest
import uvloop

from churn_daal.errors import RequestError
from churn_daal.serving.http.connection import Connection
from churn_daal.serving.http.loop import Loop
from churn_daal.serving.http.reply import Reply, ask
from churn_daal.serving.request import refused

LIMIT = 100_000
LARGE = 8 * 2**20
PATIENCE = 30


@dataclass
class Echo:
    """Answers what came; by the path it does what an app can do wrong."""

    seen: list[dict[str, Any]] = field(default_factory=list)
    pieces: int = 0
    hold: threading.Event = field(default_factory=threading.Event)
    held: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        """Answer."""
        self.seen.append(environ)
        path = environ["PATH_INFO"]
        try:
            body = bytes(environ["wsgi.input"].whole())
        except RequestError as error:
            answer = refused(str(error), error.status)
            start(f"{answer.status} Refused", [("Content-Type", "application/json")])
            return [bytes(answer.body)]
        if path == "/hold":
            self.held.release()
            assert self.hold.wait(PATIENCE)
        if path == "/fault":
            raise ZeroDivisionError
        if path == "/split":
            start("200 OK", [("X-Split", "a\r\nSet-Cookie: b")])
            return [b""]
        if path == "/none":
            start("204 No Content", [])
            return [b""]
        if path == "/whole":
            body = b"x" * (8 * LARGE)
        if path in {"/large", "/quick/broken"}:
            start("200 OK", [("Content-Length", str(LARGE))])
            sizes = [2**16] * (LARGE // 2**16) if path == "/large" else [1, 0]
            return (b"x" * (size * size // size) for size in sizes)  # a piece of 0 fails
        if path == "/gone":
            start("200 OK", [("Content-Length", str(LARGE))])
            return self._after_the_hold()
        start("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
        return [body]

    def _after_the_hold(self) -> Iterator[bytes]:
        yield b"x" * 2**16
        assert self.hold.wait(PATIENCE)
        for _ in range(LARGE // 2**16 - 1):
            self.pieces += 1
            yield b"x" * 2**16


@dataclass
class Quick:
    """Answers what begins with /quick, one after the other; /quick/once is so for a moment."""

    app: Echo
    groups: list[int] = field(default_factory=list)
    asked: set[int] = field(default_factory=set)

    def is_quick(self, environ: dict[str, Any], _size: int) -> bool:
        """Tell by the path."""
        if environ["PATH_INFO"] == "/quick/once":
            again = id(environ) in self.asked
            self.asked.add(id(environ))
            return not again
        return bool(environ["PATH_INFO"].startswith("/quick"))

    def answers(self, environs: Sequence[dict[str, Any]]) -> list[Reply]:
        """Answer."""
        self.groups.append(len(environs))
        if any(environ["PATH_INFO"] == "/quick/fault" for environ in environs):
            raise ZeroDivisionError
        return [ask(self.app, environ) for environ in environs]


@dataclass
class Running:
    """What runs: its port, its app, and the loop."""

    port: int
    app: Echo
    loop: asyncio.AbstractEventLoop
    shared: Loop
    quick: Quick

    def connect(self) -> socket.socket:
        """Open a connection."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)

    def exchange(self, *pieces: bytes, end: bool = True) -> bytes:
        """Send, and return all that comes back until the connection ends."""
        with contextlib.closing(self.connect()) as client:
            for piece in pieces:
                client.sendall(piece)
            if end:
                client.shutdown(socket.SHUT_WR)
            return client.makefile("rb").read()

    def do(self, call: Callable[[], object]) -> None:
        """Call something in the loop's thread."""
        done = threading.Event()
        self.loop.call_soon_threadsafe(lambda: (call(), done.set()))
        assert done.wait(PATIENCE)


@pytest.fixture
def running() -> Iterator[Running]:
    """Run the app, ten requests beside the loop at most; paths that begin with /quick are quick."""
    app = Echo()
    ready: list[Running] = []
    begun, end = threading.Event(), threading.Event()

    async def main() -> None:
        loop = asyncio.get_running_loop()
        quick = Quick(app)
        shared = Loop(app, quick, limit=LIMIT, threads=10)
        base = {"SCRIPT_NAME": "", "SERVER_PORT": "8080"}
        server = await loop.create_server(partial(Connection, shared, base), "127.0.0.1", 0)
        ready.append(Running(server.sockets[0].getsockname()[1], app, loop, shared, quick))
        begun.set()
        while not end.is_set():
            shared.check()
            await asyncio.sleep(0.02)
        for connection in list(shared.connections):
            connection._transport.abort()
        server.close()

    def run() -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(main())

    thread = threading.Thread(target=run)
    thread.start()
    assert begun.wait(PATIENCE)
    yield ready[0]
    app.hold.set()
    end.set()
    thread.join(PATIENCE)
    assert not thread.is_alive()
