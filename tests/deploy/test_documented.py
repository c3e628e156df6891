"""docs/deploy.md lists what AWS is asked, and every parameter."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.container.drive import REPOSITORY

from .conftest import REGION, Registry

pytest.importorskip("yaml", reason="PyYAML is not installed: make mlops-test")

from botocore.client import BaseClient
from deploy.__main__ import main

from deploy import template as templates

pytestmark = pytest.mark.mlops

PAGE = (REPOSITORY / "docs" / "deploy.md").read_text(encoding="utf-8")


def test_every_operation_that_is_asked_for_is_listed(
    aws: Registry, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A deployment, an update and a removal, with each call of botocore's noted."""
    bucket, image, function = aws.bucket("models"), aws.image("churn"), aws.image("function")
    package = aws.package("churn", archive, bucket=bucket, image=image)
    asked: set[tuple[str, str]] = set()
    call = BaseClient._make_api_call

    def noted(self: BaseClient, operation: str, parameters: object) -> object:
        asked.add((self.meta.service_model.service_name, operation))
        return call(self, operation, parameters)

    monkeypatch.setattr(BaseClient, "_make_api_call", noted)
    given = ["--stage", "staging", "--region", REGION]
    up = ["up", *given, "--bucket", bucket, "--group", "churn", "--lambda-image", function]
    for arguments in (up, [*up, "--canary", package], ["down", *given]):
        assert main(arguments) == 0

    listed = set(re.findall(r"^\| `([\w.-]+)` \| `(\w+)` \|", PAGE, re.MULTILINE))
    assert asked - listed == set()
    assert len(asked) >= 12


def test_every_parameter_is_listed() -> None:
    """By name, in the table of parameters."""
    cells = re.findall(r"^\| ([^|]+) \|", PAGE, re.MULTILINE)
    listed = {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}

    assert set(templates.load()["Parameters"]) - listed == set()


def test_every_type_of_resource_is_listed() -> None:
    """With what was shown of it here."""
    types = {resource["Type"] for resource in templates.load()["Resources"].values()}

    assert {name for name in types if f"`{name.removeprefix('AWS::')}`" not in PAGE} == set()
