"""A raw customer by REST: API Gateway and Lambda (sam local), the runtime, our container.

The template is the one that is deployed, filled in for the model. The function and the container
are the images that are pushed.
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import uuid
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.container.drive import (
    AS_CALLER,
    REPOSITORY,
    Container,
    docker,
    mount,
    poll,
    started,
    xgboost_answers,
)

from churn_daal import artifact

from .conftest import pack
from .sagemaker_runtime import Fault, Runtime, runtime

pytest.importorskip("yaml", reason="PyYAML is not installed: make mlops-test")

pytestmark = [pytest.mark.mlops, pytest.mark.container]

JSON = "application/json"
SAM = Path(os.environ.get("CHURN_DAAL_SAM_PYTHON") or REPOSITORY / ".venv-sam/bin/python")


@dataclass(frozen=True)
class Reply:
    """What the API answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Chain:
    """The API, and what stands behind it."""

    port: int
    runtime: Runtime
    container: Container
    model: Path

    def post(
        self,
        body: bytes | str,
        content_type: str = "application/json",
        query: str = "",
        **more: str,
    ) -> Reply:
        """POST to the API."""
        headers = {"Content-Type": content_type, "Accept": "application/json", **more}
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)) as api:
            api.request("POST", f"/invocations{query}", body, headers)
            answer = api.getresponse()
            named = {name.lower(): value for name, value in answer.headers.items()}
            return Reply(answer.status, named, answer.read())


@pytest.fixture(scope="module")
def sam_python() -> Path:
    """Skip without sam local; fail where REQUIRE_DOCKER=1 says that all is there."""
    if SAM.exists():
        return SAM
    reason = f"sam local is not installed at {SAM}: make sam-venv"
    if os.environ.get("REQUIRE_DOCKER") == "1":
        pytest.fail(f"REQUIRE_DOCKER=1, and {reason}")
    pytest.skip(reason)


@pytest.fixture(scope="module")
def function_image(engine: None) -> Iterator[str]:  # noqa: ARG001 - fixtures cannot be marked to use others
    """Build the function's image under a name of its own; remove it, and what sam made of it."""
    name = f"churn-daal-lambda-test-{uuid.uuid4().hex[:12]}"
    file = str(REPOSITORY / "deploy/lambda/Dockerfile")
    done = docker("build", "--file", file, "--tag", f"{name}:1", str(REPOSITORY))
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    yield f"{name}:1"
    tags = docker("images", "--format", "{{.Repository}}:{{.Tag}}", name).stdout.split()
    for tag in tags:
        left = docker("ps", "--all", "--quiet", "--filter", f"ancestor={tag}").stdout.split()
        docker("rm", "--force", *left) if left else None
    docker("rmi", "--force", *tags)


@pytest.fixture(scope="module")
def chain(
    sam_python: Path,
    function_image: str,
    image: str,
    model: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Chain]:
    """Start all of it for a model that the image trained."""
    folder = tmp_path_factory.mktemp("chain")
    options = ("--publish", "127.0.0.1::8080", *AS_CALLER)
    where = mount(model, "/opt/ml/model", readonly=True)
    with started(image, "serve", (*options, *where)) as container:
        poll(container.answers_ping, "an answer to /ping", container.logs)
        # The address of this machine that containers see.
        told = '{{(index .NetworkSettings.Networks "bridge").Gateway}}'
        gateway = docker("inspect", "--format", told, container.name).stdout.strip()
        with runtime(gateway, "churn-staging", ("127.0.0.1", container.port())) as service:
            template = folder / "template.json"
            template.write_text(_template(model, service.url))
            with sam_local(sam_python, template, function_image) as port:
                yield Chain(port, service, container, model)


def _template(model: Path, url: str) -> str:
    """Return the template that is deployed, with the stand-in's address given to the function."""
    from deploy.archive import manifest_of  # noqa: PLC0415
    from deploy.schema import request_model  # noqa: PLC0415

    from deploy import template as templates  # noqa: PLC0415 - needs PyYAML

    made = templates.filled(templates.load(), request_model(manifest_of(model).schema))
    environment = made["Resources"]["Function"]["Properties"]["Environment"]["Variables"]
    environment["AWS_ENDPOINT_URL"] = url
    return templates.body(made)


