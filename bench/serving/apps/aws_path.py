"""The work of AWS's XGBoost container for a request, restated from reading its code.

A model of it, not its code: docs/performance.md says what it does, and what it leaves out. Run by
gunicorn's gevent worker, as there: `gunicorn -k gevent aws_path:app`, with BENCH_BOOSTER set.
"""

from __future__ import annotations

import csv
import io
import json
import logging
import os
from email.message import Message

# Its modules import these at start, for work that requests of CSV do not ask for.
import boto3  # noqa: F401
import flask
import numpy as np
import pandas as pd  # noqa: F401
import pyarrow.parquet  # noqa: F401
import scipy.sparse  # noqa: F401
import xgboost

# There, the root logger writes every line of INFO to the console, with its time.
logging.basicConfig(level=logging.INFO, format="[%(asctime)s:%(levelname)s] %(message)s")
ACCEPTED = (
    "application/json",
    "application/jsonlines",
    "application/x-recordio-protobuf",
    "text/csv",
)
log = logging.getLogger(__name__)
app = flask.Flask(__name__)
app.config["MAX_CONTENT_LENGTH"] = 6 * 2**20
_loaded: list[tuple[list[xgboost.Booster], str]] = []


def boosters() -> tuple[list[xgboost.Booster], str]:
    """Return the model, loaded by the first that asks."""
    if not _loaded:
        # There a pickle is tried first, at start alone; here nothing is unpickled.
        booster = xgboost.Booster(model_file=os.environ["BENCH_BOOSTER"])
        booster.set_param("nthread", 1)
        config = json.loads(booster.save_config())
        _loaded.append(([booster], config["learner"]["objective"]["name"]))
    return _loaded[0]


def media_type(header: str) -> str:
    """Return a header's media type without its parameters."""
    message = Message()
    message["content-type"] = header
    return message.get_content_type()


def matrix_of(text: str) -> xgboost.DMatrix:
    """Guess the separator from the first line, then make each cell a Python text, then a number."""
    lines = text.split("\n")
    guess = csv.Sniffer().sniff(lines[0][:512]).delimiter
    separator = "," if guess.isalnum() else guess
    log.info("Determined delimiter of CSV input is '%s'", separator)
    cells = [["nan" if cell == "" else cell for cell in line.split(separator)] for line in lines]
    return xgboost.DMatrix(np.array(cells).astype(float))


def predicted(matrix: xgboost.DMatrix) -> np.ndarray:
    """Predict by every booster, up to its best round; the mean of several."""
    models, _ = boosters()
    answers = []
    for booster in models:
        rounds = (0, booster.best_iteration + 1) if booster.attr("best_iteration") else (0, 0)
        answers.append(booster.predict(matrix, iteration_range=rounds, validate_features=False))
    return answers[0] if len(answers) == 1 else np.mean(answers, axis=0)


def csv_of(answers: list[float] | list[list[float]]) -> str:
    """Write a line a row, cell by cell, through an array of the list and the csv module."""
    array = np.array(answers)
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows(array if array.ndim > 1 else array[:, None])
    return stream.getvalue()


@app.get("/ping")
def ping() -> flask.Response:
    """Load the model, and answer 200."""
    boosters()
    return flask.Response(status=200)


@app.post("/invocations")
def invocations() -> flask.Response:
    """Answer rows of CSV."""
    payload = flask.request.data
    if not payload:
        return flask.Response(status=204)
    if media_type(flask.request.content_type or "text/csv") != "text/csv":
        return flask.Response("Content-type is not supported", status=415)
    try:
        matrix = matrix_of(payload.strip().decode("utf-8"))
    except Exception as fault:
        log.exception("no rows")
        return flask.Response(str(fault), status=415)
    try:
        answers = predicted(matrix).tolist()
    except Exception as fault:
        log.exception("no answer")
        return flask.Response(str(fault), status=400)
    accept = flask.request.headers.get("accept", "")
    accept = "text/csv" if accept in {"", "*/*"} else media_type(accept)
    if accept not in ACCEPTED:
        return flask.Response(f"Accept type {accept} is not supported", status=406)
    if accept == "application/json":
        text = json.dumps({"predictions": [{"score": answer} for answer in answers]})
    else:
        text = csv_of(answers)
    return flask.Response(text, mimetype=accept)
