"""`docker build --target mms`: AWS's multi-model-server (Java) in front of the same models."""

from __future__ import annotations

import http.client
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing
from pathlib import Path

import numpy as np
import pytest

from .drive import (
    AS_CALLER,
    REPOSITORY,
    Container,
    as_csv,
    docker,
    mount,
    poll,
    started,
    xgboost_answers,
)
from .multi_model_cases import (
    CASES,
    NO_ANSWER,
    ROW,
    Endpoint,
    case_name,
    fresh,
    lay_models,
    loaded,
)
from .test_own_inference import lay

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
# Beside 404, when a request meets the loading or unloading of its own model.
BETWEEN = frozenset({404, 500, 503, NO_ANSWER})
# A load is a process here, and half a second.
ROUNDS = 3
LIMIT = 1_000_000
# More than Java lets in for the handler to refuse.
FAR_OVER_IT = 24 * 2**20
CODE = """\
import told_apart
def model_fn(model_dir): return "of another kind"
def transform_fn(model, data, content_type, accept): return f"{model}, {told_apart.WORD}"
"""


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


def serving(image: str, model: Path, *options: str) -> AbstractContextManager[Container]:
    """Run a server of one model, mounted read-only."""
    return started(
        image, "serve", (*PLACE, *options, *mount(model, "/opt/ml/model", readonly=True))
    )


def ready(container: Container) -> Container:
    """Wait until it answers."""
    poll(container.answers_ping, "an answer to /ping", container.logs)
    return container


@pytest.fixture(scope="module")
def both(java_image: str, image: str, model: Path) -> Iterator[tuple[Container, Container]]:
    """Run Java's server and the default one, for the tests that leave them running."""
    limit = ("--env", f"MAX_CONTENT_LENGTH={LIMIT}")
    with serving(java_image, model, *limit) as java, serving(image, model, *limit) as native:
        yield ready(java), ready(native)


@pytest.fixture(scope="module")
def many(
    java_image: str, model: Path, second_model: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Endpoint, Container]]:
    """Run a server of many models, mounted read-only."""
    cells = [ROW.decode().strip().split(",")]
    scores = {
        "first": float(xgboost_answers(model, cells)[0]),
        "second": float(xgboost_answers(second_model, cells)[0]),
    }
    models = lay_models(tmp_path_factory.mktemp("models"), model, second_model)
    options = (*PLACE, "--env", "SAGEMAKER_MULTI_MODEL=true", *mount(models, MODELS, readonly=True))
    with started(java_image, "serve", options) as container:
        url = f"http://127.0.0.1:{ready(container).port()}"
        yield Endpoint(url, MODELS, scores, BETWEEN, ROUNDS), container


@pytest.fixture
def server(many: tuple[Endpoint, Container]) -> Endpoint:
    """Return where many models are served."""
    return many[0]


