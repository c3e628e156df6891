"""AWS's stand-in, and the commands as a user calls them."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PATIENCE = 60
REGION = "eu-west-1"
ROLE = "arn:aws:iam::111122223333:role/service-role/ChurnPipeline"
Run = Callable[..., subprocess.CompletedProcess[str]]
Client = Callable[[str], Any]
Program = Callable[[str], str]


def free_port() -> int:
    """Return a port nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def poll(answered: Callable[[], bool], process: subprocess.Popen[bytes], what: str) -> None:
    """Wait until something answers, as long as its process lives."""
    end = time.monotonic() + PATIENCE
    while not answered():
        assert process.poll() is None, f"{what} ended with {process.returncode}"
        assert time.monotonic() < end, f"{what} did not answer within {PATIENCE} s"
        time.sleep(0.1)


@pytest.fixture(scope="session")
def moto_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the address of AWS's stand-in, started for these tests alone."""
    port = free_port()
    log = (tmp_path_factory.mktemp("moto") / "log").open("wb")
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with log, subprocess.Popen(command, stdout=log, stderr=log) as process:

        def answers() -> bool:
            with socket.socket() as client:
                return client.connect_ex(("127.0.0.1", port)) == 0

        try:
            poll(answers, process, "moto")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


@pytest.fixture(scope="session")
def aws_environment(moto_url: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return an environment in which every call to AWS reaches the stand-in."""
    home = tmp_path_factory.mktemp("home")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return kept | {
        "HOME": str(home),
        "AWS_ENDPOINT_URL": moto_url,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_EC2_METADATA_DISABLED": "true",
        # The stand-in knows the role's name and not its rights, which the SDK would ask for.
        "SAGEMAKER_VALIDATE_ROLE": "false",
    }


@pytest.fixture
def run(aws_environment: dict[str, str]) -> Run:
    """Return the function that runs a program in the repository's root."""

    def start(*command: str, **changes: str | None) -> subprocess.CompletedProcess[str]:
        environment = aws_environment | {k: v for k, v in changes.items() if v is not None}
        for name in (name for name, value in changes.items() if value is None):
            environment.pop(name, None)
        return subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
        )

    return start


@pytest.fixture(scope="session")
def client(aws_environment: dict[str, str]) -> Client:
    """Return the function that makes a client of the stand-in's."""
    import boto3  # noqa: PLC0415 - the other tests of this folder do without

    session = boto3.Session(
        aws_access_key_id="testing",
        aws_secret_access_key="testing",  # noqa: S106 - the stand-in takes any
        region_name=REGION,
    )
    url = aws_environment["AWS_ENDPOINT_URL"]
    return lambda service: session.client(service, endpoint_url=url)


@pytest.fixture
def bucket(client: Client) -> str:
    """Return a new bucket's name."""
    name = f"churn-{uuid.uuid4().hex[:12]}"
    place = {"LocationConstraint": REGION}
    client("s3").create_bucket(Bucket=name, CreateBucketConfiguration=place)
    return name


@pytest.fixture(scope="session")
def program() -> Program:
    """Return the function that gives an installed command's path."""
    return lambda name: str(Path(sys.executable).parent / name)


@pytest.fixture(scope="session")
def image() -> Iterator[str]:
    """Return the image under a name of its own; its ended containers are removed with it."""
    reason = "the docker command is not installed"
    if shutil.which("docker"):
        reason = "no Docker engine answers" if docker("info").returncode else ""
    if (
        not reason
        and docker("compose", "version").returncode
        and not shutil.which("docker-compose")
    ):
        reason = "neither docker compose nor docker-compose is installed"
    if reason:
        text = f"local mode needs Docker: {reason}"
        if os.environ.get("REQUIRE_DOCKER") == "1":
            pytest.fail(f"REQUIRE_DOCKER=1, and {text}")
        pytest.skip(f"{text} (REQUIRE_DOCKER=1 makes this a failure)")
    name = f"churn-daal-mlops:{uuid.uuid4().hex[:12]}"
    given = os.environ.get("CHURN_DAAL_IMAGE")
    done = (
        docker("tag", given, name)
        if given
        else docker("build", "--target", "image", "--tag", name, str(ROOT))
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    try:
        yield name
    finally:
        listed = docker("ps", "--all", "--format", "{{.ID}} {{.Image}}").stdout
        for line in listed.splitlines():
            if line.endswith(name):
                docker("rm", "--force", line.split()[0])
        docker("network", "rm", "sagemaker-local")
        docker("image", "rm", name)


def _lacking() -> str:
    if not shutil.which("docker"):
        return "the docker command is not installed"
    if docker("info").returncode:
        return "no Docker engine answers"
    if not shutil.which("docker-compose") and docker("compose", "version").returncode:
        return "neither docker compose nor docker-compose is installed"
    return ""


def docker(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a docker command."""
    return subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False)


def kwargs(bucket: str, **others: object) -> str:
    """Return arguments of get_pipeline as the commands take them."""
    return json.dumps({"region": REGION, "role": ROLE, "default_bucket": bucket, **others})
