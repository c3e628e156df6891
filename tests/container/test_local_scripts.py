"""local_test's scripts, with the image and without, from a path with spaces."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
import pytest

from .drive import REPOSITORY, as_csv, docker, poll, xgboost_answers

SCRIPTS = REPOSITORY / "local_test"
TEN = SCRIPTS / "payload/ten_customers.csv"
ONE = SCRIPTS / "payload/one_customer.json"

WITH_AND_WITHOUT = pytest.mark.parametrize(
    "where", [pytest.param("image", marks=pytest.mark.container), "here"]
)


@pytest.fixture
def arguments(where: str, request: pytest.FixtureRequest) -> list[str]:
    """Return the scripts' arguments: the image's name, or nothing for a run without Docker."""
    return [request.getfixturevalue("image")] if where == "image" else []


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Return an environment that keeps the run's files and port to this test."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    scratch = str(tmp_path / "with spaces" / "ml")
    return os.environ | {"OPT_ML": scratch, "PORT": str(port), "PYTHON": sys.executable}


def run(script: str, *arguments: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a script to its end."""
    command = [str(SCRIPTS / script), *arguments]
    return subprocess.run(
        command, env=env, capture_output=True, text=True, timeout=300, check=False
    )


@contextmanager
def serving(arguments: list[str], env: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """Start serve_local.sh, wait until it answers, and press Ctrl-C at the end."""
    log = Path(env["OPT_ML"]).parent / "serve.log"
    with log.open("w") as output:
        server = subprocess.Popen(
            [str(SCRIPTS / "serve_local.sh"), *arguments],
            env=env,
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def answers() -> bool:
        assert server.poll() is None, log.read_text()
        connection = http.client.HTTPConnection("127.0.0.1", int(env["PORT"]), timeout=10)
        try:
            with closing(connection):
                connection.request("GET", "/ping")
                with connection.getresponse() as response:
                    return response.status == 200
        except (OSError, http.client.HTTPException):
            return False

    try:
        poll(answers, "an answer to /ping", log.read_text)
        yield server
    finally:
        # To the whole group, as a terminal does.
        os.killpg(server.pid, signal.SIGINT)
        poll(lambda: server.poll() is not None, "the end of serve_local.sh", log.read_text)


def containers() -> set[str]:
    """Return the names of the containers the scripts have running."""
    names = docker("ps", "--filter", "name=churn-daal-local-", "--format", "{{.Names}}").stdout
    return set(names.split())


@WITH_AND_WITHOUT
def test_train_serve_predict(arguments: list[str], environment: dict[str, str], where: str) -> None:
    """The three scripts in turn answer as stock XGBoost does, and Ctrl-C leaves nothing behind."""
    rows = [line.split(",") for line in TEN.read_text().splitlines()]

    trained = run("train_local.sh", *arguments, env=environment)
    assert trained.returncode == 0, trained.stderr
    with serving(arguments, environment):
        ten = run("predict.sh", str(TEN), env=environment)
        one = run("predict.sh", str(ONE), env=environment)
        refused = run("predict.sh", str(TEN), "image/png", env=environment)

    assert ten.returncode == 0, ten.stderr
    expected = xgboost_answers(Path(environment["OPT_ML"]) / "model", rows)
    assert np.abs(np.array(ten.stdout.split(), dtype=np.float64) - expected).max() <= 1e-5
    assert '"predictions"' in one.stdout
    assert refused.returncode == 1
    assert "415" in refused.stderr
    if where == "image":
        assert containers() == set()


def test_a_second_run_replaces_the_first(environment: dict[str, str]) -> None:
    """What an earlier run left, a stale model say, is no part of the next."""
    model = Path(environment["OPT_ML"]) / "model"
    first = run("train_local.sh", env=environment)
    assert first.returncode == 0, first.stderr
    (model / "stale").write_text("from another run")

    done = run("train_local.sh", env=environment)

    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in model.iterdir()) == ["daal", "xgboost-model"]


def test_serve_without_a_model_says_what_to_run_first(environment: dict[str, str]) -> None:
    """The order of the scripts is part of what they teach."""
    done = run("serve_local.sh", env=environment)

    assert done.returncode == 1
    assert "train_local.sh first" in done.stderr


def test_predict_without_a_server_says_so(environment: dict[str, str]) -> None:
    """A refused connection is told as what it means, not as a traceback."""
    done = run("predict.sh", str(ONE), env=environment)

    assert done.returncode == 1
    assert "serve_local.sh running" in done.stderr
    assert "Traceback" not in done.stderr


def test_test_dir_mirrors_opt_ml() -> None:
    """Every folder and file SageMaker lays for a plain job is in test_dir, and nothing else."""
    found = {
        str(path.relative_to(SCRIPTS / "test_dir"))
        for path in (SCRIPTS / "test_dir").rglob("*")
        if path.is_file() and path.name != ".gitkeep"
    }
    folders = {"input/data/train", "model", "output/data", "checkpoints"}

    assert found == {
        "input/config/hyperparameters.json",
        "input/config/inputdataconfig.json",
        "input/config/resourceconfig.json",
    }
    assert all((SCRIPTS / "test_dir" / folder).is_dir() for folder in folders)


def test_payload_is_ten_rows_of_the_data() -> None:
    """The sample request is real customers, in the raw columns the model was trained on."""
    data = (REPOSITORY / "src/churn_daal/data/churn.csv").read_text()
    lines = TEN.read_text().splitlines()

    assert len(lines) == 10
    assert all(f"\n{line}," in data for line in lines)
    assert as_csv([line.split(",") for line in lines]) == TEN.read_bytes()


def test_no_folder_of_another_is_cleared(environment: dict[str, str]) -> None:
    """OPT_ML may name an empty folder or an older scratch copy, never one with files of its own."""
    own = Path(environment["OPT_ML"]) / "thesis.txt"
    own.parent.mkdir(parents=True)
    own.write_text("mine")

    done = run("train_local.sh", env=environment)

    assert done.returncode != 0
    assert "holds files that no run of these scripts wrote" in done.stderr
    assert own.read_text() == "mine"


def test_a_comma_in_the_folder_is_refused(environment: dict[str, str]) -> None:
    """A --mount of docker would take it for the end of the path."""
    done = run("train_local.sh", env=environment | {"OPT_ML": environment["OPT_ML"] + ",b"})

    assert done.returncode != 0
    assert "has a comma" in done.stderr


def test_a_payload_that_is_not_there_is_named(environment: dict[str, str]) -> None:
    """Not the server, which may well be running."""
    done = run("predict.sh", "nope.csv", env=environment)

    assert done.returncode != 0
    assert "The payload cannot be read" in done.stderr
    assert "serve_local" not in done.stderr


@pytest.mark.container
@pytest.mark.usefixtures("engine")
def test_an_image_that_is_not_there_is_named(environment: dict[str, str]) -> None:
    """With the remedy, in place of a registry's refusal."""
    done = run("train_local.sh", "no-such-image:tag", env=environment)

    assert done.returncode != 0
    assert "There is no image no-such-image:tag here: run 'make build'" in done.stderr
