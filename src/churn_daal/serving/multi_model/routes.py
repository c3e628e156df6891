"""The HTTP face of many models: the routes a SageMaker multi-model endpoint calls."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, Final
from urllib.parse import unquote

import orjson
from flask import Flask, Response, request
from werkzeug.routing import BaseConverter

from churn_daal.errors import ModelNotLoadedError, RequestError
from churn_daal.serving.access import Environ
from churn_daal.serving.app import new_app, respond
from churn_daal.serving.counters import Tally
from churn_daal.serving.lane import invoked, is_small, received, request_of
from churn_daal.serving.multi_model.held import Held
from churn_daal.serving.multi_model.models import Models
from churn_daal.serving.multi_model.registry import Record
from churn_daal.serving.request import Answer, Request
from churn_daal.settings import ServeSettings

# Escaped, a name has to fit into a request line, of which gunicorn takes 4,094 bytes.
LONGEST_NAME: Final = 1024
PAGE: Final = 1000
_LIMIT: Final = re.compile(r"[1-9][0-9]{0,8}")


_BEGIN: Final = "/models/"
_END: Final = "/invoke"


class InvokeRoutes:
    """`POST /models/NAME/invoke` and `GET /ping`, in front of Flask.

    Parameters
    ----------
    models
        Knows names.
    held
        Answers for what is loaded.
    settings
        The limits of a request.
    """

    def __init__(self, models: Models, held: Held, settings: ServeSettings) -> None:
        self._models, self._held, self._settings = models, held, settings

    def find(self, environ: Environ) -> Callable[[Environ], Answer] | None:
        """Return what answers a request."""
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        if method == "POST" and _name(environ):
            return self._invoked
        return _pinged if (method, path) == ("GET", "/ping") else None

    def is_quick(self, environ: Environ, size: int) -> bool:
        """Tell whether it is: rows in small numbers for a model that need not be waited for."""
        if environ["PATH_INFO"] == "/ping":
            return True
        name = _name(environ)
        return bool(name) and is_small(environ, size) and self._held.is_quick(name)

    def together(self, environs: Sequence[Environ]) -> list[Answer | None]:
        """Answer the invocations of each model together."""
        answers: list[Answer | None] = [None] * len(environs)
        for name, (places, requests) in self._by_model(environs).items():
            if len(requests) > 1:
                for place, answer in zip(places, self._held.together(name, requests), strict=True):
                    answers[place] = answer
        return answers

    def _by_model(self, environs: Sequence[Environ]) -> dict[str, tuple[list[int], list[Request]]]:
        """Return the places of invocations, and the invocations, of each model."""
        found: dict[str, tuple[list[int], list[Request]]] = {}
        for place, environ in enumerate(environs):
            name = _name(environ)
            if not name:
                continue
            with suppress(RequestError):  # refused once more when it is asked by itself
                request = request_of(environ, self._settings)
                places, requests = found.setdefault(
                    _meant(self._models, name, environ, _END), ([], [])
                )
                places.append(place)
                requests.append(request)
        return found

    def _invoked(self, environ: Environ) -> Answer:
        name = _meant(self._models, _name(environ), environ, _END)
        return invoked(environ, partial(self._held.answer, name), self._settings)


def _pinged(_environ: Environ) -> Answer:
    return Answer(200)


def _name(environ: Environ) -> str:
    """Return the name in the path of an invocation; "" where it is none."""
    path: str = environ["PATH_INFO"]
    if not (path.startswith(_BEGIN) and path.endswith(_END)):
        return ""
    name = path[len(_BEGIN) : -len(_END)]
    # WSGI hands bytes over in the guise of latin-1.
    return name if name.isascii() else name.encode("latin-1").decode("utf-8", "replace")


class _AnyName(BaseConverter):
    """A model's name, whatever is in it: a slash comes escaped but arrives as one."""

    regex = ".+"
    part_isolating = False


