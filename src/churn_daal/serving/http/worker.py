"""The worker class: accepts connections, shows signs of life, and ends when it is told."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import socket
import sys
from functools import partial
from typing import Any, Final

import uvloop
from gunicorn.workers.base import Worker

from churn_daal.serving.http.connection import Connection
from churn_daal.serving.http.loop import Loop
from churn_daal.serving.http.reply import Environ

log = logging.getLogger(__name__)
TICK_SECONDS: Final = 1
_DRAIN_PAUSE: Final = 0.02


class EventLoopWorker(Worker):  # type: ignore[misc]
    """Serves gunicorn's app on an event loop.

    gunicorn's application has, beside the app, `quick` and `settings`: see `Loop`.
    """

    def run(self) -> None:
        """Serve until SIGTERM."""
        # What is there now stays: no later collection need look at it.
        gc.collect()
        gc.freeze()
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        loop = asyncio.get_running_loop()
        stopped = asyncio.Event()
        loop.add_signal_handler(signal.SIGTERM, stopped.set)
        settings = self.app.settings
        self._shared = Loop(
            self.wsgi, self.app.quick, limit=settings.max_content_length, threads=self.cfg.threads
        )
        self._joining: set[asyncio.Task[Any]] = set()
        listeners = [(listener.sock, _base(listener.sock)) for listener in self.sockets]
        for listener, base in listeners:
            listener.settimeout(0)
            loop.add_reader(listener, self._accept, listener, base)
        # gunicorn gives half of the time after which it takes a silent worker for dead.
        tick = min(TICK_SECONDS, self.timeout / 2)
        # A SIGTERM that came while the app was loaded shows in `alive`.
        while self.alive and not stopped.is_set() and self.ppid == os.getppid():
            self.notify()
            self._shared.check()
            try:
                await asyncio.wait_for(stopped.wait(), tick)
            except TimeoutError:
                continue
        for listener, base in listeners:
            loop.remove_reader(listener)
            # Who has connected is answered.
            while self._accept(listener, base):
                pass
            listener.close()
        await self._drain()

    async def _drain(self) -> None:
        end = self._shared.now() + self.cfg.graceful_timeout
        while self._joining:
            await asyncio.sleep(0)
        self._shared.stop()
        while self._shared.connections and self._shared.now() < end:
            self.notify()
            await asyncio.sleep(_DRAIN_PAUSE)
            self._shared.check()

    def _accept(self, listener: socket.socket, base: Environ) -> bool:
        """Take one connection, not all there are: other workers take their share."""
        try:
            client, _ = listener.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return False
        except OSError as error:
            log.error("no connection can be accepted: %s", error)  # noqa: TRY400 - it says all
            self._rest(listener, base)
            return False
        client.settimeout(0)
        loop = asyncio.get_running_loop()
        made = loop.connect_accepted_socket(partial(Connection, self._shared, base), client)
        task = loop.create_task(made)
        # The loop itself keeps no task alive.
        self._joining.add(task)
        task.add_done_callback(self._joining.discard)
        return True

    def _rest(self, listener: socket.socket, base: Environ) -> None:
        """Accept nothing for a moment: too many files are open."""
        loop = asyncio.get_running_loop()
        if loop.remove_reader(listener):
            loop.call_later(TICK_SECONDS, loop.add_reader, listener, self._accept, listener, base)


def _base(listener: socket.socket) -> Environ:
    """Return what the environment of every request has that comes to a port."""
    host, port = listener.getsockname()[:2]
    return {
        "SCRIPT_NAME": "",
        "SERVER_NAME": host,
        "SERVER_PORT": str(port),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
