"""gunicorn's processes: what it is told, and what is done before and after each fork.

The first process never computes; each worker builds its own copy of the model after the fork,
since neither OpenMP's nor TBB's threads outlive one.
"""

from __future__ import annotations

import logging
import math
import os
import signal
import socket
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from gunicorn.workers.base import Worker

from churn_daal.errors import ArtifactError, UserError
from churn_daal.serving.access import Watched
from churn_daal.serving.app import QUICK
from churn_daal.serving.counters import Counters, Tally
from churn_daal.serving.http.loop import Quick
from churn_daal.serving.http.worker import EventLoopWorker
from churn_daal.serving.lines import Lines
from churn_daal.settings import ServeSettings

# SageMaker kills 30 seconds after SIGTERM (rule S5).
GRACE_SECONDS = 25
KEEPALIVE_SECONDS = 75
# A thread waits while a slow client sends; the others answer meanwhile.
THREADS = 16
# How long a client may send nothing in the middle of a request.
STALL_SECONDS = 5


class Server(BaseApplication):  # type: ignore[misc]
    """gunicorn set up from `ServeSettings`, reading neither files nor arguments of its own.

    Parameters
    ----------
    settings
        The settings.
    build
        Makes the app, in each worker, that counts in the worker's tally.
    """

    def __init__(
        self, settings: ServeSettings, build: Callable[[ServeSettings, Tally | None], Flask]
    ) -> None:
        self.settings, self.build = settings, build
        # Before the fork, so that all workers share them. While gunicorn reloads there are twice
        # as many workers.
        self.counters = Counters(2 * settings.workers)
        self.tally: Tally | None = None
        self.quick: Quick | None = None
        super().__init__()

    def load_config(self) -> None:
        """Hand gunicorn its settings."""
        for name, value in options(self.settings).items():
            self.cfg.set(name, value)

    def load(self) -> Watched:
        """Build the app; gunicorn calls this in each worker, and ends where one cannot."""
        try:
            app = self.build(self.settings, self.tally)
        except (ArtifactError, UserError) as error:
            print(f"serve: {error}", file=sys.stderr, flush=True)
            raise SystemExit(Arbiter.APP_LOAD_ERROR) from None
        self.quick = app.extensions.get(QUICK)
        front: Watched = app.wsgi_app  # type: ignore[assignment] # see `new_app`
        front.write = Lines().add
        return front


def options(settings: ServeSettings) -> dict[str, Any]:
    """Return gunicorn's settings."""
    ports = [settings.port, *([settings.metrics_port] if settings.metrics_port else [])]
    concurrent = settings.max_concurrent_transforms or 0
    return {
        "bind": [f"0.0.0.0:{port}" for port in ports],
        "workers": settings.workers,
        "worker_class": EventLoopWorker if settings.server == "event-loop" else "gthread",
        "threads": max(THREADS, math.ceil(concurrent / settings.workers)),
        "timeout": settings.timeout,
        "graceful_timeout": GRACE_SECONDS,
        "keepalive": KEEPALIVE_SECONDS,
        "worker_tmp_dir": _memory_folder(),
        "control_socket_disable": True,
        "proc_name": "churn_daal serve",
        "loglevel": logging.getLevelName(max(10, settings.log_level // 10 * 10)).lower(),
        "pre_fork": _give_slot,
        "when_ready": _limit_stalls,
        "post_fork": _begin,
    }


def _give_slot(arbiter: Arbiter, worker: Worker) -> None:
    """Give a worker counters that no living one has, those of one that died if there are."""
    taken = {living.slot for living in arbiter.WORKERS.values()}
    slots = range(worker.app.counters.slots)
    worker.slot = next((slot for slot in slots if slot not in taken), slots[-1])


def _begin(_arbiter: Arbiter, worker: Worker) -> None:
    worker.app.tally = worker.app.counters.tally(worker.slot)
    worker.app.tally.start()
    _end_at_sigterm()


def _end_at_sigterm() -> None:
    """Drop the parent's handler, under which a worker that still boots would not hear SIGTERM.

    It has its own from the moment it serves.
    """
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _limit_stalls(arbiter: Arbiter) -> None:
    """Let no client hold a thread by sending nothing: gunicorn's threads know no such limit.

    Linux hands the option down to every connection a listener accepts.
    """
    limit = struct.pack("ll", STALL_SECONDS, 0)
    for listener in arbiter.LISTENERS:
        listener.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)


def _memory_folder() -> str | None:
    """Return where heartbeat files stay off the disk; None for gunicorn's default."""
    shared = Path("/dev/shm")  # noqa: S108 - a memory file system, not a guessable file
    return str(shared) if shared.is_dir() and os.access(shared, os.W_OK) else None
