"""An account of moto's, and the commands of cicd/ as make calls them."""

from __future__ import annotations

import importlib
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

# AWS's stand-ins are those of the deployment's tests; what is served is that of the image's.
from tests.deploy import conftest as of_deployment

archive, aws, moto_url = of_deployment.archive, of_deployment.aws, of_deployment.moto_url
engine, image, rows = of_deployment.engine, of_deployment.image, of_deployment.rows
model, train, trained = of_deployment.model, of_deployment.train, of_deployment.trained
ACCOUNT, REGION, Registry = of_deployment.ACCOUNT, of_deployment.REGION, of_deployment.Registry

SERVICE = "churn"
Command = Callable[..., "Done"]


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
