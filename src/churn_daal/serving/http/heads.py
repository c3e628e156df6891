"""A request's line and headers, as WSGI has them."""

from __future__ import annotations

import asyncio
from typing import Final
from urllib.parse import unquote_to_bytes

from churn_daal.serving.http.reply import Environ

_KNOWN_NAMES: Final = 1024
_LONGEST_KEPT: Final = 64
_names: Final[dict[bytes, str]] = {}


class RefusedError(Exception):
    """A request of which nobody can tell what it asks: a status and a text."""


def key_of(name: bytes) -> str:
    """Return a header's name as WSGI has it; "" for one that is passed over."""
    key = _names.get(name)
    if key is None:
        key = _made(name)
        if len(_names) < _KNOWN_NAMES and len(name) <= _LONGEST_KEPT:
            _names[name] = key
    return key


def take_target(environ: Environ, url: bytes) -> None:
    """Put a request line's target into an environment."""
    environ["RAW_URI"] = url.decode("latin-1")
    if not url.startswith(b"/"):
        # As a proxy is asked: http://host/path.
        _, _, after = url.partition(b"://")
        url = b"/" + after.partition(b"/")[2] if after else url
    path, _, query = url.partition(b"#")[0].partition(b"?")
    environ["PATH_INFO"] = (unquote_to_bytes(path) if b"%" in path else path).decode("latin-1")
    environ["QUERY_STRING"] = query.decode("latin-1")


def is_chunked(environ: Environ) -> bool:
    """Tell whether a body comes in chunks.

    Raises
    ------
    RefusedError
        501: it comes in another coding.
    """
    coding = environ.get("HTTP_TRANSFER_ENCODING")
    if coding is None:
        return False
    if coding.lower() != "chunked":
        raise RefusedError(501, f"Transfer-Encoding {coding:.40}: send chunked, or a length")
    return True


def peer_of(transport: asyncio.Transport) -> Environ:
    """Return what an environment says of the client."""
    host, port = (transport.get_extra_info("peername") or ("", 0))[:2]
    return {"REMOTE_ADDR": host, "REMOTE_PORT": str(port)}


def _made(name: bytes) -> str:
    text = name.decode("latin-1").upper()
    if "_" in text:
        return ""  # `A_B` would pass for `A-B`
    key = text.replace("-", "_")
    return key if key in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{key}"
