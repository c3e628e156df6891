"""The function behind the REST API, against the runtime's answers over real connections."""

from __future__ import annotations

import base64
import json
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from threading import Thread
from types import ModuleType

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from werkzeug.serving import make_server

from churn_daal import artifact
from churn_daal.serving.app import create_app
from churn_daal.serving.invocation import ModelService
from churn_daal.settings import ServeSettings

from .function import CONTEXT, event, load
from .sagemaker_runtime import Fault, Runtime, runtime

pytestmark = pytest.mark.mlops


@pytest.fixture(scope="module")
def container(churn_model: Path) -> Iterator[tuple[str, int]]:
    """Serve the churn model by its own app; return host and port."""
    app = create_app(ModelService(artifact.load(churn_model)), ServeSettings.from_env({}))
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield "127.0.0.1", server.port
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def service(container: tuple[str, int]) -> Iterator[Runtime]:
    """Return the runtime in front of it."""
    with runtime("127.0.0.1", "churn-staging", container) as running:
        yield running


@pytest.fixture
def function(service: Runtime, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Return the function with a short patience."""
    return load(monkeypatch, service.url, READ_TIMEOUT_SECONDS="0.5")


@pytest.fixture
def record(churn_head: str) -> dict[str, str]:
    """Return a raw customer by name, the label with it."""
    header, row = churn_head.splitlines()[:2]
    return dict(zip(header.split(","), row.split(","), strict=True))


def test_an_answer_comes_back_with_its_type_variant_and_request_id(
    function: ModuleType, record: dict[str, str]
) -> None:
    """The body is the container's."""
    answer = function.handler(event(json.dumps(record)), CONTEXT)

    assert answer["statusCode"] == 200
    assert answer["isBase64Encoded"] is False
    assert answer["headers"]["Content-Type"] == "application/json"
    assert answer["headers"]["X-Amzn-Invoked-Production-Variant"] == "primary"
    assert answer["headers"]["X-Request-Id"] == "request-1"
    assert list(json.loads(answer["body"])["predictions"][0]) == ["score", "predicted_label"]


def test_a_variant_can_be_asked_for_by_name(
    function: ModuleType, service: Runtime, record: dict[str, str]
) -> None:
    """Past the weights: how a canary is looked at before it gets requests."""
    wish = {"X-Amzn-SageMaker-Target-Variant": "canary"}

    function.handler(event(json.dumps(record), **wish), CONTEXT)

    assert service.seen[-1]["X-Amzn-SageMaker-Target-Variant"] == "canary"


def test_binary_bodies_go_there_and_back(function: ModuleType, record: dict[str, str]) -> None:
    """API Gateway carries them in base64; the container reads and writes the same bytes."""
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist([record]), sink)
    body = sink.getvalue().to_pybytes()

    asked = event(body, "application/x-parquet", Accept="application/x-npy")
    answer = function.handler(asked, CONTEXT)

    assert answer["statusCode"] == 200, answer["body"]
    assert answer["isBase64Encoded"] is True
    assert base64.b64decode(answer["body"]).startswith(b"\x93NUMPY")


@pytest.mark.parametrize(
    ("fault", "status", "named"),
    [
        (Fault(400, "ThrottlingException", "Rate exceeded"), 429, "too many requests"),
        (Fault(429, "ModelNotReadyException", "loading"), 429, "too many requests"),
        (Fault(503, "ServiceUnavailable", "down"), 503, "not available"),
        (Fault(400, "ValidationError", "Endpoint x of account 1 not found."), 502, "not there"),
        (Fault(400, "ValidationError", "CustomAttributes is odd"), 400, "CustomAttributes is odd"),
        (
            Fault(413, "RequestEntityTooLarge", "HTTP content length exceeded 6291456 bytes."),
            413,
            "6291456 bytes",
        ),
        (
            Fault(400, "ValidationError", "Value at 'body' failed: Member must have length <= 9"),
            413,
            "length <= 9",
        ),
        (Fault(403, "AccessDeniedException", "arn:aws:iam::1:role/x"), 502, "log says why"),
        (
            Fault(424, "ModelError", "x", OriginalStatusCode=503, OriginalMessage="<p>no</p>"),
            503,
            "<p>no</p>",
        ),
        (
            Fault(
                424,
                "ModelError",
                "Received server error (0) from primary with message \"Your invocation timed out "
                'while waiting for a response". See the log.',
                OriginalStatusCode=0,
            ),
            504,
            "did not answer in time",
        ),
        (
            Fault(424, "ModelError", 'Received client error (400) from p with message "no". See x.',
                  OriginalStatusCode=400),
            400,
            "no",
        ),
    ],
    ids=lambda value: value.name if isinstance(value, Fault) else str(value),
)  # fmt: skip
def test_what_sagemaker_refuses_has_a_status_and_a_text_of_its_own(
    function: ModuleType, service: Runtime, fault: Fault, status: int, named: str
) -> None:
    """Every one is JSON with error, status and request id; names of roles stay in the log."""
    service.faults.append(fault)

    answer = function.handler(event("{}"), CONTEXT)

    told = json.loads(answer["body"])
    assert (answer["statusCode"], told["status"]) == (status, status)
    assert named in told["error"]
    assert "arn:" not in answer["body"]
    assert told["request_id"] == answer["headers"]["X-Request-Id"] == "request-1"


