"""The fast lane: what models are asked all day, answered in front of Flask.

Flask's request, context and routing take some 150 us, several times what a row takes to decode,
predict and encode. Both ways end in the same functions, so an answer is the same by either.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, Protocol
from urllib.parse import parse_qsl

from werkzeug.datastructures import EnvironHeaders
from werkzeug.http import HTTP_STATUS_CODES

from churn_daal.errors import RequestError
from churn_daal.serving import media
from churn_daal.serving.access import REQUEST_ID, TRACE, Environ, Wsgi
from churn_daal.serving.body import read_body
from churn_daal.serving.carried import ATTRIBUTES, check_carried
from churn_daal.serving.request import Answer, Request, Service, refused
from churn_daal.serving.spool import sent
from churn_daal.settings import ServeSettings

log = logging.getLogger(__name__)
# Bodies up to this size are some hundreds of rows, answered in about a millisecond.
QUICK_BYTES: Final = 16 * 2**10
_INVOCATIONS: Final = "/invocations"


class Routes(Protocol):
    """What a lane answers by itself."""

    def find(self, environ: Environ) -> Callable[[Environ], Answer] | None:
        """Return what answers a request; None where that is left to Flask."""

    def is_quick(self, environ: Environ, size: int) -> bool:
        """Tell of a request with so many bytes of a body whether it is answered in no time."""

    def together(self, environs: Sequence[Environ]) -> list[Answer | None]:
        """Answer those of several requests that can be answered in one go; None for the others."""


class Lane:
    """A WSGI app that answers some routes and hands on all others.

    Parameters
    ----------
    app
        Answers the others.
    routes
        What is answered here.
    settings
        The settings.
    """

    def __init__(self, app: Wsgi, routes: Routes, settings: ServeSettings) -> None:
        self._app, self._find, self._together = app, routes.find, routes.together
        self.is_quick = routes.is_quick
        self._metrics_port = str(settings.metrics_port or "")

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer a request."""
        call = self._call(environ)
        if call is None:
            return self._app(environ, start_response)
        answer = _answered(call, environ)
        start_response(status_of(answer), headers_of(answer))
        body = answer.body
        return sent(body) if isinstance(body, memoryview) else [body]

    def takes(self, environ: Environ) -> bool:
        """Tell whether a request is answered here."""
        return self._call(environ) is not None

    def answers(self, environs: Sequence[Environ]) -> list[Answer]:
        """Answer several requests, all of which are answered here."""
        try:
            found = self._together(environs)
        except Exception:
            log.exception("%d requests could not be answered together", len(environs))
            for environ in environs:
                environ[TRACE].forget()
            found = [None] * len(environs)
        return [
            self._alone(environ) if answer is None else answer
            for environ, answer in zip(environs, found, strict=True)
        ]

    def _alone(self, environ: Environ) -> Answer:
        call = self._call(environ)
        assert call is not None  # noqa: S101 - see `takes`
        return _answered(call, environ)

    def _call(self, environ: Environ) -> Callable[[Environ], Answer] | None:
        return self._find(environ) if environ.get("SERVER_PORT") != self._metrics_port else None


class ModelRoutes:
    """`POST /invocations` and `GET /ping` of one model.

    Parameters
    ----------
    service
        The model's.
    settings
        The limits of a request.
    """

    def __init__(self, service: Service, settings: ServeSettings) -> None:
        self._service, self._settings = service, settings

    def find(self, environ: Environ) -> Callable[[Environ], Answer] | None:
        """Return what answers a request."""
        route = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        if route == ("POST", _INVOCATIONS):
            return self._invoked
        return self._pinged if route == ("GET", "/ping") else None

    def is_quick(self, environ: Environ, size: int) -> bool:
        """Tell whether it is: rows in small numbers, and a ping."""
        path = environ["PATH_INFO"]
        return path == "/ping" or (
            path == _INVOCATIONS and self._service.quick and is_small(environ, size)
        )

    def together(self, environs: Sequence[Environ]) -> list[Answer | None]:
        """Answer the invocations among some requests as far as the model can together."""
        places, requests = [], []
        for place, environ in enumerate(environs):
            if environ["PATH_INFO"] == _INVOCATIONS:
                try:
                    requests.append(request_of(environ, self._settings))
                except RequestError:
                    continue  # refused once more when it is asked by itself
                places.append(place)
        answers: list[Answer | None] = [None] * len(environs)
        if len(requests) > 1:
            for place, answer in zip(places, self._service.together(requests), strict=True):
                answers[place] = answer
        return answers

    def _pinged(self, _environ: Environ) -> Answer:
        return Answer(200 if self._service.ready() else 503)

    def _invoked(self, environ: Environ) -> Answer:
        return invoked(environ, self._service.answer, self._settings)


