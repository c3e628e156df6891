"""The HTTP face of a model: SageMaker's routes on a Flask app."""

from __future__ import annotations

import logging

import orjson
from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from churn_daal.artifact import Model
from churn_daal.errors import PayloadTooLargeError, RequestError
from churn_daal.serving.invocation import answer
from churn_daal.settings import ServeSettings

log = logging.getLogger(__name__)


def create_app(model: Model, settings: ServeSettings) -> Flask:
    """Build the app that answers from one loaded model.

    Every refusal is JSON, `{"error": text, "status": code}`, as SageMaker shows the body of a
    4xx to the client (rule S9). An unknown fault is logged with its traceback and answered with
    a fixed text.
    """
    app = Flask("churn_daal", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = settings.max_content_length

    @app.get("/ping")
    def ping() -> Response:
        return Response(status=200 if model.answers() else 503)

    @app.post("/invocations")
    def invocations() -> Response:
        result = answer(
            model,
            _body(settings.max_content_length),
            content_type=request.headers.get("Content-Type", ""),
            accept=request.headers.get("Accept", ""),
        )
        return Response(result.body, result.status, content_type=result.content_type)

    @app.errorhandler(RequestError)
    def refused(error: RequestError) -> Response:
        return _refusal(str(error), error.status)

    @app.errorhandler(HTTPException)
    def unrouted(error: HTTPException) -> Response:
        return _refusal(f"{request.method} {request.path}: {error.description}", error.code or 500)

    @app.errorhandler(Exception)
    def unknown(error: Exception) -> Response:
        log.error("%s %s failed", request.method, request.path, exc_info=error)
        return _refusal("the model server failed on this request; its log has the traceback", 500)

    return app


def _body(limit: int) -> bytes:
    try:
        return request.get_data(cache=False)
    except RequestEntityTooLarge:
        came = request.content_length
        raise PayloadTooLargeError(
            f"the body {f'has {came:,} bytes and ' if came else ''}is over the limit of {limit:,} "
            "bytes; send fewer rows a request, or raise MAX_CONTENT_LENGTH"
        ) from None


def _refusal(text: str, status: int) -> Response:
    body = orjson.dumps({"error": text, "status": status})
    return Response(body, status, content_type="application/json")
