"""An account of moto's, and the commands of cicd/ as make calls them."""

from __future__ import annotations

import importlib
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.container.drive import AS_CALLER, Container, mount, poll, started

# AWS's stand-ins are those of the deployment's tests; what is served is that of the image's.
from tests.deploy import conftest as of_deployment
from tests.deploy.sagemaker_runtime import Runtime, runtime

archive, aws, moto_url = of_deployment.archive, of_deployment.aws, of_deployment.moto_url
engine, image, rows = of_deployment.engine, of_deployment.image, of_deployment.rows
model, train, trained = of_deployment.model, of_deployment.train, of_deployment.trained
ACCOUNT, REGION, Registry = of_deployment.ACCOUNT, of_deployment.REGION, of_deployment.Registry

SERVICE = "churn"
STACKS_ROLE = f"arn:aws:iam::{ACCOUNT}:role/stacks"
Command = Callable[..., "Done"]
# Calls that IAM knows by another name, or needs no right for.
NAMES = {
    "s3:HeadBucket": "s3:ListBucket",
    "s3:HeadObject": "s3:GetObject",
    "sagemaker-runtime:InvokeEndpoint": "sagemaker:InvokeEndpoint",
    "sts:GetCallerIdentity": None,
}


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    """Return the function that runs a module of cicd/, in this process: each start takes 2 s."""

    def run(module: str, *arguments: str, **changes: str) -> Done:
        with monkeypatch.context() as patched:
            for name, value in changes.items():
                patched.setenv(name, value)
            capsys.readouterr()
            status = importlib.import_module(f"cicd.{module}").main(arguments)
        return Done(status, *capsys.readouterr())

    return run


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Iterator[set[str]]:
    """Collect what boto3 is asked for, as IAM names it; every call is made."""
    import botocore.client  # noqa: PLC0415 - not where these tests are deselected

    seen: set[str] = set()
    call: Callable[..., object] = botocore.client.BaseClient._make_api_call

    def noted(self: Any, operation: str, arguments: object) -> object:  # noqa: ANN401 - has no types
        name = f"{self.meta.service_model.service_name}:{operation}"
        action = NAMES.get(name, name)
        if action:
            seen.add(action)
        return call(self, operation, arguments)

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", noted)
    return seen


@dataclass(frozen=True)
class Project:
    """A project in an account: a bucket, images and a registered, approved model."""

    aws: of_deployment.Registry
    run: Command
    archive: Path
    bucket: str
    image: str
    function: str
    package: str

    def configure(self, output: Path, *more: str, **instead: str) -> Done:
        """Run `cicd.build`; an option given as "" is left out."""
        options = {
            "group": SERVICE,
            "bucket": self.bucket,
            "service": SERVICE,
            "region": REGION,
            "lambda-image": self.function,
            "output": str(output),
        } | {name.replace("_", "-"): value for name, value in instead.items()}
        given = [part for name, value in options.items() for part in (f"--{name}", value) if value]
        return self.run("build", *given, *more)

    def release(self, configuration: Path) -> Done:
        """Run `cicd.release`; see that the endpoint has the name that the template gives it."""
        done = self.run(
            "release", "--configuration", str(configuration), "--region", REGION,
            "--bucket", self.bucket, "--role", STACKS_ROLE,
        )  # fmt: skip
        name = f"{SERVICE}-{configuration.stem}"
        sagemaker = self.aws.client("sagemaker")
        endpoints = sagemaker.list_endpoints()["Endpoints"]
        if done.returncode == 0 and name not in [each["EndpointName"] for each in endpoints]:
            # moto's CloudFormation makes up a name instead.
            [made] = [each for each in endpoints if each["EndpointName"].startswith(f"{name}-")]
            told = sagemaker.describe_endpoint(EndpointName=made["EndpointName"])
            sagemaker.create_endpoint(
                EndpointName=name, EndpointConfigName=told["EndpointConfigName"]
            )
        return done

    def register(self, status: str, key: str = "models/model.tar.gz") -> str:
        """Register the model once more; return the package's name."""
        return self.aws.package(
            SERVICE, self.archive, bucket=self.bucket, image=self.image, status=status, key=key
        )


@pytest.fixture
def project(aws: of_deployment.Registry, command: Command, archive: Path) -> Project:
    """Return a project whose one package is approved."""
    bucket = aws.bucket(f"data-{uuid.uuid4().hex[:8]}")
    image, function = aws.image("churn"), aws.image("churn-lambda")
    package = aws.package(SERVICE, archive, bucket=bucket, image=image)
    return Project(aws, command, archive, bucket, image, function, package)


@pytest.fixture(scope="session")
def served(image: str, model: Path) -> Iterator[Container]:
    """Serve the model that the image trained, by the image."""
    options = ("--publish", "127.0.0.1::8080", *AS_CALLER)
    where = mount(model, "/opt/ml/model", readonly=True)
    with started(image, "serve", (*options, *where)) as container:
        poll(container.answers_ping, "an answer to /ping", container.logs)
        yield container


@pytest.fixture
def endpoint(served: Container, monkeypatch: pytest.MonkeyPatch) -> Iterator[Runtime]:
    """Return the runtime in front of it, which calls to sagemaker-runtime reach."""
    with runtime("127.0.0.1", f"{SERVICE}-staging", ("127.0.0.1", served.port())) as service:
        monkeypatch.setenv("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", service.url)
        yield service


@pytest.fixture(scope="session")
def served_archive(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the served model as SageMaker packs it."""
    return of_deployment.pack(model, tmp_path_factory.mktemp("served") / "model.tar.gz")


@pytest.fixture
def waiting(aws: of_deployment.Registry, command: Command, served_archive: Path) -> Project:
    """Return a project whose one package is the served model, and waits for approval."""
    bucket, image, function = aws.bucket("data"), aws.image("churn"), aws.image("churn-lambda")
    package = aws.package(
        SERVICE, served_archive, bucket=bucket, image=image, status="PendingManualApproval"
    )
    return Project(aws, command, served_archive, bucket, image, function, package)
