"""`docker build --target mms`: AWS's multi-model-server (Java) in front of the same models."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from .conftest import Start, Train
from .drive import (
    AS_CALLER,
    REPOSITORY,
    Container,
    as_csv,
    docker,
    lay_opt_ml,
    mount,
    poll,
    started,
    xgboost_answers,
)
from .multi_model_cases import CASES, ROW, Endpoint, case_name, fresh, lay_models

pytestmark = pytest.mark.container
MODELS = "/opt/ml/models"
# No file but under /tmp can be written, as on a serverless endpoint.
PLACE = ("--publish", "127.0.0.1::8080", "--read-only", "--tmpfs", "/tmp", *AS_CALLER)  # noqa: S108
# What the Java server does its own way, which no handler can change.
OTHERWISE = {
    "a_damaged_model_is_400": "500: Java gives every load that fails one code",
    "a_body_that_is_no_load_request_is_400": "500 to an empty body: Java's own reading of it",
    "names_are_opaque": "Java takes an escaped slash in a path for a slash",
}
# What depends on the moment, so is no failure either way.
AT_TIMES = {
    "clients_of_one_model_do_not_feel_the_coming_and_going_of_others": "503 or 500 "
    "beside 404 when a request meets the loading or unloading of its own model",
}


@pytest.fixture(scope="module")
def java_image(image: str) -> str:
    """Return the image with Java: CHURN_DAAL_MMS_IMAGE, or built here on what `image` left."""
    given = os.environ.get("CHURN_DAAL_MMS_IMAGE")
    if given:
        return given
    tag = f"{image}-mms"
    done = docker("build", "--target", "mms", "--tag", tag, str(REPOSITORY), timeout=1200)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    return tag


@pytest.fixture(scope="module")
def single(java_image: str, model: Path) -> Iterator[Container]:
    """Run the server with one model, for the tests that leave it running."""
    with started(java_image, "serve", (*PLACE, *mount(model, "/opt/ml/model", readonly=True))) as c:
        poll(c.answers_ping, "an answer to /ping", c.logs)
        yield c


@pytest.fixture(scope="module")
def server(
    java_image: str, model: Path, train: Train, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Endpoint]:
    """Run a server of many models, mounted read-only."""
    opt_ml = lay_opt_ml(tmp_path_factory.mktemp("second") / "ml", num_round="3", max_depth="2")
    done = train(opt_ml)
    assert done.returncode == 0, done.stderr
    cells = [ROW.decode().strip().split(",")]
    scores = {
        "first": float(xgboost_answers(model, cells)[0]),
        "second": float(xgboost_answers(opt_ml / "model", cells)[0]),
    }
    models = lay_models(tmp_path_factory.mktemp("models"), model, opt_ml / "model")
    options = (*PLACE, "--env", "SAGEMAKER_MULTI_MODEL=true", *mount(models, MODELS, readonly=True))
    with started(java_image, "serve", options) as container:
        poll(container.answers_ping, "an answer to /ping", container.logs)
        yield Endpoint(f"http://127.0.0.1:{container.port()}", MODELS, scores)


def test_answers_are_those_of_the_other_server(
    single: Container, start: Start, model: Path, rows: list[list[str]]
) -> None:
    """The same artifact, the same bytes back, whichever server is in front."""
    options = ("--publish", "127.0.0.1::8080", *AS_CALLER)
    native = start("serve", *options, *mount(model, "/opt/ml/model", readonly=True))
    poll(native.answers_ping, "an answer to /ping", native.logs)
    body = as_csv(rows[:50])

    answer = single.post(body)

    assert (answer.status, answer.body) == (200, native.post(body).body)
    assert np.abs(answer.scores() - xgboost_answers(model, rows[:50])).max() <= 1e-5


@pytest.mark.parametrize(
    ("body", "content_type"),
    [(b"", "text/csv"), (b"a,b\n", "text/csv"), (b"\xff\n", "text/csv"), (b"1", "image/png")],
)
def test_refusals_are_those_of_the_other_server(
    single: Container, start: Start, model: Path, body: bytes, content_type: str
) -> None:
    """Codes and texts alike: clients match on them, and a 500 would hide whose fault it is."""
    options = ("--publish", "127.0.0.1::8080", *AS_CALLER)
    native = start("serve", *options, *mount(model, "/opt/ml/model", readonly=True))
    poll(native.answers_ping, "an answer to /ping", native.logs)
    expected = native.post(body, content_type)

    answer = single.post(body, content_type)

    assert answer.status == expected.status != 200
    assert answer.body == expected.body


def test_a_damaged_model_ends_the_server_with_the_reason(java_image: str, tmp_path: Path) -> None:
    """Before Java starts: it would try again and again, and say nothing to the platform."""
    where = mount(tmp_path, "/opt/ml/model", readonly=True)

    done = docker("run", "--rm", *PLACE, *where, java_image, "serve")

    assert done.returncode == 1
    assert done.stderr.startswith("serve: ")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("case", CASES, ids=case_name)
def test_case(
    request: pytest.FixtureRequest, server: Endpoint, case: Callable[[Endpoint], None]
) -> None:
    """Each is a claim in multi_model_cases.py, shared with the other server."""
    name = case_name(case)
    if reason := OTHERWISE.get(name) or AT_TIMES.get(name):
        mark = pytest.mark.xfail(reason=reason, raises=AssertionError, strict=name in OTHERWISE)
        request.applymarker(mark)
    case(server)


@pytest.mark.parametrize("folder", ["damaged", "empty"])
def test_a_damaged_model_is_refused_whole(server: Endpoint, folder: str) -> None:
    """By Java's code, but refused: both toolkits would answer 200 and list it as loaded."""
    name = fresh()

    assert server.load(name, folder).status == 500
    assert server.invoke(name).status == server.describe(name).status == 404
    assert name not in server.listed()


