"""A bare server: no framework, one decoder a type, an engine. So engines can be compared.

A WSGI callable, run by gunicorn or Granian with BENCH_ENGINE, BENCH_BOOSTER and BENCH_MADE.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import orjson
from engines import ENGINES

_predict = ENGINES[os.environ["BENCH_ENGINE"]](
    os.environ["BENCH_BOOSTER"], os.environ.get("BENCH_MADE", "")
)


def _rows(body: bytes, kind: str) -> np.ndarray:
    if kind == "application/x-npy":
        return np.load(io.BytesIO(body)).astype(np.float32, copy=False)
    # Rows of numbers are a list in JSON but for the ends of their lines.
    text = body.strip()
    cells = orjson.loads(b"[" + text.replace(b"\n", b",") + b"]")
    return np.array(cells, np.float32).reshape(text.count(b"\n") + 1, -1)


def _answer(scores: np.ndarray, kind: str) -> bytes:
    scores = np.ascontiguousarray(scores, np.float32)
    if kind == "application/x-npy":
        stream = io.BytesIO()
        np.save(stream, scores)
        return stream.getvalue()
    text = orjson.dumps(scores, option=orjson.OPT_SERIALIZE_NUMPY)
    if scores.ndim > 1:
        return text[2:-2].replace(b"],[", b"\n") + b"\n"
    return text[1:-1].replace(b",", b"\n") + b"\n"


def app(environ: dict[str, Any], start: Callable[..., object]) -> Iterable[bytes]:
    """Answer rows of numbers in the type they came in."""
    if environ["PATH_INFO"] == "/ping":
        start("200 OK", [("Content-Length", "0")])
        return [b""]
    kind = environ.get("CONTENT_TYPE", "text/csv")
    body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
    answer = _answer(_predict(_rows(body, kind)), kind)
    start("200 OK", [("Content-Type", kind), ("Content-Length", str(len(answer)))])
    return [answer]
