"""SIGTERM to process 1: a job keeps what it learned, a server what it was asked."""

from __future__ import annotations

import socket
from pathlib import Path

import numpy as np
import pytest

from churn_daal import artifact

from .conftest import Start
from .drive import AS_CALLER, as_csv, lay_opt_ml, mount, poll, stock_booster, xgboost_answers

pytestmark = pytest.mark.container
# Far more rounds than any machine reaches before the signal.
ENDLESS = 2_000_000


def test_a_stopped_job_ends_well_with_a_complete_model(start: Start, tmp_path: Path) -> None:
    """Stopping a job, early stopping of a tuner and spot reclaim all send SIGTERM (rule T13)."""
    opt_ml = lay_opt_ml(tmp_path / "ml", num_round=str(ENDLESS))
    job = start("train", *AS_CALLER, *mount(opt_ml, "/opt/ml"))
    poll(lambda: "\n[3]\t" in job.logs(), "the fourth round", job.logs)

    job.terminate()

    assert job.exit_code() == 0, job.logs()
    model = opt_ml / "model"
    assert artifact.load(model).answers()
    assert 3 < stock_booster(model).num_boosted_rounds() < ENDLESS
    assert not (opt_ml / "output/failure").exists()


def test_a_request_in_flight_is_answered_before_serve_ends(
    serve: Start, model: Path, rows: list[list[str]]
) -> None:
    """An endpoint is updated under load (rule S5): the client must not see the switch."""
    body = as_csv(rows[:50])
    server = serve(model)
    with socket.create_connection(("127.0.0.1", server.port()), timeout=60) as client:
        client.sendall(
            b"POST /invocations HTTP/1.1\r\nHost: test\r\nContent-Type: text/csv\r\n"
            b"Expect: 100-continue\r\nConnection: close\r\n"
            b"Content-Length: %d\r\n\r\n" % len(body)
        )
        # The server says so once a worker has taken the request up: now it is in flight.
        assert client.recv(4096).startswith(b"HTTP/1.1 100")
        server.terminate()
        poll(lambda: "ignal: term" in server.logs(), "the server's notice of SIGTERM", server.logs)
        client.sendall(body)
        answer = b"".join(iter(lambda: client.recv(65536), b""))

    head, _, scores = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200"), answer
    expected = xgboost_answers(model, rows[:50])
    assert np.abs(np.array(scores.split(), dtype=np.float64) - expected).max() <= 1e-5
    assert server.exit_code() == 0, server.logs()
