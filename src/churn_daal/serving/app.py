"""The HTTP face of a model: SageMaker's routes on a Flask app."""

from __future__ import annotations

import logging
from collections.abc import Callable

import orjson
from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from churn_daal.artifact import Manifest
from churn_daal.errors import RequestError
from churn_daal.serving import media
from churn_daal.serving.access import REQUEST_ID, TRACE, Watched
from churn_daal.serving.body import read_body
from churn_daal.serving.carried import ATTRIBUTES, check_carried
from churn_daal.serving.counters import Counters, Tally
from churn_daal.serving.operations import add_operations
from churn_daal.serving.request import Answer, Request, Service
from churn_daal.serving.spool import sent
from churn_daal.settings import ServeSettings

log = logging.getLogger(__name__)


def create_app(service: Service, settings: ServeSettings, tally: Tally | None = None) -> Flask:
    """Build the app that answers from one service, and counts in `tally` or by itself."""
    app = new_app(settings, tally, service.manifest)

    @app.get("/ping")
    def ping() -> Response:
        return Response(status=200 if service.ready() else 503)

    @app.post("/invocations")
    def invocations() -> Response:
        return invoke(service.answer, settings)

    return app


def invoke(answer: Callable[[Request], Answer], settings: ServeSettings) -> Response:
    """Answer the invocation that came, whatever its route."""
    body = received(settings)
    check_carried(request.environ)
    trace = request.environ[TRACE]
    trace.came = len(body)
    result = answer(
        Request(
            body,
            content_type=request.headers.get("Content-Type", ""),
            accept=media.accepted(request.headers.get("Accept", ""), settings.default_accept),
            attributes=request.headers.get(ATTRIBUTES, ""),
            query={key: ",".join(values) for key, values in request.args.lists()},
            headers=request.headers,
            trace=trace,
        )
    )
    content = sent(result.body) if isinstance(result.body, memoryview) else result.body
    response = Response(content, result.status, content_type=result.content_type)
    response.content_length = len(result.body)
    if result.content_type is None:
        del response.headers["Content-Type"]  # Flask's own, of a body that is not there
    response.headers.extend(result.headers)
    return response


def received(settings: ServeSettings) -> memoryview:
    """Return the body that came, whole and within the limit.

    Raises
    ------
    RequestError
        It is not.
    """
    return read_body(
        request.environ["wsgi.input"],
        length=request.content_length,
        terminated=bool(request.environ.get("wsgi.input_terminated")),
        limit=settings.max_content_length,
    )


def new_app(
    settings: ServeSettings, tally: Tally | None = None, manifest: Manifest | None = None
) -> Flask:
    """Return an app with the routes of operators alone, which refuses as all of this server does.

    Every refusal is JSON, `{"error": text, "status": code}`, as SageMaker shows the body of a
    4xx to the client (rule S9). An unknown fault is logged with its traceback and answered with
    a fixed text.

    Parameters
    ----------
    settings
        The settings.
    tally
        Where requests are counted; None for counters of its own.
    manifest
        Of the one model that answers; None where there are several, or one of the user's own
        loading.
    """
    app = Flask("churn_daal", static_folder=None)
    tally = tally or Counters(1).tally(0)
    add_operations(app, settings, tally.counters, manifest)
    watched = Watched(app.wsgi_app, tally, level=settings.log_level, columns=manifest is not None)
    app.wsgi_app = watched  # type: ignore[method-assign] # as Flask's own manual has it

    @app.errorhandler(RequestError)
    def refused(error: RequestError) -> Response:
        return _refusal(str(error), error.status)

    @app.errorhandler(HTTPException)
    def unrouted(error: HTTPException) -> Response:
        text = f"{request.method} {request.path:.200}: {error.description}"
        refusal = _refusal(text, error.code or 500)
        if isinstance(error, MethodNotAllowed) and error.valid_methods:
            refusal.headers["Allow"] = ", ".join(sorted(error.valid_methods))
        return refusal

    @app.errorhandler(Exception)
    def unknown(error: Exception) -> Response:
        named = (request.environ[REQUEST_ID], request.method, request.path)
        log.error("request %s: %s %s failed", *named, exc_info=error)
        return _refusal("the model server failed on this request; its log has the traceback", 500)

    return app


def _refusal(text: str, status: int) -> Response:
    body = orjson.dumps({"error": text, "status": status})
    return Response(body, status, content_type="application/json")
