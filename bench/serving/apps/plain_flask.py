"""A plain app as its author would write it: Flask, a booster, the types that the body comes in.

Run by gunicorn with BENCH_BOOSTER, and BENCH_COLUMNS: the columns as JSON, `[name, words]` each. A
number has no words, a yes-or-no column two; one of more words is a 0 or 1 for each of them.
"""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Mapping

import flask
import numpy as np
import xgboost

app = flask.Flask(__name__)
columns = [(name, words) for name, words in json.loads(os.environ["BENCH_COLUMNS"])]
names = [name for name, _ in columns]
raw = any(words for _, words in columns)
booster = xgboost.Booster({"nthread": 1}, model_file=os.environ["BENCH_BOOSTER"])


def coded(record: Mapping[str, str | float]) -> list[float]:
    """Return a record as the booster sees it."""
    cells: list[float] = []
    for name, words in columns:
        value = record[name]
        if not words:
            cells.append(float(value))
        elif len(words) == 2:
            cells.append(float(value == words[1]))
        else:
            cells += [float(value == word) for word in words]
    return cells


def rows_of(body: bytes, kind: str) -> np.ndarray:
    """Return the rows of a body."""
    if kind == "application/x-npy":
        return np.load(io.BytesIO(body))
    if kind == "application/json":
        return np.array([coded(record) for record in json.loads(body)], np.float32)
    if not raw:
        return np.loadtxt(io.BytesIO(body), delimiter=",", ndmin=2, dtype=np.float32)
    lines = csv.DictReader(io.StringIO(body.decode()), names)
    return np.array([coded(record) for record in lines], np.float32)


def text_of(scores: np.ndarray) -> str:
    """Return a line a row."""
    lines = (",".join(map(str, np.atleast_1d(score).tolist())) for score in scores)
    return "\n".join(lines) + "\n"


@app.get("/ping")
def ping() -> flask.Response:
    """Answer 200."""
    return flask.Response(status=200)


@app.post("/invocations")
def invocations() -> flask.Response:
    """Answer rows in the type they came in."""
    kind = flask.request.mimetype
    scores = booster.inplace_predict(rows_of(flask.request.get_data(), kind))
    if kind == "application/json":
        records = [{"score": score} for score in scores.tolist()]
        return flask.Response(json.dumps({"predictions": records}), mimetype=kind)
    if kind == "text/csv":
        return flask.Response(text_of(scores), mimetype=kind)
    stream = io.BytesIO()
    np.save(stream, scores)
    return flask.Response(stream.getvalue(), mimetype=kind)
