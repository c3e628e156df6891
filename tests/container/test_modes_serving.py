"""`serve` in each mode SageMaker runs it in: batch, asynchronous, serverless, pipeline.

Each test sets what the platform sets, and drives the image by HTTP alone.
"""

from __future__ import annotations

import http.client
import io
import json
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from .conftest import Start
from .drive import AS_CALLER, Container, as_csv, docker, mount, poll, xgboost_answers

pytestmark = pytest.mark.container
MB = 2**20
ATTRIBUTES = "X-Amzn-SageMaker-Custom-Attributes"
INFERENCE_ID = "X-Amzn-SageMaker-Inference-Id"
# The platform's limit of a request of a batch job.
BODY_MB = 100
# A server is ready in some 60 MB; a body that were held in memory would not fit in the rest.
BATCH_MEMORY_MB = 300


def send(
    server: Container, body: bytes | io.BufferedIOBase, headers: Mapping[str, str]
) -> tuple[int, dict[str, str], bytes]:
    """POST to /invocations; return status, headers in lower case, and body."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port(), timeout=600)
    with closing(connection):
        connection.request("POST", "/invocations", body, dict(headers))
        response = connection.getresponse()
        named = {name.lower(): value for name, value in response.getheaders()}
        return response.status, named, response.read()


def padded(row: list[str], width: int) -> bytes:
    """Write a row as a line of so many bytes: a cell may have blanks around it."""
    line = ",".join(row).encode()
    first = len(row[0])
    return line[:first] + b" " * (width - len(line) - 1) + line[first:] + b"\n"


def peak_mb(server: Container) -> float:
    """Return the most memory a process of the container has had, of the largest one."""
    pids = [line.split()[1] for line in docker("top", server.name).stdout.splitlines()[1:]]
    statuses = [Path(f"/proc/{pid}/status").read_text() for pid in pids]
    peaks = [line.split()[1] for text in statuses for line in text.splitlines() if "VmHWM" in line]
    return max(map(int, peaks)) / 1024


def test_batch_answers_a_body_of_100_mb_in_bounded_memory(
    serve: Start, model: Path, rows: list[list[str]]
) -> None:
    """A line a row, in order, with a newline at the end; the container has three times the body."""
    lines = [padded(row, 800) for row in rows[:1000]]
    body = b"".join(lines) * (BODY_MB * MB // (800 * 1000))
    server = serve(
        model,
        *("--env", "SAGEMAKER_BATCH=True", "--env", f"SAGEMAKER_MAX_PAYLOAD_IN_MB={BODY_MB}"),
        *("--env", "SAGEMAKER_MODEL_SERVER_WORKERS=1"),
        *("--memory", f"{BATCH_MEMORY_MB}m", "--memory-swap", f"{BATCH_MEMORY_MB}m"),
    )

    status, headers, answer = send(server, body, {"Content-Type": "text/csv"})

    assert status == 200, answer[:500]
    assert answer.endswith(b"\n")
    scores = np.array(answer.split(), dtype=np.float64).reshape(-1, 1000)
    assert scores.shape[0] == len(body) // (800 * 1000)
    assert np.abs(scores - xgboost_answers(model, rows[:1000])).max() <= 1e-5
    assert headers["content-type"].startswith("text/csv")
    assert peak_mb(server) < BATCH_MEMORY_MB


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"SAGEMAKER_MODEL_SERVER_WORKERS": "2"}, (2, "MULTI_RECORD", 50)),
        (
            {
                "SAGEMAKER_MAX_PAYLOAD_IN_MB": "6",
                "SAGEMAKER_MAX_CONCURRENT_TRANSFORMS": "3",
                "SAGEMAKER_BATCH_STRATEGY": "SingleRecord",
            },
            (3, "SINGLE_RECORD", 6),
        ),
    ],
    ids=["ours", "the job's"],
)
def test_a_batch_job_is_told_how_to_call(
    serve: Start, model: Path, environ: dict[str, str], expected: tuple[int, str, int]
) -> None:
    """GET /execution-parameters: the job's own choices, or what this server takes (rule B1)."""
    settings = {"SAGEMAKER_BATCH": "true"} | environ
    options = [text for name, value in settings.items() for text in ("--env", f"{name}={value}")]

    answer = serve(model, *options).get("/execution-parameters")

    assert answer.status == 200
    concurrent, strategy, payload = expected
    assert json.loads(answer.body) == {
        "MaxConcurrentTransforms": concurrent,
        "BatchStrategy": strategy,
        "MaxPayloadInMB": payload,
    }


