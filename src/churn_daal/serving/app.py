"""The HTTP face of a model: SageMaker's routes on a Flask app."""

from __future__ import annotations

import logging

import orjson
from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from churn_daal.errors import RequestError
from churn_daal.serving.access import REQUEST_ID, TRACE, Watched
from churn_daal.serving.body import read_body
from churn_daal.serving.carried import ATTRIBUTES, check_carried
from churn_daal.serving.counters import Counters, Tally
from churn_daal.serving.invocation import ModelService
from churn_daal.serving.operations import add_operations
from churn_daal.serving.request import Answer, Request, Service
from churn_daal.serving.spool import sent
from churn_daal.settings import ServeSettings

log = logging.getLogger(__name__)


def create_app(service: Service, settings: ServeSettings, tally: Tally | None = None) -> Flask:
    """Build the app that answers from one service, and counts in `tally` or by itself.

    Every refusal is JSON, `{"error": text, "status": code}`, as SageMaker shows the body of a
    4xx to the client (rule S9). An unknown fault is logged with its traceback and answered with
    a fixed text.
    """
    app = Flask("churn_daal", static_folder=None)
    tally = tally or Counters(1).tally(0)
    manifest = service.model.manifest if isinstance(service, ModelService) else None
    add_operations(app, settings, tally.counters, manifest)
    one = manifest is not None
    watched = Watched(app.wsgi_app, tally, level=settings.log_level, columns=one)
    app.wsgi_app = watched  # type: ignore[method-assign] # as Flask's own manual has it

    @app.get("/ping")
    def ping() -> Response:
        return Response(status=200 if service.ready() else 503)

    @app.post("/invocations")
    def invocations() -> Response:
        body = read_body(
            request.environ["wsgi.input"],
            length=request.content_length,
            terminated=bool(request.environ.get("wsgi.input_terminated")),
            limit=settings.max_content_length,
        )
        check_carried(request.environ)
        trace = request.environ[TRACE]
        trace.came = len(body)
        result = service.answer(
            Request(
                body,
                content_type=request.headers.get("Content-Type", ""),
                accept=request.headers.get("Accept", ""),
                attributes=request.headers.get(ATTRIBUTES, ""),
                query={key: ",".join(values) for key, values in request.args.lists()},
                headers=request.headers,
                trace=trace,
            )
        )
        return _response(result)

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


def _response(answer: Answer) -> Response:
    body = answer.body
    content = sent(body) if isinstance(body, memoryview) else body
    response = Response(content, answer.status, content_type=answer.content_type)
    response.content_length = len(body)
    response.headers.extend(answer.headers)
    return response


def _refusal(text: str, status: int) -> Response:
    body = orjson.dumps({"error": text, "status": status})
    return Response(body, status, content_type="application/json")
