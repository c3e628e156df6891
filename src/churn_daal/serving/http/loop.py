"""What all connections of a worker share: the loop's clock, the app, and who answers where."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Protocol

from churn_daal.serving.http.arrival import Exchange
from churn_daal.serving.http.connection import Connection
from churn_daal.serving.http.known_heads import KnownHeads
from churn_daal.serving.http.reply import FAULT, Environ, Reply, Wsgi, ask

log = logging.getLogger(__name__)


class Quick(Protocol):
    """Answers what takes no time to speak of."""

    def is_quick(self, environ: Environ, size: int) -> bool:
        """Tell of a request with so many bytes of a body whether it is such a one."""

    def answers(self, environs: Sequence[Environ]) -> Sequence[Reply]:
        """Answer requests that came at the same moment."""


class Loop:
    """The running event loop, as connections see it.

    Parameters
    ----------
    app
        What answers.
    quick
        What is answered in the loop itself: all other clients wait for it meanwhile. None where
        nothing is.
    limit
        Bytes of a body that are kept.
    threads
        How many requests are answered beside the loop at a time; further ones wait.
    """

    def __init__(self, app: Wsgi, quick: Quick | None, *, limit: int, threads: int) -> None:
        self.limit = limit
        self.heads = KnownHeads()
        self.connections: set[Connection] = set()
        self.stopping = False
        self._app, self._quick = app, quick
        self._loop = asyncio.get_running_loop()
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="answers")
        self.now = self._loop.time
        self._together: list[tuple[Connection, Exchange]] = []

    def ask(self, connection: Connection, exchange: Exchange) -> None:
        """Have a request answered; the connection hears of it then."""
        if self._quick is not None and self._quick.is_quick(exchange.environ, exchange.body.size):
            if not self._together:
                # After what else has come by now.
                self._loop.call_soon(self.answer)
            self._together.append((connection, exchange))
        else:
            self._hand_on(connection, exchange)

    def answer(self) -> None:
        """Answer the quick requests that have come."""
        waiting, self._together = self._together, []
        assert self._quick is not None  # noqa: S101 - see `ask`
        came: list[tuple[Connection, Exchange]] = []
        for connection, exchange in waiting:
            # A model may have begun to change meanwhile.
            if self._quick.is_quick(exchange.environ, exchange.body.size):
                came.append((connection, exchange))
            else:
                self._hand_on(connection, exchange)
        try:
            replies = self._quick.answers([exchange.environ for _, exchange in came])
        except Exception:
            log.exception("%d requests failed", len(came))
            replies = [FAULT] * len(came)
        for (connection, exchange), reply in zip(came, replies, strict=True):
            connection.answered(exchange, reply)

    def _hand_on(self, connection: Connection, exchange: Exchange) -> None:
        future = self._loop.run_in_executor(self._pool, ask, self._app, exchange.environ)
        future.add_done_callback(partial(_hand_over, connection, exchange))

    def check(self) -> None:
        """Let go of clients that hold a connection for nothing."""
        now = self.now()
        for connection in list(self.connections):
            connection.check(now)

    def stop(self) -> None:
        """Answer what has come, and end."""
        self.stopping = True
        for connection in list(self.connections):
            connection.stop()


def _hand_over(connection: Connection, exchange: Exchange, future: asyncio.Future[Reply]) -> None:
    connection.answered(exchange, future.result())
