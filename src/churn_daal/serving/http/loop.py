"""What all connections of a worker share: the loop's clock, the app, and who answers where."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeAlias

from churn_daal.serving.http.connection import Connection
from churn_daal.serving.http.incoming import Exchange
from churn_daal.serving.http.reply import Environ, Reply, Wsgi, ask

# Tells of a request, and the bytes of its body, whether it is answered in the loop itself.
Quick: TypeAlias = Callable[[Environ, int], bool]


class Loop:
    """The running event loop, as connections see it.

    Parameters
    ----------
    app
        What answers.
    quick
        What is answered in the loop itself: all other clients wait for it meanwhile.
    limit
        Bytes of a body that are kept.
    threads
        How many requests are answered beside the loop at a time; further ones wait.
    """

    def __init__(self, app: Wsgi, quick: Quick, *, limit: int, threads: int) -> None:
        self.limit = limit
        self.connections: set[Connection] = set()
        self.stopping = False
        self._app, self._quick = app, quick
        self._loop = asyncio.get_running_loop()
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="answers")
        self.now = self._loop.time

    def ask(self, connection: Connection, exchange: Exchange) -> Reply | None:
        """Return the answer; None where a thread makes it, and the connection hears of it then."""
        if self._quick(exchange.environ, exchange.body.size):
            return ask(self._app, exchange.environ)
        future = self._loop.run_in_executor(self._pool, ask, self._app, exchange.environ)
        future.add_done_callback(partial(_hand_over, connection, exchange))
        return None

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
