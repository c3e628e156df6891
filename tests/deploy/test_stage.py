"""Stages' files and parameters: what is refused, and that those shipped are not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("yaml", reason="PyYAML is not installed: make mlops-test")

from deploy.errors import DeployError
from deploy.parameters import problems_of
from deploy.stage import FOLDER, load_stage

from deploy import template as templates

from .test_template import GIVEN, PRODUCTION, STAGING

pytestmark = pytest.mark.mlops


@pytest.mark.parametrize("name", sorted(path.stem for path in FOLDER.glob("*.json")))
def test_the_stages_that_are_shipped_can_be_deployed(name: str) -> None:
    """With what the command adds."""
    assert problems_of(templates.load(), GIVEN | dict(load_stage(name).parameters)) == []


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("{", "is no JSON"),
        ("[]", "holds list; expected an object of Parameters"),
        ('{"Parameter": {}}', r"holds \['Parameter'\]"),
        (
            '{"Parameters": {"StageName": "qa", "InstanceCount": 2}}',
            "InstanceCount is 2; expected a",
        ),
        ('{"Parameters": {"StageName": "staging"}}', "is 'staging'; expected 'qa'"),
        ('{"Parameters": {"StageName": "qa"}, "StackPolicy": []}', "StackPolicy is"),
        ('{"Parameters": []}', "expected an object of texts"),
    ],
)
def test_a_stages_file_of_another_shape_is_refused(tmp_path: Path, text: str, named: str) -> None:
    """CodePipeline would refuse it too, minutes later."""
    (tmp_path / "qa.json").write_text(text)

    with pytest.raises(DeployError, match=named):
        load_stage("qa", tmp_path)


def test_a_stage_that_is_not_there_is_told_with_those_that_are(tmp_path: Path) -> None:
    """A name with a path in it is none either."""
    (tmp_path / "qa.json").write_text("{}")

    for name in ("prod", "../stages/qa", ""):
        with pytest.raises(DeployError, match="is not configured; configured are: qa"):
            load_stage(name, tmp_path)


def test_a_configuration_that_is_written_is_read_again(tmp_path: Path) -> None:
    """What `--output` writes for CodePipeline has the shape of a stage's file."""
    stage = load_stage("production")
    (tmp_path / "production.json").write_text(stage.to_json(PRODUCTION))

    again = load_stage("production", tmp_path)

    assert (again.parameters, again.tags, again.policy) == (PRODUCTION, stage.tags, stage.policy)
    assert json.loads(stage.to_policy())["Statement"]


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"InstanceCount": "0"}, "InstanceCount is '0'; expected a number from 1"),
        ({"CapturePercentage": "120"}, "expected a number from 0 to 100"),
        ({"CapturePercentage": "1e2"}, "expected a number"),
        ({"EndpointMode": "batch"}, "expected one of: real-time, serverless, async"),
        ({"ServerlessMemory": "2000"}, "expected one of: 1024, 2048"),
        ({"ServiceName": "Churn"}, "ServiceName is 'Churn'"),
        ({"ModelPackageArn": "churn/1"}, "The approved model package that answers"),
        ({"CorsOrign": "*"}, "did you mean CorsOrigin"),
        ({"EndpointMode": "serverless"}, "captures no data"),
        (
            {"EndpointMode": "serverless", "DataCapture": "disabled", "ShadowModelPackageArn": "x"},
            "has one variant",
        ),
        (
            {"ShadowModelPackageArn": "x", "CanaryModelPackageArn": "y"},
            "goes with one production variant",
        ),
        ({"UpdatePolicy": "rolling"}, "so it needs two"),
        ({"UpdatePolicy": "canary"}, "so it needs two"),
        ({"Autoscaling": "enabled", "MinInstanceCount": "5"}, "is more than MaxInstanceCount 4"),
        (
            {"UpdatePolicy": "rolling", "InstanceCount": "2", "CanaryModelPackageArn": "y"},
            "cannot be updated in a rolling way",
        ),
        ({"EndpointMode": "async", "LambdaImageUri": "x"}, "takes its requests from S3"),
    ],
)
def test_parameters_that_sagemaker_would_refuse_are_refused(
    given: dict[str, str], named: str
) -> None:
    """By the template's own ranges and Rules, which CloudFormation and this command both read."""
    problems = problems_of(templates.load(), STAGING | given)

    assert any(named in problem for problem in problems), problems


def test_a_parameter_without_a_value_is_told_with_its_meaning() -> None:
    """Every one that is missing, at once."""
    problems = problems_of(templates.load(), {"StageName": "staging"})

    assert len(problems) == len(GIVEN)
    assert "ModelPackageArn has no value: The approved model package that answers" in str(problems)