def test_sigterm_ends_it_well(java_image: str, model: Path) -> None:
    """Java itself would exit with 143 (rule S5)."""
    options = (*PLACE, *mount(model, "/opt/ml/model", readonly=True))
    with started(java_image, "serve", options) as container:
        poll(container.answers_ping, "an answer to /ping", container.logs)

        container.terminate()

        assert container.exit_code() == 0, container.logs()


def test_a_request_in_flight_is_answered_before_the_end(
    java_image: str, model: Path, rows: list[list[str]]
) -> None:
    """An endpoint is updated under load (rule S5); Java alone would drop it."""
    busy = (
        "import fcntl, glob; "
        "fcntl.flock(open(glob.glob('/tmp/churn-daal-mms-*/in-flight')[0], 'ab'), 6)"
    )
    options = (*PLACE, *mount(model, "/opt/ml/model", readonly=True))
    with started(java_image, "serve", options) as container, ThreadPoolExecutor(1) as pool:
        poll(container.answers_ping, "an answer to /ping", container.logs)
        answer = pool.submit(container.post, as_csv(rows[:1]) * 250_000)

        def in_flight() -> bool:
            done = docker("exec", container.name, "python", "-c", busy)
            assert not answer.done(), "the request was over before it was seen"
            return "BlockingIOError" in done.stderr

        poll(in_flight, "a request in the making", container.logs)
        container.terminate()

        assert len(answer.result(120).scores()) == 250_000
        assert container.exit_code() == 0, container.logs()


def test_the_end_of_java_ends_the_server(java_image: str, model: Path) -> None:
    """SageMaker replaces a container that ends, not one that hangs."""
    options = (*PLACE, *mount(model, "/opt/ml/model", readonly=True))
    with started(java_image, "serve", options) as container:
        poll(container.answers_ping, "an answer to /ping", container.logs)
        find = "import psutil; [p.kill() for p in psutil.process_iter() if p.name() == 'java']"

        assert docker("exec", container.name, "python", "-c", find).returncode == 0

        assert container.exit_code() != 0, container.logs()


def test_the_default_image_has_no_java(image: str) -> None:
    """Nor any of the packages that come with it."""
    program = (
        "import importlib.util as u, shutil; "
        "print(shutil.which('java'), u.find_spec('mms'), u.find_spec('sagemaker_inference'))"
    )

    done = docker("run", "--rm", image, "python", "-c", program)

    assert done.stdout.split() == ["None"] * 3, done.stderr
