"""`serve`: gunicorn's processes around the app.

The first process audits the model and never computes; each worker builds its own copy after
the fork, since neither OpenMP's nor TBB's threads outlive one.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import struct
import sys
from pathlib import Path
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from gunicorn.errors import HaltServer
from gunicorn.workers.base import Worker

from churn_daal import artifact
from churn_daal.errors import ArtifactError, NotAcceptableError, UserError
from churn_daal.serving import media
from churn_daal.serving.app import create_app
from churn_daal.serving.encoders import ENCODERS
from churn_daal.serving.invocation import ModelService
from churn_daal.serving.loading import load_service
from churn_daal.settings import ServeSettings, usable_cores

log = logging.getLogger(__name__)
# SageMaker kills 30 seconds after SIGTERM (rule S5).
GRACE_SECONDS = 25
KEEPALIVE_SECONDS = 75
# A thread waits while a slow client sends; the others answer meanwhile.
THREADS = 16
# How long a client may send nothing in the middle of a request.
STALL_SECONDS = 5


class Server(BaseApplication):  # type: ignore[misc]
    """gunicorn set up from `ServeSettings`, reading neither files nor arguments of its own."""

    def __init__(self, settings: ServeSettings) -> None:
        self.settings = settings
        super().__init__()

    def load_config(self) -> None:
        """Hand gunicorn its settings."""
        for name, value in options(self.settings).items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """Build the app; gunicorn calls this in each worker, and ends where one cannot."""
        try:
            return build_app(self.settings)
        except (ArtifactError, UserError) as error:
            print(f"serve: {error}", file=sys.stderr, flush=True)
            raise SystemExit(Arbiter.APP_LOAD_ERROR) from None


def options(settings: ServeSettings) -> dict[str, Any]:
    """Return gunicorn's settings."""
    return {
        "bind": f"0.0.0.0:{settings.port}",
        "workers": settings.workers,
        "worker_class": "gthread",
        "threads": THREADS,
        "timeout": settings.timeout,
        "graceful_timeout": GRACE_SECONDS,
        "keepalive": KEEPALIVE_SECONDS,
        "worker_tmp_dir": _memory_folder(),
        "control_socket_disable": True,
        "proc_name": "churn_daal serve",
        "when_ready": _limit_stalls,
        "post_fork": _end_at_sigterm,
    }


def build_app(settings: ServeSettings) -> Flask:
    """Load the model and build the app that answers from it.

    Raises
    ------
    ArtifactError
        The model folder is damaged.
    UserError
        The model's objective is unknown to this release, or a setting asks for a type that is
        not written.
    """
    threads = max(1, usable_cores() // settings.workers)
    service = load_service(settings.model_dir, threads=threads)
    if isinstance(service, ModelService):
        _check_default(settings.default_accept)
    return create_app(service, settings)


def _check_default(accept: str) -> None:
    """Refuse a default that no request could be answered with."""
    try:
        media.choose(accept, tuple(ENCODERS))
    except NotAcceptableError as fault:
        raise UserError(
            f"environment variable SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT: {fault}"
        ) from None


def main() -> int:
    """Serve the model under `/opt/ml/model`; return the process's exit code.

    A model that cannot be served ends the process at once, with one line that says why.
    """
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s", stream=sys.stderr)
    try:
        settings = ServeSettings.from_env()
        manifest = artifact.audit(settings.model_dir)
    except (ArtifactError, UserError) as error:
        print(f"serve: {error}", file=sys.stderr, flush=True)
        return 1
    log.info(
        "serving %s from %s with engine %s, %d workers on port %d",
        *(manifest.objective, settings.model_dir, manifest.engine.name),
        *(settings.workers, settings.port),
    )
    if settings.multi_model:
        log.warning("SAGEMAKER_MULTI_MODEL is set: this release serves one model, not several")
    try:
        Server(settings).run()
    except HaltServer as halt:
        # gunicorn ends by itself when one worker cannot load the model, but raises when a second
        # one cannot while it is ending.
        return int(halt.exit_status)
    return 0


def _end_at_sigterm(_arbiter: Arbiter, _worker: Worker) -> None:
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