def test_a_refusal_of_the_container_keeps_its_body(
    function: ModuleType, record: dict[str, str]
) -> None:
    """It is JSON already, and clients match on it."""
    del record["Day Mins"]

    answer = function.handler(event(json.dumps(record)), CONTEXT)

    assert answer["statusCode"] == 400
    told = json.loads(answer["body"])
    assert list(told) == ["error", "status"]
    assert "'Day Mins' of the model's 19 columns" in told["error"]


def test_an_endpoint_that_does_not_answer_is_a_504(function: ModuleType, service: Runtime) -> None:
    """Before the function's own time ends, which would be an answer without a text."""
    service.holds = True

    answer = function.handler(event("{}"), CONTEXT)

    assert answer["statusCode"] == 504
    assert "within 0.5 s" in json.loads(answer["body"])["error"]


def test_no_way_to_the_endpoint_is_a_502(monkeypatch: pytest.MonkeyPatch) -> None:
    """Addresses stay in the log."""
    with closing(socket.socket()) as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    function = load(monkeypatch, f"http://127.0.0.1:{port}")

    answer = function.handler(event("{}"), CONTEXT)

    assert answer["statusCode"] == 502
    assert str(port) not in answer["body"]


@pytest.mark.parametrize(
    ("asked", "status", "named"),
    [
        (event("x" * 101), 413, "the body has 101 bytes, the endpoint takes 100"),
        (event(b"\xff" * 101), 413, "the body has 101 bytes"),
        (event(""), 400, "the body is empty"),
        ({**event("{}"), "body": "no base64!", "isBase64Encoded": True}, 400, "base64"),
        (event("{}", query={"threshold": "0.5;outputs=leaf"}), 400, "'threshold' has characters"),
        (event("{}", **{"X-Amzn-SageMaker-Custom-Attributes": "é"}), 400, "visible ASCII"),
        (event("{}", **{"X-Amzn-SageMaker-Target-Variant": "é"}), 400, "target-variant"),
    ],
    ids=lambda value: str(value)[:30] if isinstance(value, str) else "",
)
def test_what_cannot_be_passed_on_is_refused_before_it_is(
    monkeypatch: pytest.MonkeyPatch,
    service: Runtime,
    asked: dict[str, object],
    status: int,
    named: str,
) -> None:
    """SageMaker is not asked, and the text says what came and what was expected."""
    function = load(monkeypatch, service.url, MAX_PAYLOAD_BYTES="100")

    answer = function.handler(asked, CONTEXT)

    assert answer["statusCode"] == status
    assert named in json.loads(answer["body"])["error"]
    assert service.seen == []


def test_an_answer_too_large_for_lambda_is_a_413(
    function: ModuleType, record: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lambda itself would end without a text."""
    monkeypatch.setattr(function, "MAX_ANSWER_BYTES", 40)

    answer = function.handler(event(json.dumps(record)), CONTEXT)

    assert answer["statusCode"] == 413
    assert "send fewer rows" in json.loads(answer["body"])["error"]


def test_browsers_of_the_one_origin_may_read_answers_and_refusals(
    monkeypatch: pytest.MonkeyPatch, service: Runtime, record: dict[str, str]
) -> None:
    """A refusal without the header shows in a browser as no answer at all."""
    function = load(monkeypatch, service.url, CORS_ORIGIN="https://shop.example")

    for body in (json.dumps(record), ""):
        answer = function.handler(event(body), CONTEXT)
        assert answer["headers"]["Access-Control-Allow-Origin"] == "https://shop.example"


def test_nothing_of_a_body_is_logged(
    function: ModuleType, record: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    """One line a request: id, status, time."""
    caplog.set_level("INFO")

    function.handler(event(json.dumps({**record, "State": "secret-state"})), CONTEXT)

    [line] = [entry.message for entry in caplog.records if entry.message.startswith("{")]
    assert list(json.loads(line)) == ["request_id", "status", "total_ms"]
    assert "secret-state" not in caplog.text


def test_a_function_without_an_endpoint_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that the first request after a deployment is not the one to find out."""
    with pytest.raises(ValueError, match="ENDPOINT_NAME is unset"):
        load(monkeypatch, "http://127.0.0.1:9", ENDPOINT_NAME="")