def test_async_takes_a_body_over_the_usual_limit(
    serve: Start, model: Path, rows: list[list[str]]
) -> None:
    """Where the limit is set for it; the refusal without it says how."""
    body = padded(rows[0], 4000) * (40 * MB // 4000)
    large = serve(model, "--env", f"MAX_CONTENT_LENGTH={1024 * MB}")

    status, _, answer = send(large, body, {"Content-Type": "text/csv"})

    assert (status, len(answer.split())) == (200, 40 * MB // 4000)
    refused, _, text = send(serve(model), body, {"Content-Type": "text/csv"})
    assert refused == 413
    assert b"raise MAX_CONTENT_LENGTH" in text


def test_serverless(start: Start, model: Path, rows: list[list[str]]) -> None:
    """1 GB, a user who owns nothing, a file system that only has /tmp to write: one worker."""
    server = start(
        "serve",
        *("--publish", "127.0.0.1::8080", "--memory", "1g", "--user", "12345"),
        *("--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL"),  # noqa: S108 - in the container
        *mount(model, "/opt/ml/model", readonly=True),
    )
    poll(server.answers_ping, "an answer to /ping", server.logs)

    # The most that serverless inference lets in.
    body = padded(rows[0], 1000) * (4 * MB // 1000)
    status, _, answer = send(server, body, {"Content-Type": "text/csv"})

    assert (status, len(answer.split())) == (200, 4 * MB // 1000)
    assert len(docker("top", server.name).stdout.splitlines()) - 1 == 2
    assert server.get("/metrics").status == 200


def test_a_pipeline_hands_over_what_the_container_before_wrote(
    start: Start, model: Path, rows: list[list[str]]
) -> None:
    """On the port it was given, with parameters in the content type (rule S1)."""
    ports = (
        "--env",
        "SAGEMAKER_BIND_TO_PORT=18123",
        "--env",
        "SAGEMAKER_SAFE_PORT_RANGE=18124-18130",
    )
    started = start(
        "serve",
        *ports,
        *("--publish", "127.0.0.1::18123", "--publish", "127.0.0.1::18124"),
        *AS_CALLER,
        *mount(model, "/opt/ml/model", readonly=True),
    )
    server = Container(started.name, inner_port=18123)
    poll(server.answers_ping, "an answer to /ping", server.logs)

    sent = {"Content-Type": 'Text/CSV; charset="utf-8"; header=absent', "Accept": "text/csv;q=0.9"}
    status, _, answer = send(server, as_csv(rows[:5]), sent)

    assert status == 200, answer
    scores = np.array(answer.split(), dtype=np.float64)
    assert np.abs(scores - xgboost_answers(model, rows[:5])).max() <= 1e-5
    assert server.get("/metrics").status == 404
    assert b"churn_daal_rows_total 5" in Container(started.name, 18124).get("/metrics").body


def test_what_the_client_sent_comes_back(serve: Start, model: Path, rows: list[list[str]]) -> None:
    """Attributes and id, on answers and on refusals; a row unlike training is pointed out."""
    server = serve(model)
    sent = {ATTRIBUTES: "trace=7", INFERENCE_ID: "order-7", "Content-Type": "text/csv"}
    odd = [["Atlantis", *rows[0][1:]]]

    answers = [send(server, body, sent) for body in (as_csv(rows[:1]), b"not a row", as_csv(odd))]

    assert [status for status, _, _ in answers] == [200, 400, 200]
    for _, headers, _ in answers:
        assert headers[ATTRIBUTES.lower()] == "trace=7"
        assert headers[INFERENCE_ID.lower()] == "order-7"
    warned = [headers.get("x-churn-daal-warnings") for _, headers, _ in answers]
    assert warned == [None, None, "unseen=1"]
    _, headers, _ = send(server, as_csv(odd), {"Content-Type": "text/csv"})
    assert headers[ATTRIBUTES.lower()] == "unseen=1"
    status, _, text = send(server, as_csv(rows[:1]), sent | {ATTRIBUTES: "x" * 1025})
    assert status == 400
    assert b"at most 1,024" in text


def test_monitoring_gets_a_probability_a_line(
    serve: Start, model: Path, rows: list[list[str]]
) -> None:
    """Clarify and Model Monitor send several CSV records and read as many lines."""
    sent = {"Content-Type": "text/csv", "Accept": "text/csv"}

    status, _, answer = send(serve(model), as_csv(rows[:50]), sent)

    lines = answer.decode().splitlines()
    assert (status, len(lines)) == (200, 50)
    assert all(0 <= float(line) <= 1 for line in lines)
