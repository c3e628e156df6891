"""The HTTP face of a model: SageMaker's routes on a Flask app."""

from __future__ import annotations

import logging

import orjson
from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from churn_daal.errors import RequestError
from churn_daal.serving.body import read_body
from churn_daal.serving.request import Request, Service
from churn_daal.settings import ServeSettings

log = logging.getLogger(__name__)


def create_app(service: Service, settings: ServeSettings) -> Flask:
    """Build the app that answers from one service.

    Every refusal is JSON, `{"error": text, "status": code}`, as SageMaker shows the body of a
    4xx to the client (rule S9). An unknown fault is logged with its traceback and answered with
    a fixed text.
    """
    app = Flask("churn_daal", static_folder=None)

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
        result = service.answer(
            Request(
                body,
                content_type=request.headers.get("Content-Type", ""),
                accept=accepted(request.headers.get("Accept", ""), settings),
                attributes=request.headers.get("X-Amzn-SageMaker-Custom-Attributes", ""),
                query=request.args.to_dict(),
            )
        )
        response = Response(result.body, result.status, content_type=result.content_type)
        response.headers.extend(result.headers)
        return response

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
        log.error("%s %s failed", request.method, request.path, exc_info=error)
        return _refusal("the model server failed on this request; its log has the traceback", 500)

    return app


def accepted(header: str, settings: ServeSettings) -> str:
    """Return what a request accepts: the operator's default where it has no wish of its own."""
    return settings.default_accept if header.strip() in {"", "*/*"} else header


def _refusal(text: str, status: int) -> Response:
    body = orjson.dumps({"error": text, "status": status})
    return Response(body, status, content_type="application/json")
