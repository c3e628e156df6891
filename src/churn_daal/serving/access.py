"""Around the app: a request is timed, counted and logged, and its headers are carried back."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from random import getrandbits
from time import perf_counter_ns
from typing import Any, Final, TypeAlias

import orjson

from churn_daal.serving.carried import ATTRIBUTES, INFERENCE_ID, carried
from churn_daal.serving.counters import Tally
from churn_daal.serving.lines import print_line
from churn_daal.serving.trace import Trace

Environ: TypeAlias = dict[str, Any]
Wsgi: TypeAlias = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]

TRACE: Final = "churn_daal.trace"
REQUEST_ID: Final = "churn_daal.request_id"
WARNINGS: Final = "X-Churn-Daal-Warnings"
# Asked every few seconds: neither counted nor logged, unless they fail.
QUIET: Final = frozenset({"/ping", "/metrics"})
_USUAL: Final = "/invocations"
_PATH_SHOWN: Final = 200
_MODEL: Final = re.compile(r"/models/(.+)/invoke")


class Watched:
    """A WSGI app around another.

    Parameters
    ----------
    app
        The one that answers.
    tally
        Where requests are counted.
    level
        From which on lines are printed: a request that is answered is INFO, one that is refused
        WARNING, a fault of the server ERROR.
    columns
        Whether the columns of every request are those of one model.
    write
        Takes a line of the log.
    """

    def __init__(
        self,
        app: Wsgi,
        tally: Tally,
        *,
        level: int = logging.INFO,
        columns: bool = True,
        write: Callable[[bytes], object] = print_line,
    ) -> None:
        self._app, self._tally, self._level = app, tally, level
        self._columns, self.write = columns, write

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer a request."""
        seen = self.begin(environ)

        def answered(status: str, headers: list[tuple[str, str]], *error: Any) -> Any:  # noqa: ANN401 - WSGI's own
            self.answered(seen, int(status[:3]), headers)
            return start_response(status, headers, *error)

        try:
            return self._app(environ, answered)
        finally:
            self.end(seen)

    def begin(self, environ: Environ) -> Seen:
        """Begin to watch a request."""
        seen = Seen(environ, environ["PATH_INFO"] not in QUIET)
        if seen.counted:
            self._tally.begin()
        return seen

    def answered(self, seen: Seen, status: int, headers: list[tuple[str, str]]) -> None:
        """Take note of an answer, and add the headers that every one has."""
        seen.status, seen.went = status, _length(headers)
        _carry(headers, seen.back, seen.trace if status == 200 else None)

    def end(self, seen: Seen) -> None:
        """Count a request that is answered, or that failed, and write its line."""
        seen.spent = spent = perf_counter_ns() - seen.start
        status, trace = seen.status, seen.trace
        length = seen.environ.get("CONTENT_LENGTH") or ""
        seen.came = int(length) if length.isdecimal() else trace.came
        if seen.counted:
            self._tally.end(
                status,
                trace,
                seconds=spent / 1e9,
                came=seen.came,
                went=seen.went,
                columns=self._columns,
            )
        level = _level(status)
        if level >= self._level and (seen.counted or status >= 400):
            self.write(_line(seen, level))


class Seen:
    """A request that is watched; until it is answered it counts as one that failed."""

    __slots__ = (
        *("back", "came", "counted", "environ", "spent", "start", "status", "trace", "went"),
    )

    def __init__(self, environ: Environ, counted: bool) -> None:  # noqa: FBT001 - see `begin`
        self.start = perf_counter_ns()
        self.environ, self.counted = environ, counted
        self.trace = environ[TRACE] = Trace()
        self.back = carried(environ)
        environ[REQUEST_ID] = _inference_id(self.back) or f"{getrandbits(64):016x}"
        self.status, self.came, self.went, self.spent = 500, 0, 0, 0


def _inference_id(back: list[tuple[str, str]]) -> str:
    return next((value for name, value in back if name == INFERENCE_ID), "") if back else ""


def _level(status: int) -> int:
    if status < 400:
        return logging.INFO
    return logging.WARNING if status < 500 else logging.ERROR


def _line(seen: Seen, level: int) -> bytes:
    environ, trace = seen.environ, seen.trace
    path = environ["PATH_INFO"]
    if path != _USUAL:
        path = path[:_PATH_SHOWN].encode("latin-1", "replace").decode("utf-8", "replace")
    data = {
        "time": datetime.now(UTC),
        "level": logging.getLevelName(level),
        "request_id": environ[REQUEST_ID],
        "method": environ["REQUEST_METHOD"],
        "path": path,
        "status": seen.status,
        "bytes_in": seen.came,
        "bytes_out": seen.went,
        "total_ms": _ms(seen.spent),
    }
    if trace.rows:
        data["rows"] = trace.rows
    if trace.rows or trace.predict:
        data["decode_ms"] = _ms(trace.decode)
        data["predict_ms"] = _ms(trace.predict)
        data["encode_ms"] = _ms(trace.encode)
    if trace.engine:
        data["engine"] = trace.engine
    if path != _USUAL and (named := _MODEL.fullmatch(path)):
        data["model"] = named[1]
    if trace.outside:
        data["out_of_range"] = sum(trace.outside.values())
    if trace.unseen:
        data["unseen"] = sum(trace.unseen.values())
    return orjson.dumps(data, option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_UTC_Z)


def _ms(nanoseconds: int) -> float:
    return nanoseconds // 1000 / 1000


def _length(headers: list[tuple[str, str]]) -> int:
    for name, value in headers:
        if name == "Content-Length":
            return int(value)
    return 0


def _carry(
    headers: list[tuple[str, str]], back: list[tuple[str, str]], trace: Trace | None
) -> None:
    """Add the headers that came, and the warnings of an answered request.

    SageMaker passes no header of ours on. A client that sent no attributes of its own finds the
    warnings in those; one that did gets them back as they were. What the answer has already, in
    whatever case, is the word of the user's own code, and stays.
    """
    warnings = trace.warnings() if trace is not None and (trace.outside or trace.unseen) else ""
    if warnings:
        headers.append((WARNINGS, warnings))
        if all(name != ATTRIBUTES for name, _ in back):
            back = [*back, (ATTRIBUTES, warnings)]
    if back:
        present = {name.lower() for name, _ in headers}
        headers.extend(header for header in back if header[0].lower() not in present)