def create_app(
    models: Models, held: Held, settings: ServeSettings, tally: Tally | None = None
) -> Flask:
    """Build the app of one worker.

    Parameters
    ----------
    models
        Loads, unloads and lists.
    held
        Answers for what is loaded.
    settings
        The limits of a request.
    tally
        Where requests are counted; None for counters of its own.
    """
    app = new_app(settings, InvokeRoutes(models, held, settings), tally)
    app.url_map.converters["any_name"] = _AnyName
    app.url_map.merge_slashes = False

    @app.get("/ping")
    def ping() -> Response:
        return Response(status=200)

    @app.post("/invocations")
    def invocations() -> Response:
        received(request.environ, settings)
        raise ModelNotLoadedError(
            "this is a multi-model server: /invocations names no model. POST to "
            "/models/NAME/invoke; a client of a SageMaker endpoint gives TargetModel"
        )

    @app.post("/models")
    def load() -> Response:
        name, url = _load_request(received(request.environ, settings))
        record = models.load(name, url)
        return _json({"status": "Workers scaled", **_entry(record)})

    @app.get("/models")
    def listed() -> Response:
        limit, after = _limit(), _after()
        records = models.registry.page(after, limit + 1)
        more = {"nextPageToken": _token(records[limit - 1])} if len(records) > limit else {}
        return _json({"models": [_entry(record) for record in records[:limit]], **more})

    @app.get("/models/<any_name:name>")
    def describe(name: str) -> Response:
        return _json(_entry(models.find(_meant(models, name, request.environ))))

    @app.delete("/models/<any_name:name>")
    def unload(name: str) -> Response:
        name = _meant(models, name, request.environ)
        models.unload(name)
        return _json({"status": f'Model "{name}" unregistered'})

    @app.post("/models/<any_name:name>/invoke")
    def invoke_model(name: str) -> Response:
        meant = _meant(models, name, request.environ, _END)
        return respond(invoked(request.environ, partial(held.answer, meant), settings))

    return app


def _meant(models: Models, name: str, environ: Environ, end: str = "") -> str:
    """Return which model a path means: the platform's names may hold escapes of their own.

    So `/models/a%20b` is the model `a b` where that is loaded, and else the model `a%20b`.
    """
    raw = str(environ.get("RAW_URI", "")).partition("?")[0]
    raw = raw.removeprefix(_BEGIN).removesuffix(end)
    if "%" not in raw or unquote(raw) != name or models.registry.find(name) is not None:
        return name
    return raw if models.registry.find(raw) is not None else name


def _load_request(body: memoryview) -> tuple[str, str]:
    expected = 'expected {"model_name": "NAME", "url": "/opt/ml/models/NAME/model"}'
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise RequestError(f"the body is no JSON ({error}); {expected}") from error
    if not isinstance(document, dict):
        raise RequestError(f"the body is a JSON {type(document).__name__}; {expected}")
    for key in ("model_name", "url"):
        value = document.get(key)
        if not isinstance(value, str) or not value:
            came = "is missing" if key not in document else f"is {str(value)[:100]!r}"
            raise RequestError(f"{key} {came}; {expected}")
    name, url = document["model_name"], document["url"]
    if len(name) > LONGEST_NAME or "\0" in name + url:
        raise RequestError(
            f"model_name has {len(name):,} characters; expected {LONGEST_NAME:,} at most, and no "
            "NUL in it or in url"
        )
    return name, url


def _limit() -> int:
    text = request.args.get("limit", str(PAGE))
    if not _LIMIT.fullmatch(text):
        raise RequestError(f"limit is {text[:40]!r}; expected a whole number of 1 or more")
    return min(int(text), PAGE)


def _after() -> str:
    token = request.args.get("next_page_token", "")
    try:
        return base64.b64decode(token, altchars=b"-_", validate=True).decode()
    except ValueError as error:
        raise RequestError(
            f"next_page_token is {token[:40]!r}, which no page of this server gave; ask for the "
            "first page without it"
        ) from error


def _token(last: Record) -> str:
    return base64.urlsafe_b64encode(last.name.encode()).decode()


def _entry(record: Record) -> dict[str, str]:
    return {"modelName": record.name, "modelUrl": record.url}


def _json(document: dict[str, Any]) -> Response:
    return Response(orjson.dumps(document), content_type="application/json")