def test_answers_are_those_of_the_other_server(
    both: tuple[Container, Container], model: Path, rows: list[list[str]]
) -> None:
    """The same artifact, the same bytes back, whichever server is in front."""
    java, native = both
    body = as_csv(rows[:50])

    answer = java.post(body)

    assert (answer.status, answer.body) == (200, native.post(body).body)
    assert np.abs(answer.scores() - xgboost_answers(model, rows[:50])).max() <= 1e-5


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"", "text/csv"),
        (b"a,b\n", "text/csv"),
        (b"\xff\n", "text/csv"),
        (b"1", "image/png"),
        (b"1" * (LIMIT + 1), "text/csv"),
    ],
    ids=["empty", "narrow", "no text", "type", "over the limit"],
)
def test_refusals_are_those_of_the_other_server(
    both: tuple[Container, Container], body: bytes, content_type: str
) -> None:
    """Codes and texts alike: clients match on them, and a 500 would hide whose fault it is."""
    java, native = both
    expected = native.post(body, content_type)

    answer = java.post(body, content_type)

    assert answer.status == expected.status != 200
    assert answer.body == expected.body


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_far_over_the_limit_is_refused_by_java(
    both: tuple[Container, Container], rows: list[list[str]], chunked: bool
) -> None:
    """With 413 and no text; a client that sends in chunks may be cut off before it reads that."""
    java, _ = both
    body = b"1" * FAR_OVER_IT
    sent = (body[k : k + 2**16] for k in range(0, len(body), 2**16)) if chunked else body
    connection = http.client.HTTPConnection("127.0.0.1", java.port(), timeout=60)
    headers = {"Content-Type": "text/csv"}

    with closing(connection):
        try:
            connection.request("POST", "/invocations", sent, headers, encode_chunked=chunked)
            with connection.getresponse() as response:
                assert (response.status, response.read()) == (413, b"")
        except ConnectionError:
            assert chunked

    assert java.post(as_csv(rows[:1])).status == 200


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
    if reason := OTHERWISE.get(case_name(case)):
        request.applymarker(pytest.mark.xfail(reason=reason, raises=AssertionError, strict=True))
    case(server)


@pytest.mark.parametrize("folder", ["damaged", "empty"])
def test_a_damaged_model_is_refused_whole(server: Endpoint, folder: str) -> None:
    """By Java's code, but refused: both toolkits would answer 200 and list it as loaded."""
    name = fresh()

    assert server.load(name, folder).status == 500
    assert server.invoke(name).status == server.describe(name).status == 404
    assert name not in server.listed()


def test_an_unloaded_model_leaves_the_memory(many: tuple[Endpoint, Container]) -> None:
    """Its memory is that of its processes, and they end."""
    server, container = many

    def processes() -> int:
        return docker("top", container.name, "-eo", "pid,args").stdout.count(f"--model-name {name}")

    with loaded(server) as name:
        assert server.invoke(name).status == 200
        # One that listens, and its worker.
        assert processes() == 2

    poll(lambda: processes() == 0, "the end of the model's processes", container.logs)


def test_inference_code_from_start_to_end(java_image: str, tmp_path: Path) -> None:
    """A `model_fn` loads what no audit would pass, and its packages are installed once.

    On SIGTERM the server ends with 0, where Java itself would with 143 (rule S5), and takes with it
    all it wrote.
    """
    model = lay(tmp_path / "model", CODE, requirements_txt="told-apart")
    (model / "xgboost-model").write_bytes(b"no booster")
    writable = tmp_path / "tmp"
    writable.mkdir()
    place = ("--publish", "127.0.0.1::8080", "--read-only", *AS_CALLER, *mount(writable, "/tmp"))  # noqa: S108
    workers = ("--env", "SAGEMAKER_MODEL_SERVER_WORKERS=2")
    options = (*place, *workers, *mount(model, "/opt/ml/model", readonly=True))
    with started(java_image, "serve", options) as container:
        ready(container)

        said = {container.post(b"").body for _ in range(8)}

        assert said == {b"of another kind, from the wheel"}, container.logs()
        assert container.logs().count("installing told") == 1
        container.terminate()

        assert container.exit_code() == 0, container.logs()
        assert not list(writable.iterdir())


def test_a_request_in_flight_is_answered_before_the_end(
    java_image: str, model: Path, rows: list[list[str]]
) -> None:
    """An endpoint is updated under load (rule S5); Java alone would drop it."""
    busy = (
        "import fcntl, glob; "
        "fcntl.flock(open(glob.glob('/tmp/churn-daal-mms-*/in-flight')[0], 'ab'), 6)"
    )
    # A batch job's word for no limit of a body, which is more than Java can count to.
    no_limit = ("--env", "SAGEMAKER_MAX_PAYLOAD_IN_MB=0")
    with serving(java_image, model, *no_limit) as container, ThreadPoolExecutor(1) as pool:
        ready(container)
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
    with serving(java_image, model) as container:
        ready(container)
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
