"""Seeing inside the image: `/metrics` over several workers, and a line of JSON a request."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from .conftest import Start
from .drive import Container, as_csv, docker, poll

pytestmark = pytest.mark.container
ANSWERED = 'churn_daal_requests_total{status="200"}'

# Process 1 is gunicorn's first, and of the others all but the one that asks are its workers.
KILL_A_WORKER = """
import os, signal
others = {int(name) for name in os.listdir("/proc") if name.isdigit()} - {1, os.getpid()}
os.kill(max(others), signal.SIGKILL)
"""


def scrape(server: Container) -> dict[str, float]:
    """Read the page."""
    answer = server.get("/metrics")
    assert answer.status == 200
    lines = (line.rpartition(" ") for line in answer.body.decode().splitlines() if line[0] != "#")
    return {name: float(value) for name, _, value in lines}


def test_workers_count_together_and_one_that_dies_loses_nothing(
    serve: Start, model: Path, rows: list[list[str]]
) -> None:
    """Every worker shows the sums of all; they outlive a worker."""
    server = serve(model, "--env", "SAGEMAKER_MODEL_SERVER_WORKERS=3")
    body = as_csv([["Atlantis", *rows[0][1:]], *rows[1:4]])
    with ThreadPoolExecutor(6) as clients:
        list(clients.map(lambda _: server.post(body), range(30)))
        server.post(b"x")
        found = [scrape(server) for _ in range(5)]

    assert [page[ANSWERED] for page in found] == [30] * 5
    assert found[0]["churn_daal_rows_total"] == 120
    assert found[0]["churn_daal_workers"] == 3
    assert found[0]['churn_daal_requests_total{status="400"}'] == 1
    assert found[0]['churn_daal_column_unseen_total{column="State"}'] == 30
    assert found[0]['churn_daal_stage_seconds_count{stage="predict"}'] == 30

    done = docker("exec", server.name, "/opt/venv/bin/python", "-c", KILL_A_WORKER)
    assert done.returncode == 0, done.stderr
    poll(
        lambda: scrape(server)["churn_daal_worker_starts_total"] == 4,
        "another worker",
        server.logs,
    )
    assert server.post(body).status == 200
    assert scrape(server)[ANSWERED] == 31


def test_each_request_is_a_line_of_json_on_stdout(
    serve: Start, model: Path, rows: list[list[str]]
) -> None:
    """Pings are none; nothing of a body is in the log."""
    server = serve(model)
    server.post(as_csv(rows[:3]))
    server.post(as_csv([[*rows[0][:1], "confidential", *rows[0][2:]]]))

    poll(lambda: len(docker("logs", server.name).stdout.splitlines()) == 2, "two lines")
    logged = docker("logs", server.name)
    good, bad = map(json.loads, logged.stdout.splitlines())

    assert (good["status"], good["rows"], good["engine"], good["level"]) == (
        200,
        3,
        "onedal",
        "INFO",
    )
    assert {"decode_ms", "predict_ms", "encode_ms", "total_ms", "request_id", "time"} <= set(good)
    assert (bad["status"], bad["level"]) == (415, "WARNING")
    assert "confidential" not in logged.stdout + logged.stderr
