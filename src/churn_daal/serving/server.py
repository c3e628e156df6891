"""`serve`: gunicorn's processes around the app.

The first process audits the model and never computes; each worker builds its own copy after
the fork, since neither OpenMP's nor TBB's threads outlive one.
"""

from __future__ import annotations

import logging
import math
import os
import shutil
import signal
import socket
import struct
import sys
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from gunicorn.errors import HaltServer
from gunicorn.workers.base import Worker

from churn_daal.errors import ArtifactError, NotAcceptableError, UserError
from churn_daal.machine import usable_cores, usable_memory
from churn_daal.serving import media
from churn_daal.serving.access import Watched
from churn_daal.serving.app import QUICK, create_app
from churn_daal.serving.counters import Counters, Tally
from churn_daal.serving.encoders import ENCODERS
from churn_daal.serving.http.loop import Quick
from churn_daal.serving.http.worker import EventLoopWorker
from churn_daal.serving.invocation import ModelService
from churn_daal.serving.lines import Lines
from churn_daal.serving.loading import Provision, load_service, provide_by
from churn_daal.serving.outputs import setting_faults
from churn_daal.settings import ServeSettings, safe_ports

log = logging.getLogger(__name__)
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


def build_app(
    settings: ServeSettings, tally: Tally | None = None, *, provision: Provision
) -> Flask:
    """Load the model and build the app that answers from it, and counts in `tally`.

    Raises
    ------
    ArtifactError
        The model folder is damaged.
    UserError
        The model's objective is unknown to this release, the user's code fails, or a setting asks
        for a type that is not written.
    """
    service = load_service(
        settings.model_dir,
        threads=usable_cores(),
        workers=settings.workers,
        outputs=settings.inference_output,
        provision=provision,
    )
    if isinstance(service, ModelService):
        _check_default(settings.default_accept)
    return create_app(service, settings, tally)


def _check_default(accept: str) -> None:
    """Refuse a default that no request could be answered with."""
    try:
        media.choose(accept, tuple(ENCODERS))
    except NotAcceptableError as fault:
        raise UserError(
            f"environment variable SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT: {fault}"
        ) from None


def main() -> int:
    """Serve the model under `/opt/ml/model`, or many; return the process's exit code.

    A model that cannot be served ends the process at once, with one line that says why.
    """
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s", stream=sys.stderr)
    try:
        settings = _with_free_port(ServeSettings.from_env(), safe_ports())
        logging.getLogger().setLevel(settings.log_level)
        if settings.multi_model:
            return _serve_many(settings)
        provision = provide_by(settings, settings.model_dir)
    except (ArtifactError, UserError) as error:
        print(f"serve: {error}", file=sys.stderr, flush=True)
        return 1
    log.info("serving %s from %s, %s", _told(provision), settings.model_dir, _shape(settings))
    if provision.model is not None:
        for fault in setting_faults(provision.model.manifest, settings.inference_output):
            log.warning("%s", fault)
    try:
        return _run(Server(settings, partial(build_app, provision=provision)))
    finally:
        if provision.packages is not None:
            shutil.rmtree(provision.packages, ignore_errors=True)


def _serve_many(settings: ServeSettings) -> int:
    from churn_daal.serving import multi_model  # noqa: PLC0415 - one model needs none of it

    _check_default(settings.default_accept)
    log.info("serving the models that are loaded by POST /models, %s", _shape(settings))
    with multi_model.runtime_folder() as folder:
        return _run(Server(settings, partial(multi_model.build_app, folder=folder)))


def _run(server: Server) -> int:
    try:
        server.run()
    except HaltServer as halt:
        # gunicorn ends by itself when one worker cannot load the model, but raises when a second
        # one cannot while it is ending.
        return int(halt.exit_status)
    return 0


def _told(provision: Provision) -> str:
    if provision.model is None:
        return "the model of model_fn"
    manifest = provision.model.manifest
    return f"{manifest.objective} with engine {manifest.engine.name}"


def _shape(settings: ServeSettings) -> str:
    """Return what serves, and what that was chosen from."""
    memory = usable_memory()
    room = "memory unknown" if memory is None else f"{memory / 2**30:.1f} GiB of memory"
    cores = usable_cores()
    return (
        f"{settings.workers} workers on port {settings.port}, each a {settings.server} with "
        f"{options(settings)['threads']} threads; oneDAL on up to {cores} threads a prediction "
        f"({cores} cores, {room})"
    )


def _with_free_port(settings: ServeSettings, safe: Iterable[int]) -> ServeSettings:
    """Choose a port for `/metrics` that nobody has: they are never worth a server that ends."""
    if settings.metrics_port is None:
        return settings
    others = (port for port in safe if port != settings.port)
    free = next((port for port in others if _is_free(port)), None)
    if free is None:
        log.warning("no port of SAGEMAKER_SAFE_PORT_RANGE is free: there is no /metrics")
    # 0 is no port of any request.
    return replace(settings, metrics_port=free or 0)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("0.0.0.0", port))  # noqa: S104 - as the server will
        except OSError:
            return False
    return True


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
