"""The fast lane and Flask answer the same, byte by byte."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flask import Flask

from churn_daal.artifact import Model
from churn_daal.errors import RequestError
from churn_daal.serving.access import Watched
from churn_daal.serving.app import QUICK, create_app
from churn_daal.serving.counters import Counters
from churn_daal.serving.encoders import ENCODERS
from churn_daal.serving.invocation import ModelService
from churn_daal.serving.lane import QUICK_BYTES
from churn_daal.serving.request import Answer, Request
from churn_daal.settings import ServeSettings

ROW = b"KS,128,415,no,yes,25,265.1,110,45.07,197.4,99,16.78,244.7,91,11.01,10.0,3,2.7,1"
ATTRIBUTES = "HTTP_X_AMZN_SAGEMAKER_CUSTOM_ATTRIBUTES"
INFERENCE_ID = "HTTP_X_AMZN_SAGEMAKER_INFERENCE_ID"
SETTINGS = ServeSettings(Path("unused"), max_content_length=20_000)


def npy(shape: tuple[int, ...]) -> bytes:
    """Return zeros as an npy file."""
    buffer = io.BytesIO()
    np.save(buffer, np.zeros(shape))
    return buffer.getvalue()


def ask(app: Any, **environ: Any) -> tuple[str, list[tuple[str, str]], bytes]:  # noqa: ANN401
    """Ask a WSGI app; its headers in an order of their own."""
    body = environ.pop("body", b"")
    base = {
        "REQUEST_METHOD": "POST",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/invocations",
        "QUERY_STRING": "",
        "CONTENT_TYPE": "text/csv",
        "CONTENT_LENGTH": str(len(body)),
        "SERVER_NAME": "x",
        "SERVER_PORT": "8080",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.input": io.BytesIO(body),
        "wsgi.url_scheme": "http",
        "wsgi.errors": io.StringIO(),
        INFERENCE_ID: "same",
    }
    begun: list[Any] = []
    pieces: Iterable[bytes] = app(base | environ, lambda *given: begun.extend(given))
    return begun[0], sorted(begun[1]), b"".join(pieces)


def around(app: Flask) -> Watched:
    """Return the app as it is without the lane in front."""
    flask = partial(Flask.wsgi_app, app)
    return Watched(flask, Counters(1).tally(0), write=lambda _: None)


CASES: dict[str, dict[str, Any]] = {
    "a row": {"body": ROW},
    "rows": {"body": ROW + b"\r\n" + ROW},
    "no type": {"body": ROW, "CONTENT_TYPE": ""},
    "a type with parameters": {"body": ROW, "CONTENT_TYPE": "Text/CSV; charset=UTF-8"},
    "a header": {"body": ROW, "CONTENT_TYPE": "text/csv; header=maybe"},
    "nothing": {"body": b""},
    "an empty line": {"body": b"\n"},
    "too few columns": {"body": b"1,2"},
    "no number": {"body": ROW.replace(b"128", b"x")},
    "no text": {"body": b"\xff\xfe"},
    "unseen and out of range": {"body": ROW.replace(b"KS", b"??").replace(b"265.1", b"9999")},
    "a type nobody reads": {"body": ROW, "CONTENT_TYPE": "image/png"},
    "a type nobody writes": {"body": ROW, "HTTP_ACCEPT": "image/png"},
    "outputs": {"body": ROW, "QUERY_STRING": "outputs=probability&outputs=contributions&top_k=2"},
    "outputs by attributes": {"body": ROW, ATTRIBUTES: "outputs=labels; mine=1"},
    "an output nobody has": {"body": ROW, "QUERY_STRING": "outputs=fortune"},
    "a query of its own": {"body": ROW, "QUERY_STRING": "a=%FF&b&=c&a=2"},
    "attributes that are none": {"body": ROW, ATTRIBUTES: "x" * 2000},
    "too large": {"body": b"x" * 20_001},
    "cut short": {"body": ROW, "CONTENT_LENGTH": "100"},
    "json": {"body": json.dumps(["KS"] * 19).encode(), "CONTENT_TYPE": "application/json"},
    "npy": {"body": npy((1, 19)), "CONTENT_TYPE": "application/x-npy"},
    "ping": {"REQUEST_METHOD": "GET", "PATH_INFO": "/ping"},
    "another method": {"REQUEST_METHOD": "GET"},
    "another ping": {"PATH_INFO": "/ping"},
    "a head": {"REQUEST_METHOD": "HEAD", "PATH_INFO": "/ping"},
    "nowhere": {"PATH_INFO": "/invocations/"},
} | {f"as {name}": {"body": ROW, "HTTP_ACCEPT": name} for name in ENCODERS}


@pytest.mark.parametrize("case", CASES)
def test_both_ways_answer_the_same(churn: Model, case: str) -> None:
    """Status, headers and body."""
    app = create_app(ModelService(churn), SETTINGS)

    lane, flask = ask(app.wsgi_app, **CASES[case]), ask(around(app), **CASES[case])

    assert lane == flask


class Odd:
    """A service that does what services may do."""

    quick = False
    manifest = None

    def __init__(self, answer: Answer | Exception) -> None:
        self._answer = answer

    def answer(self, request: Request) -> Answer:
        """Answer, or fail."""
        assert request.headers
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer

    def together(self, requests: Sequence[Request]) -> list[Answer | None]:
        """Answer alike, all at once."""
        return [self.answer(request) for request in requests]

    def ready(self) -> bool:
        """Tell, or fail."""
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer.status == 200


@pytest.mark.parametrize("path", ["/invocations", "/ping"])
@pytest.mark.parametrize(
    "answer",
    [
        Answer(200, b"text", "text/plain", {"X-Own": "1", "x-amzn-sagemaker-inference-id": "2"}),
        Answer(200, memoryview(b"x" * (3 << 20)), "application/octet-stream"),
        Answer(299, b"own", None),
        Answer(204),
        RequestError("no", status=418),
        ZeroDivisionError("secret"),
    ],
    ids=["headers", "large", "own status", "nothing", "refused", "fault"],
)
def test_whatever_the_service_does(answer: Answer | Exception, path: str) -> None:
    """Both ways send it alike."""
    app = create_app(Odd(answer), SETTINGS)
    method = "GET" if path == "/ping" else "POST"
    request = {"body": b"x", "PATH_INFO": path, "REQUEST_METHOD": method}

    lane, flask = ask(app.wsgi_app, **request), ask(around(app), **request)

    assert lane == flask
    assert b"secret" not in lane[2]


def test_what_is_quick(churn: Model) -> None:
    """Rows in small numbers, and pings; nothing that may take its time."""
    quick = create_app(ModelService(churn), SETTINGS).extensions[QUICK].is_quick
    row = {"PATH_INFO": "/invocations", "QUERY_STRING": ""}

    assert quick(row, QUICK_BYTES)
    assert quick({"PATH_INFO": "/ping", "QUERY_STRING": ""}, 0)
    assert not quick(row, QUICK_BYTES + 1)
    assert not quick(row | {"QUERY_STRING": "outputs=contributions"}, 1)
    assert not quick(row | {ATTRIBUTES: "outputs=contributions"}, 1)
    assert not quick({"PATH_INFO": "/metrics", "QUERY_STRING": ""}, 0)
    assert not create_app(Odd(Answer(200)), SETTINGS).extensions[QUICK].is_quick(row, 1)
