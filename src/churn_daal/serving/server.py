"""`serve`: a model, or many, looked at and handed to gunicorn's processes."""

from __future__ import annotations

import logging
import shutil
import socket
import sys
from collections.abc import Iterable
from dataclasses import replace
from functools import partial

from flask import Flask
from gunicorn.errors import HaltServer

from churn_daal.errors import ArtifactError, NotAcceptableError, UserError
from churn_daal.machine import usable_cores, usable_memory
from churn_daal.serving import media
from churn_daal.serving.app import create_app
from churn_daal.serving.counters import Tally
from churn_daal.serving.encoders import ENCODERS
from churn_daal.serving.invocation import ModelService
from churn_daal.serving.loading import Provision, load_service, provide_by
from churn_daal.serving.outputs import setting_faults
from churn_daal.serving.processes import Server, options
from churn_daal.settings import ServeSettings, safe_ports

log = logging.getLogger(__name__)


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
        f"{settings.workers} workers on port {settings.port} ({settings.server}, "
        f"{options(settings)['threads']} threads each); oneDAL on up to {cores} threads a "
        f"prediction ({cores} cores, {room})"
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