class sam_local:  # noqa: N801 - used like a function
    """Run `sam local start-api` until the block ends; its value is the port."""

    def __init__(self, python: Path, template: Path, image: str) -> None:
        with closing(socket.socket()) as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        given = ["ServiceName=churn", "StageName=staging", f"LambdaImageUri={image}"]
        self.command = [
            *(str(python), "-m", "samcli", "local", "start-api", "--template", str(template)),
            *("--port", str(self.port), "--skip-pull-image", "--warm-containers", "EAGER"),
            *("--container-host-interface", "127.0.0.1", "--parameter-overrides", *given),
        ]
        self.folder = template.parent
        self.log = self.folder / "sam.log"

    def __enter__(self) -> int:
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "SAM_CLI_TELEMETRY": "0",
            "AWS_DEFAULT_REGION": "eu-west-1",
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
        }
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                self.command, stdout=log, stderr=log, env=environment, cwd=self.folder
            )
        poll(self._listens, "an API of sam local", self.log.read_text)
        return self.port

    def __exit__(self, *_: object) -> None:
        # As Ctrl-C: it removes its containers.
        self.process.send_signal(signal.SIGINT)
        self.process.wait(timeout=60)

    def _listens(self) -> bool:
        if self.process.poll() is not None:
            pytest.fail(f"sam local ended\n{self.log.read_text()}")
        with closing(socket.socket()) as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


def record_of(model: Path, row: list[str]) -> dict[str, str]:
    """Return a raw customer by name."""
    return dict(zip(artifact.load(model).manifest.schema.names, row, strict=True))


def test_a_raw_customer_gets_the_label_and_the_probability_of_xgboost(
    chain: Chain,
    rows: list[list[str]],
) -> None:
    """What XGBoost says of the same row, through every part of the chain, by name and in CSV."""
    for row in rows[:3]:
        [expected] = xgboost_answers(chain.model, [row])
        manifest = artifact.load(chain.model).manifest

        by_name = chain.post(json.dumps(record_of(chain.model, row)))
        as_csv = chain.post(",".join(row), "text/csv")

        assert by_name.status == as_csv.status == 200, by_name.body
        assert json.loads(by_name.body) == json.loads(as_csv.body)
        [answer] = json.loads(by_name.body)["predictions"]
        assert answer["score"] == pytest.approx(expected, abs=1e-6)
        assert (
            answer["predicted_label"]
            == (manifest.labels.classes[int(expected >= manifest.threshold)])
        )
        assert by_name.headers["content-type"].startswith("application/json")
        assert by_name.headers["x-amzn-invoked-production-variant"] == "primary"


@pytest.mark.parametrize(
    ("change", "types", "expected"),
    [
        ("leave out", (JSON, JSON), (400, "Day Mins")),
        ("misspell", (JSON, JSON), (400, "did you mean 'Day Mins'")),
        ("word", (JSON, JSON), (400, "'many' is not a number")),
        ("break", (JSON, JSON), (415, "Loading json data failed")),
        ("none", ("application/xml", JSON), (415, "application/xml")),
        ("none", (JSON, "image/png"), (406, "image/png")),
    ],
)
def test_a_refusal_of_the_container_reaches_the_caller_to_the_letter(
    chain: Chain,
    rows: list[list[str]],
    change: str,
    types: tuple[str, str],
    expected: tuple[int, str],
) -> None:
    """Status and body are those the container gives who asks it directly."""
    (content_type, accept), (status, named) = types, expected
    record = record_of(chain.model, rows[0])
    if change == "leave out":
        del record["Day Mins"]
    elif change == "misspell":
        record["Day Minss"] = record.pop("Day Mins")
    elif change == "word":
        record["Day Mins"] = "many"
    body = json.dumps(record)[: -5 if change == "break" else None]

    through = chain.post(body, content_type, Accept=accept)

    headers = {"Content-Type": content_type, "Accept": accept}
    with closing(http.client.HTTPConnection("127.0.0.1", chain.container.port())) as straight:
        straight.request("POST", "/invocations", body, headers)
        answer = straight.getresponse()
        direct = answer.read()
    assert (through.status, through.body) == (status, direct) == (answer.status, direct)
    assert named in json.loads(through.body)["error"]


