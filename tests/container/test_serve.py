"""`docker run IMAGE serve` answers raw rows as stock XGBoost does."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from .conftest import Start
from .drive import CHURN, Container, as_csv, poll, xgboost_answers

pytestmark = pytest.mark.container


def test_ten_raw_rows_are_answered_as_xgboost_answers_them(
    serve: Start, model: Path, rows: list[list[str]]
) -> None:
    """The product's promise, through the whole image: the same numbers from raw CSV."""
    answer = serve(model).post(as_csv(rows[:10]))

    assert np.abs(answer.scores() - xgboost_answers(model, rows[:10])).max() <= 1e-5


def test_a_named_record_is_answered_as_its_row_in_any_order(
    serve: Start, model: Path, rows: list[list[str]]
) -> None:
    """Names place the cells, whatever their order and whether numbers come as text."""
    with CHURN.open(encoding="utf-8") as file:
        names = file.readline().strip().split(",")[:-1]
    record = dict(reversed(list(zip(names, rows[0], strict=True))))

    answer = serve(model).post(json.dumps(record).encode(), "application/json")

    assert answer.status == 200, answer.body
    score = json.loads(answer.body)["predictions"][0]["score"]
    assert abs(score - xgboost_answers(model, rows[:1])[0]) <= 1e-5


def test_ping_is_200_with_an_empty_body(serve: Start, model: Path) -> None:
    """SageMaker's health check (rule S2)."""
    answer = serve(model).get("/ping")

    assert (answer.status, answer.body) == (200, b"")


def test_port_follows_sagemaker_bind_to_port(start: Start, model: Path) -> None:
    """In an inference pipeline every container is given a port of its own (rule S1)."""
    source = f"type=bind,source={model},target=/opt/ml/model,readonly"
    started = start(
        "serve",
        *("--mount", source, "--env", "SAGEMAKER_BIND_TO_PORT=18123"),
        *("--publish", "127.0.0.1::18123"),
    )
    container = Container(started.name, inner_port=18123)

    poll(container.answers_ping, "an answer to /ping on the port asked for", container.logs)


def test_a_bad_row_is_refused_by_place_and_the_server_lives_on(
    serve: Start, model: Path, rows: list[list[str]]
) -> None:
    """A client's fault is a 4xx that names the row, and costs the next client nothing."""
    container = serve(model)
    short = [rows[0], rows[1][:-1]]

    refused = container.post(as_csv(short))

    assert 400 <= refused.status < 500
    assert b"row 2" in refused.body
    assert container.post(as_csv(rows[:1])).status == 200
