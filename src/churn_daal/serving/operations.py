"""Routes for those who run the server: `/execution-parameters` and `/metrics`."""

from __future__ import annotations

import orjson
from flask import Flask, Response, request
from werkzeug.exceptions import NotFound

from churn_daal.artifact import Manifest
from churn_daal.serving.batch import execution_parameters
from churn_daal.serving.counters import Counters
from churn_daal.serving.exposition import CONTENT_TYPE, render
from churn_daal.settings import ServeSettings


def add_operations(
    app: Flask, settings: ServeSettings, counters: Counters, manifest: Manifest | None
) -> None:
    """Add the routes to an app.

    Parameters
    ----------
    app, settings
        The app.
    counters
        What `/metrics` shows.
    manifest
        Of the model that answers; None where there are several.
    """

    @app.get("/execution-parameters")
    def parameters() -> Response:
        body = orjson.dumps(execution_parameters(settings))
        return Response(body, content_type="application/json")

    @app.get("/metrics")
    def metrics() -> Response:
        page = render(counters.totals(), workers=settings.workers, manifest=manifest)
        return Response(page, content_type=CONTENT_TYPE)

    if settings.metrics_port is None:
        return
    metrics_port = str(settings.metrics_port)

    @app.before_request
    def keep_ports_apart() -> None:
        # The port of the counters has nothing else, and no other port has them.
        if (request.environ.get("SERVER_PORT") == metrics_port) != (request.path == "/metrics"):
            raise NotFound
