"""A plain app as its author would write it: Flask, a booster, the types that the body comes in.

Run by gunicorn with BENCH_BOOSTER, and BENCH_COLUMNS, the names of the columns as JSON.
"""

from __future__ import annotations

import io
import json
import os

import flask
import numpy as np
import xgboost

app = flask.Flask(__name__)
columns = json.loads(os.environ["BENCH_COLUMNS"])
booster = xgboost.Booster({"nthread": 1}, model_file=os.environ["BENCH_BOOSTER"])


@app.get("/ping")
def ping() -> flask.Response:
    """Answer 200."""
    return flask.Response(status=200)


@app.post("/invocations")
def invocations() -> flask.Response:
    """Answer rows of numbers in the type they came in."""
    body, kind = flask.request.get_data(), flask.request.mimetype
    if kind == "text/csv":
        rows = np.loadtxt(io.BytesIO(body), delimiter=",", ndmin=2, dtype=np.float32)
    elif kind == "application/json":
        records = json.loads(body)
        rows = np.array([[record[name] for name in columns] for record in records], np.float32)
    elif kind == "application/x-npy":
        rows = np.load(io.BytesIO(body))
    else:
        return flask.Response(f"{kind} is not read", status=415)
    scores = booster.inplace_predict(rows)
    if kind == "text/csv":
        lines = (",".join(map(str, np.atleast_1d(score).tolist())) for score in scores)
        return flask.Response("\n".join(lines) + "\n", mimetype=kind)
    if kind == "application/json":
        return flask.Response(
            json.dumps({"predictions": [{"score": score} for score in scores.tolist()]}),
            mimetype=kind,
        )
    stream = io.BytesIO()
    np.save(stream, scores)
    return flask.Response(stream.getvalue(), mimetype=kind)
