"""A WSGI app's answer, and the bytes in which HTTP/1.1 sends it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus
from typing import Any, Final, TypeAlias

from churn_daal.serving.request import refused

log = logging.getLogger(__name__)
Environ: TypeAlias = dict[str, Any]
Wsgi: TypeAlias = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]
_WITHOUT_BODY: Final = ("204", "304")
# Pieces of an answer up to this size are put together before it is sent.
_JOINED: Final = 2**20


@dataclass(slots=True)
class Reply:
    """An answer.

    Attributes
    ----------
    status
        `200 OK` and the like.
    headers
        Names and values.
    body
        Its bytes, or the pieces of a large one.
    """

    status: str
    headers: list[tuple[str, str]]
    body: bytes | Iterable[bytes]


def refusal(text: str, status: int) -> Reply:
    """Return a refusal in the shape all of this server's have."""
    answer = refused(text, status)
    headers = [("Content-Type", answer.content_type or "")]
    return Reply(f"{status} {HTTPStatus(status).phrase}", headers, bytes(answer.body))


FAULT: Final = refusal("the model server failed on this request; its log has the traceback", 500)


def ask(app: Wsgi, environ: Environ) -> Reply:
    """Ask an app. A fault of its own is logged and answered 500."""
    begun: list[Any] = []

    def start_response(status: str, headers: list[tuple[str, str]], *_: object) -> None:
        begun[:] = status, headers

    try:
        pieces = app(environ, start_response)
        status, headers = begun
        if type(pieces) is list:
            return Reply(status, headers, pieces[0] if len(pieces) == 1 else b"".join(pieces))
        if _length(headers) > _JOINED:
            return Reply(status, headers, pieces)
        body = b"".join(pieces)
        _close(pieces)
    except Exception:
        log.exception("%s %s failed", environ["REQUEST_METHOD"], environ["PATH_INFO"])
        return FAULT
    return Reply(status, headers, body)


def framed(reply: Reply, *, keep: bool, head_only: bool) -> tuple[bytes, Iterable[bytes]]:
    """Return what is sent first, and the pieces that follow it.

    Raises
    ------
    ValueError
        A header holds a line break, or a body in pieces has no length.
    """
    status, headers, body = reply.status, reply.headers, reply.body
    named = "".join([f"{name}: {value}\r\n" for name, value in headers])
    if named.count("\n") != len(headers) or named.count("\r") != len(headers):
        raise ValueError("a header of the answer holds a line break")
    bare = head_only or status[:3] in _WITHOUT_BODY
    length = ""
    # Line breaks are at the ends of headers alone.
    if "\ncontent-length: " not in f"\n{named}".lower():
        if not isinstance(body, bytes):
            raise ValueError("a body in pieces came without a Content-Length")
        length = "" if bare else f"Content-Length: {len(body)}\r\n"
    end = "\r\n" if keep else "Connection: close\r\n\r\n"
    date = _date(int(time.time()))
    first = f"HTTP/1.1 {status}\r\nDate: {date}\r\n{named}{length}{end}".encode("latin-1")
    if bare:
        return first, ()
    return (first + body, ()) if isinstance(body, bytes) else (first, body)


@lru_cache(maxsize=2)
def _date(second: int) -> str:
    return formatdate(second, usegmt=True)


def _length(headers: list[tuple[str, str]]) -> int:
    return next((int(value) for name, value in headers if name.lower() == "content-length"), 0)


def _close(pieces: Iterable[bytes]) -> None:
    close = getattr(pieces, "close", None)
    if close is not None:
        close()
