"""The image, built once a session, and what it trains and serves."""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from .drive import AS_CALLER, CHURN, REPOSITORY, Container, docker, lay_opt_ml, mount, poll, started

Start = Callable[..., Container]
Train = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def engine() -> None:
    """Skip without a Docker engine; fail where REQUIRE_DOCKER=1 says there has to be one."""
    reason = "the docker command is not installed"
    if shutil.which("docker"):
        done = docker("info")
        if done.returncode == 0:
            return
        reason = f"no Docker engine answers: {done.stderr.strip().splitlines()[-1:]}"
    if os.environ.get("REQUIRE_DOCKER") == "1":
        pytest.fail(f"REQUIRE_DOCKER=1, and {reason}")
    pytest.skip(f"{reason} (REQUIRE_DOCKER=1 makes this a failure)")


@pytest.fixture(scope="session")
def image(engine: None) -> str:  # noqa: ARG001 - fixtures cannot be marked to use others
    """Return the image under test: CHURN_DAAL_IMAGE, or built here from the Dockerfile."""
    given = os.environ.get("CHURN_DAAL_IMAGE")
    if given:
        return given
    tag = "churn-daal:under-test"
    done = docker("build", "--tag", tag, str(REPOSITORY), timeout=1200)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    return tag


@pytest.fixture(scope="session")
def train(image: str) -> Train:
    """Return the function that runs `docker run IMAGE train` on a folder to its end."""

    def run(opt_ml: Path, *options: str) -> subprocess.CompletedProcess[str]:
        where = (*AS_CALLER, *mount(opt_ml, "/opt/ml"), *options)
        return docker("run", "--rm", *where, image, "train")

    return run


@pytest.fixture(scope="session")
def trained(train: Train, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an /opt/ml after a job on the raw churn data; its printed lines are in `printed`."""
    opt_ml = lay_opt_ml(tmp_path_factory.mktemp("trained") / "ml")
    done = train(opt_ml)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    (opt_ml.parent / "printed").write_text(done.stdout)
    return opt_ml


@pytest.fixture(scope="session")
def model(trained: Path) -> Path:
    """Return the folder of the model that job left."""
    return trained / "model"


@pytest.fixture(scope="session")
def second_model(train: Train, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a model that answers otherwise."""
    opt_ml = lay_opt_ml(tmp_path_factory.mktemp("second") / "ml", num_round="3", max_depth="2")
    done = train(opt_ml)
    assert done.returncode == 0, done.stderr
    return opt_ml / "model"


@pytest.fixture
def start(image: str) -> Iterator[Start]:
    """Return the function that starts `train` or `serve` with options of `docker run`."""
    with ExitStack() as stack:
        yield lambda program, *options: stack.enter_context(started(image, program, options))


@pytest.fixture
def serve(start: Start) -> Start:
    """Return the function that serves a model folder and waits until /ping answers."""

    def run(model_dir: Path, *options: str) -> Container:
        where = mount(model_dir, "/opt/ml/model", readonly=True)
        container = start("serve", "--publish", "127.0.0.1::8080", *AS_CALLER, *where, *options)
        poll(container.answers_ping, "an answer to /ping", container.logs)
        return container

    return run


@pytest.fixture(scope="session")
def rows() -> list[list[str]]:
    """Return the raw customers of the churn data, without header and label."""
    with CHURN.open(newline="", encoding="utf-8") as file:
        return [row[:-1] for row in list(csv.reader(file))[1:]]
