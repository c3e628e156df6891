"""One line of JSON a request: what it was, what it cost, and nothing of its body."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from churn_daal.artifact import Model
from churn_daal.serving import access
from churn_daal.serving import lines as log_lines
from churn_daal.serving.app import create_app
from churn_daal.serving.carried import ATTRIBUTES, INFERENCE_ID
from churn_daal.serving.counters import Counters
from churn_daal.serving.invocation import ModelService
from churn_daal.settings import ServeSettings

from .test_app import ROW, post

Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def lines(capfd: pytest.CaptureFixture[str]) -> Lines:
    """Return the function that reads what was printed to stdout since it was last asked."""
    return lambda: [json.loads(line) for line in capfd.readouterr().out.splitlines()]


def client_at(model: Model, level: int) -> FlaskClient:
    """Return a client of an app that logs from a level on."""
    settings = ServeSettings(Path("unused"), log_level=level)
    return create_app(ModelService(model), settings).test_client()


def test_an_answered_request_is_a_line(client: FlaskClient, lines: Lines) -> None:
    """With its id, sizes, rows, times and engine."""
    body = f"{ROW}\n{ROW.replace('KS', 'XX')}\n"

    response = post(client, body, **{INFERENCE_ID: "order-7"})

    [line] = lines()
    assert datetime.fromisoformat(line.pop("time")).tzinfo is not None
    times = {name: line.pop(name) for name in list(line) if name.endswith("_ms")}
    assert line == {
        "level": "INFO",
        "request_id": "order-7",
        "method": "POST",
        "path": "/invocations",
        "status": 200,
        "bytes_in": len(body),
        "bytes_out": len(response.data),
        "rows": 2,
        "engine": "onedal",
        "unseen": 1,
    }
    assert set(times) == {"decode_ms", "predict_ms", "encode_ms", "total_ms"}
    assert all(time >= 0 for time in times.values())
    assert sum(times.values()) - times["total_ms"] <= times["total_ms"]


def test_a_refused_request_is_a_warning_without_its_body(client: FlaskClient, lines: Lines) -> None:
    """An id is made where none came; what the client sent is not in the log."""
    post(client, ROW.replace("128", "secret"))
    post(client, ROW.replace("128", "secret"))

    first, second = lines()
    assert (first["level"], first["status"]) == ("WARNING", 415)
    assert first["request_id"] != second["request_id"]
    assert "secret" not in json.dumps(first)
    assert "predict_ms" not in first


def test_pings_are_logged_only_when_they_fail(churn: Model, lines: Lines) -> None:
    """They come every few seconds."""

    class Stuck:
        name, n_features = "onedal", churn.engine.n_features

        def predict(self, X: Any) -> Any:  # noqa: ANN401 - an engine
            return X[:, 0]

    stuck = replace(churn, engine=Stuck())  # type: ignore[arg-type]
    for model in (churn, stuck):
        client_at(model, logging.INFO).get("/ping")

    [line] = lines()
    assert (line["path"], line["status"], line["level"]) == ("/ping", 503, "ERROR")


@pytest.mark.parametrize(
    ("level", "logged"),
    [(logging.INFO, [200, 415, 404]), (logging.WARNING, [415, 404]), (logging.ERROR, [])],
)
def test_the_level_decides(churn: Model, lines: Lines, level: int, logged: list[int]) -> None:
    """What is below it is not printed."""
    client = client_at(churn, level)

    post(client, ROW)
    post(client, ROW.replace("128", "x"))
    client.get("/nowhere")

    assert [line["status"] for line in lines()] == logged


def test_paths_of_any_bytes_are_logged(client: FlaskClient, lines: Lines) -> None:
    """A line is JSON whatever was asked for, and no longer than need be."""
    client.get("/caf%C3%A9%FF%0A" + "x" * 500)

    [line] = lines()
    assert line["path"].startswith("/caf\u00e9\ufffd\n")
    assert len(line["path"]) < 201


def test_a_models_name_is_logged(lines: Lines) -> None:
    """Where the path has one, as multi-model endpoints do."""
    seen: list[bytes] = []
    watched = access.Watched(
        lambda _, start: start("200 OK", [("Content-Length", "2")]) or [b"ok"],
        Counters(1).tally(0),
        columns=False,
        write=seen.append,
    )
    watched({"PATH_INFO": "/models/m-1/invoke", "REQUEST_METHOD": "POST"}, lambda *_: None)

    [line] = map(json.loads, seen)
    assert (line["model"], line["bytes_out"], line["bytes_in"]) == ("m-1", 2, 0)
    assert lines() == []


@pytest.mark.parametrize("name", [ATTRIBUTES, ATTRIBUTES.lower(), ATTRIBUTES.upper()])
@pytest.mark.parametrize("unseen", [{}, {1: 2}])
def test_what_an_app_has_put_on_its_answer_stays(name: str, unseen: dict[int, int]) -> None:
    """Header names have no case: what came, or a warning, is not put beside it."""
    sent: list[tuple[str, str]] = []

    def app(environ: dict[str, Any], start: Callable[..., Any]) -> list[bytes]:
        environ[access.TRACE].unseen = unseen
        start("200 OK", [(name, "own")])
        return [b""]

    environ = {"PATH_INFO": "/ping", "HTTP_X_AMZN_SAGEMAKER_CUSTOM_ATTRIBUTES": "came"}
    watched = access.Watched(app, Counters(1).tally(0))
    watched(environ, lambda _, headers: sent.extend(headers))

    assert [value for key, value in sent if key.lower() == ATTRIBUTES.lower()] == ["own"]
    assert dict(sent).get(access.WARNINGS) == ("unseen=2" if unseen else None)


def test_a_log_that_nobody_reads_costs_no_request(monkeypatch: pytest.MonkeyPatch) -> None:
    """A closed stdout is not the client's fault."""
    monkeypatch.setattr(log_lines, "_STDOUT", 999_999)

    log_lines.print_line(b"{}\n")
