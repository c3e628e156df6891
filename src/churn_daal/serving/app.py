"""The HTTP face of a model: SageMaker's routes on a Flask app."""

from __future__ import annotations

from typing import Final

from flask import Flask, Response, request
from werkzeug.datastructures import Headers
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from churn_daal.artifact import Manifest
from churn_daal.errors import RequestError
from churn_daal.serving.access import Watched
from churn_daal.serving.counters import Counters, Tally
from churn_daal.serving.lane import Lane, ModelRoutes, Routes, failed, headers_of, invoked
from churn_daal.serving.operations import add_operations
from churn_daal.serving.quick import QuickLane
from churn_daal.serving.request import Answer, Service, refused
from churn_daal.serving.spool import sent
from churn_daal.settings import ServeSettings

# Under this name an app holds what answers several quick requests at once; see `QuickLane`.
QUICK: Final = "churn_daal.quick"


def create_app(service: Service, settings: ServeSettings, tally: Tally | None = None) -> Flask:
    """Build the app that answers from one service, and counts in `tally` or by itself."""
    app = new_app(settings, ModelRoutes(service, settings), tally, service.manifest)

    @app.get("/ping")
    def ping() -> Response:
        return respond(Answer(200 if service.ready() else 503))

    @app.post("/invocations")
    def invocations() -> Response:
        return respond(invoked(request.environ, service.answer, settings))

    return app


def respond(answer: Answer) -> Response:
    """Return an answer as Flask sends it."""
    content = sent(answer.body) if isinstance(answer.body, memoryview) else answer.body
    response = Response(content, answer.status)
    response.headers = Headers(headers_of(answer))
    return response


def new_app(
    settings: ServeSettings,
    routes: Routes,
    tally: Tally | None = None,
    manifest: Manifest | None = None,
) -> Flask:
    """Return an app with the routes of operators, behind a lane with those of models.

    It refuses as all of this server does: every refusal is JSON, `{"error": text, "status": code}`,
    as SageMaker shows the body of a 4xx to the client (rule S9). An unknown fault is logged with
    its traceback and answered with a fixed text.

    Parameters
    ----------
    settings
        The settings.
    routes
        What is answered in front of Flask, which has to have these routes too.
    tally
        Where requests are counted; None for counters of its own.
    manifest
        Of the one model that answers; None where there are several, or one of the user's own
        loading.
    """
    app = Flask("churn_daal", static_folder=None)
    tally = tally or Counters(1).tally(0)
    add_operations(app, settings, tally.counters, manifest)
    lane = Lane(app.wsgi_app, routes, settings)
    watched = Watched(lane, tally, level=settings.log_level, columns=manifest is not None)
    app.extensions[QUICK] = QuickLane(watched, lane)
    app.wsgi_app = watched  # type: ignore[method-assign] # as Flask's own manual has it

    @app.errorhandler(RequestError)
    def refusal(error: RequestError) -> Response:
        return respond(refused(str(error), error.status))

    @app.errorhandler(HTTPException)
    def unrouted(error: HTTPException) -> Response:
        text = f"{request.method} {request.path:.200}: {error.description}"
        response = respond(refused(text, error.code or 500))
        if isinstance(error, MethodNotAllowed) and error.valid_methods:
            response.headers["Allow"] = ", ".join(sorted(error.valid_methods))
        return response

    @app.errorhandler(Exception)
    def unknown(error: Exception) -> Response:
        return respond(failed(request.environ, error))

    return app