def test_a_wish_in_the_query_reaches_the_model(
    chain: Chain,
    rows: list[list[str]],
) -> None:
    """SageMaker passes no query on, so the function makes custom attributes of it."""
    body = json.dumps(record_of(chain.model, rows[0]))

    answer = chain.post(body, query="?outputs=probability,predicted_label&threshold=0.000001")

    [prediction] = json.loads(answer.body)["predictions"]
    assert list(prediction) == ["probability", "predicted_label"]
    assert prediction["predicted_label"] == artifact.load(chain.model).manifest.labels.classes[1]


def test_one_request_id_names_the_request_everywhere(
    chain: Chain,
    rows: list[list[str]],
) -> None:
    """In the answer, in what the service is told, in the container's access line."""
    # sam local has one request id for all requests, so the lines are counted.
    before = chain.container.logs().count('"status":200')

    answer = chain.post(",".join(rows[0]), "text/csv")

    request_id = answer.headers["x-request-id"]
    assert chain.runtime.seen[-1]["X-Amzn-SageMaker-Inference-Id"] == request_id
    poll(
        lambda: chain.container.logs().count('"status":200') > before,
        "an access line",
        chain.container.logs,
    )
    lines = [line for line in chain.container.logs().splitlines() if '"status":200' in line]
    assert json.loads(lines[-1])["request_id"] == request_id


def test_what_was_captured_makes_a_drift_report_in_the_image(
    chain: Chain,
    rows: list[list[str]],
    image: str,
    tmp_path: Path,
) -> None:
    """As a processing job has its files: captured lines and the archive in, the report out."""
    chain.runtime.captured.clear()
    for start in range(0, 300, 100):
        body = "".join(",".join(row) + "\n" for row in rows[start : start + 100])
        assert chain.post(body, "text/csv").status == 200
    chain.runtime.write_captured(tmp_path / "input/captured")
    (tmp_path / "input/model").mkdir()
    pack(chain.model, tmp_path / "input/model/model.tar.gz")
    (tmp_path / "output").mkdir()

    where = mount(tmp_path, "/opt/ml/processing")
    done = docker("run", "--rm", *AS_CALLER, *where, image, "python", "-m", "churn_daal.monitoring")

    assert done.returncode == 0, done.stderr
    assert done.stdout == "no drift: 300 rows of 3 captured exchanges\n"
    report = json.loads((tmp_path / "output/drift.json").read_text())
    assert report["answers"]["rows"] == 300


def test_a_throttled_endpoint_is_a_429_that_says_when_to_ask_again(
    chain: Chain,
    rows: list[list[str]],
) -> None:
    """And the next request is answered."""
    chain.runtime.faults.append(Fault(400, "ThrottlingException", "Rate exceeded"))

    refused, answered = (chain.post(",".join(rows[0]), "text/csv") for _ in range(2))

    assert refused.status == 429
    assert refused.headers["retry-after"] == "1"
    assert json.loads(refused.body)["status"] == 429
    assert answered.status == 200


def test_the_requests_of_the_postman_collection_are_answered_as_it_says(chain: Chain) -> None:
    """Each of its items, sent as Postman would, has the status that its test asks for."""
    from deploy.archive import manifest_of  # noqa: PLC0415
    from deploy.postman import collection  # noqa: PLC0415

    url = f"http://127.0.0.1:{chain.port}"
    made = collection(manifest_of(chain.model), title="t", url=url, authorization="api-key")

    for item in made["item"]:
        request = item["request"]
        raw = request["url"]["raw"].removeprefix("{{base_url}}/invocations")
        headers = {header["key"]: header["value"] for header in request["header"]}
        answer = chain.post(
            request["body"]["raw"], headers.pop("Content-Type"), raw, Accept=headers["Accept"]
        )
        [test] = item["event"][0]["script"]["exec"]
        expected = json.loads(test.partition("oneOf(")[2].partition(")")[0])
        assert answer.status in expected, (item["name"], answer.body)