def is_small(environ: Environ, size: int) -> bool:
    """Tell whether an invocation is of few rows and has no wishes: explanations take longer."""
    return size <= QUICK_BYTES and not environ["QUERY_STRING"] and _ATTRIBUTES not in environ


def _answered(call: Callable[[Environ], Answer], environ: Environ) -> Answer:
    try:
        return call(environ)
    except RequestError as error:
        return refused(str(error), error.status)
    except Exception as error:
        return failed(environ, error)


def invoked(
    environ: Environ, answer: Callable[[Request], Answer], settings: ServeSettings
) -> Answer:
    """Answer an invocation, whatever its route.

    Parameters
    ----------
    environ
        WSGI's, watched.
    answer
        The model's.
    settings
        The limits of a request.

    Raises
    ------
    RequestError
        The request is refused.
    """
    return answer(request_of(environ, settings))


def request_of(environ: Environ, settings: ServeSettings) -> Request:
    """Return an invocation.

    Raises
    ------
    RequestError
        Its body did not come whole or is too large, or a header is one SageMaker does not pass on.
    """
    body = received(environ, settings)
    check_carried(environ)
    trace = environ[TRACE]
    trace.came = len(body)
    return Request(
        body,
        content_type=environ.get("CONTENT_TYPE", ""),
        accept=media.accepted(environ.get("HTTP_ACCEPT", ""), settings.default_accept),
        attributes=environ.get(_ATTRIBUTES, ""),
        query=_query(environ.get("QUERY_STRING", "")),
        headers=EnvironHeaders(environ),
        trace=trace,
    )


def received(environ: Environ, settings: ServeSettings) -> memoryview:
    """Return the body that came, whole and within the limit.

    Raises
    ------
    RequestError
        It is not.
    """
    length = environ.get("CONTENT_LENGTH") or ""
    return read_body(
        environ["wsgi.input"],
        length=int(length) if length.isdecimal() else None,
        terminated=bool(environ.get("wsgi.input_terminated")),
        limit=settings.max_content_length,
    )


def failed(environ: Environ, error: Exception) -> Answer:
    """Log a fault nobody foresaw; the client is told no more than that."""
    named = (environ[REQUEST_ID], environ["REQUEST_METHOD"], environ["PATH_INFO"])
    log.error("request %s: %s %s failed", *named, exc_info=error)
    return refused("the model server failed on this request; its log has the traceback", 500)


def status_of(answer: Answer) -> str:
    """Return an answer's status with the words for it, as Flask writes them."""
    return _STATUSES.get(answer.status) or f"{answer.status} UNKNOWN"


def headers_of(answer: Answer) -> list[tuple[str, str]]:
    """Return an answer's headers, its type and length first; 204 has no length."""
    headers = [("Content-Type", answer.content_type)] if answer.content_type else []
    if answer.status != 204:
        headers.append(("Content-Length", str(len(answer.body))))
    headers += answer.headers.items()
    return headers


_ATTRIBUTES: Final = "HTTP_" + ATTRIBUTES.upper().replace("-", "_")
_STATUSES: Final = {code: f"{code} {name.upper()}" for code, name in HTTP_STATUS_CODES.items()}


def _query(text: str) -> dict[str, str]:
    """Return what the URL asks for; the values of a key that comes twice with a comma between."""
    query: dict[str, str] = {}
    for key, value in parse_qsl(text, keep_blank_values=True) if text else ():
        query[key] = f"{query[key]},{value}" if key in query else value
    return query
