"""The template, by its linter, and what it asks of each service by the service's own model."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from churn_daal import artifact

from .resolve import Resolved, resolved

pytest.importorskip("yaml", reason="PyYAML is not installed: make mlops-test")

import boto3
from botocore.validate import ParamValidator
from deploy.parameters import problems_of
from deploy.schema import request_model
from deploy.stage import load_stage

from deploy import template as templates

pytestmark = pytest.mark.mlops

# Not by the command's name, which is not on the PATH of an environment that is not active.
PROGRAM = "from cfnlint.runner import main; main()"

PACKAGE = "arn:aws:sagemaker:eu-west-1:123456789012:model-package/churn/{}"
GIVEN = {
    "ServiceName": "churn",
    "ModelPackageArn": PACKAGE.format(1),
    "ArtifactBucket": "models",
    "DataBucket": "data",
    "ImageRepositoryArn": "arn:aws:ecr:eu-west-1:123456789012:repository/churn",
}
STAGING = GIVEN | dict(load_stage("staging").parameters)
PRODUCTION = GIVEN | dict(load_stage("production").parameters)
API = {"LambdaImageUri": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/function:1"}
NO_CAPTURE = {"DataCapture": "disabled"}
# Each kind of stack that the parameters can make.
KINDS = {
    "staging": STAGING,
    "production": PRODUCTION | API,
    "no api": PRODUCTION,
    "serverless": STAGING | API | NO_CAPTURE | {"EndpointMode": "serverless"},
    "async": STAGING | NO_CAPTURE | {"EndpointMode": "async"},
    "canary": STAGING | API | {"CanaryModelPackageArn": PACKAGE.format(2)},
    "shadow": PRODUCTION | API | {"ShadowModelPackageArn": PACKAGE.format(2)},
    "canary traffic": PRODUCTION | API | {"UpdatePolicy": "canary"},
    "iam, cors, topic": STAGING
    | API
    | {
        "ApiAuthorization": "iam",
        "CorsOrigin": "https://shop.example",
        "NotifyTopicArn": "arn:aws:sns:eu-west-1:123456789012:alarms",
    },
}
# Resource -> the operation that CloudFormation makes it with; the properties' names are the same.
OPERATIONS = {
    "AWS::SageMaker::Model": ("sagemaker", "CreateModel"),
    "AWS::SageMaker::EndpointConfig": ("sagemaker", "CreateEndpointConfig"),
    "AWS::SageMaker::Endpoint": ("sagemaker", "CreateEndpoint"),
    "AWS::CloudWatch::Alarm": ("cloudwatch", "PutMetricAlarm"),
    "AWS::CloudWatch::Dashboard": ("cloudwatch", "PutDashboard"),
    "AWS::Lambda::Function": ("lambda", "CreateFunction"),
}
# What CloudFormation names itself, or has for later updates.
MADE_UP = {
    "AWS::SageMaker::Model": {"ModelName": "m"},
    "AWS::SageMaker::EndpointConfig": {"EndpointConfigName": "c"},
    "AWS::CloudWatch::Alarm": {"AlarmName": "a"},
}
OF_UPDATES = {"RetainAllVariantProperties", "ExcludeRetainedVariantProperties"}


def stack(kind: str) -> Resolved:
    """Return the resources that a kind of stack has."""
    return resolved(templates.filled(templates.load(), None), KINDS[kind])


@pytest.fixture(scope="module")
def request_schema(churn_model: Path) -> dict[str, Any]:
    """Return the schema of the churn model's requests."""
    return request_model(artifact.load(churn_model).manifest.schema)


def lint(file: Path) -> None:
    """Run cfn-lint on a file; every finding, a warning too, is a failure."""
    pytest.importorskip("cfnlint", reason="cfn-lint is not installed: make mlops-test")
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, "--non-zero-exit-code", "informational", str(file)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_linter_finds_nothing(request_schema: dict[str, Any], tmp_path: Path) -> None:
    """In the source, and in what is made of it for a model."""
    packaged = tmp_path / "template.json"
    packaged.write_text(templates.body(templates.filled(templates.load(), request_schema)))

    lint(templates.SOURCE)
    lint(packaged)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_stack_passes_the_templates_own_rules(kind: str) -> None:
    """The cases below are of stacks that can be made."""
    assert problems_of(templates.load(), KINDS[kind]) == []


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_asked_of_a_service_is_valid_by_its_own_model(kind: str) -> None:
    """Every name, type, range and requirement that botocore knows of these operations."""
    checked = 0
    for name, resource in stack(kind).items():
        if resource["Type"] not in OPERATIONS:
            continue
        service, operation = OPERATIONS[resource["Type"]]
        model = boto3.client(service, region_name="eu-west-1").meta.service_model
        shape = model.operation_model(operation).input_shape
        given = MADE_UP.get(resource["Type"], {}) | resource["Properties"]
        asked = typed({k: v for k, v in given.items() if k not in OF_UPDATES}, shape)
        report = ParamValidator().validate(asked, shape)
        assert not report.has_errors(), f"{name}: {report.generate_report()}"
        checked += 1
    assert checked >= 5


def typed(value: Any, shape: Any) -> Any:  # noqa: ANN401
    """Return a value with texts of parameters as the numbers CloudFormation makes of them."""
    if shape.type_name == "structure":
        return {
            k: typed(v, shape.members[k]) if k in shape.members else v for k, v in value.items()
        }
    if shape.type_name == "list":
        return [typed(v, shape.member) for v in value]
    if shape.type_name in {"integer", "float", "double", "long"} and isinstance(value, str):
        return float(value) if shape.type_name in {"float", "double"} else int(value)
    return value


def variants(kind: str) -> dict[str, dict[str, Any]]:
    """Return the production variants of a kind of stack by name."""
    config = stack(kind)["EndpointConfig"]["Properties"]
    return {variant["VariantName"]: variant for variant in config["ProductionVariants"]}


def test_a_canary_is_a_second_variant_of_another_model() -> None:
    """Its weight is beside the first one's 1."""
    both = variants("canary")

    assert list(both) == ["primary", "canary"]
    assert (both["primary"]["InitialVariantWeight"], both["canary"]["InitialVariantWeight"]) == (
        1,
        "0.1",
    )
    assert both["primary"]["ModelName"] != both["canary"]["ModelName"]
    models = stack("canary")
    assert models["CanaryModel"]["Properties"]["PrimaryContainer"]["ModelPackageName"] == (
        PACKAGE.format(2)
    )


def test_a_shadow_gets_copies_and_is_no_production_variant() -> None:
    """Beside one production variant, as SageMaker has it."""
    config = stack("shadow")["EndpointConfig"]["Properties"]

    assert list(variants("shadow")) == ["primary"]
    [shadow] = config["ShadowProductionVariants"]
    assert shadow["VariantName"] == "shadow"
    assert "ShadowProductionVariants" not in stack("production")["EndpointConfig"]["Properties"]


def test_a_serverless_variant_has_memory_in_place_of_instances() -> None:
    """And nothing that serverless endpoints do not have: capture, guardrails, scaling."""
    resources = stack("serverless")

    [variant] = variants("serverless").values()
    assert variant["ServerlessConfig"] == {"MemorySizeInMB": "2048", "MaxConcurrency": "5"}
    assert not {"InstanceType", "InitialInstanceCount"} & variant.keys()
    assert "DataCaptureConfig" not in resources["EndpointConfig"]["Properties"]
    assert "DeploymentConfig" not in resources["Endpoint"]["Properties"]
    assert "ScalableTarget" not in resources
    assert resources["Function"]["Properties"]["Environment"]["Variables"]["MAX_PAYLOAD_BYTES"] == (
        "4194304"
    )


def test_an_asynchronous_endpoint_answers_into_the_bucket() -> None:
    """Below the endpoint's own name, where its role may write."""
    config = stack("async")["EndpointConfig"]["Properties"]["AsyncInferenceConfig"]

    assert config["OutputConfig"]["S3OutputPath"] == "s3://data/churn-staging/answers"
    assert "DataPolicy" in stack("async")


@pytest.mark.parametrize(
    ("kind", "policy"),
    [("production", "RollingUpdatePolicy"), ("canary traffic", "BlueGreenUpdatePolicy")],
)
def test_an_update_is_taken_back_by_the_alarms(kind: str, policy: str) -> None:
    """Both alarms watch the variant whose model is exchanged."""
    resources = stack(kind)
    deployment = resources["Endpoint"]["Properties"]["DeploymentConfig"]

    alarms = [alarm["AlarmName"] for alarm in deployment["AutoRollbackConfiguration"]["Alarms"]]
    assert alarms == ["ErrorAlarm", "LatencyAlarm"]
    assert deployment.keys() == {"AutoRollbackConfiguration", policy}
    for alarm in alarms:
        dimensions = resources[alarm]["Properties"]["Dimensions"]
        assert {d["Name"]: d["Value"] for d in dimensions} == {
            "EndpointName": resources["Endpoint"]["Properties"]["EndpointName"],
            "VariantName": "primary",
        }


def test_a_canary_that_fails_takes_its_update_back() -> None:
    """The first variant's alarms do not see it."""
    resources = stack("canary")
    rollback = resources["Endpoint"]["Properties"]["DeploymentConfig"]["AutoRollbackConfiguration"]

    assert [alarm["AlarmName"] for alarm in rollback["Alarms"]][2:] == ["CanaryAlarm"]
    dimensions = resources["CanaryAlarm"]["Properties"]["Dimensions"]
    assert {"Name": "VariantName", "Value": "canary"} in dimensions
    assert "CanaryAlarm" not in stack("production")


def test_what_scaling_made_of_the_instances_outlives_an_update() -> None:
    """Where there is scaling; weights and capture are the template's to set."""
    scaled = stack("production")["Endpoint"]["Properties"]

    assert scaled["RetainAllVariantProperties"] is True
    assert {p["VariantPropertyType"] for p in scaled["ExcludeRetainedVariantProperties"]} == {
        "DesiredWeight",
        "DataCaptureConfig",
    }
    assert "RetainAllVariantProperties" not in stack("staging")["Endpoint"]["Properties"]
    assert stack("production")["ScalableTarget"]["Properties"]["ResourceId"] == (
        "endpoint/churn-production/variant/primary"
    )


@pytest.mark.parametrize("kind", KINDS)
def test_roles_may_do_named_things_to_named_resources(kind: str) -> None:
    """No action has a wildcard; only what has no resource of its own is allowed on all."""
    on_all = {"ecr:GetAuthorizationToken", "cloudwatch:PutMetricData"}
    statements = [
        statement
        for resource in stack(kind).values()
        if resource["Type"] in {"AWS::IAM::Role", "AWS::IAM::Policy"}
        for policy in resource["Properties"].get("Policies", [resource["Properties"]])
        for statement in policy["PolicyDocument"]["Statement"]
    ]

    assert statements
    for statement in statements:
        actions = statement["Action"]
        actions = {actions} if isinstance(actions, str) else set(actions)
        assert not any("*" in action for action in actions), statement
        assert statement["Resource"] != "*" or actions <= on_all, statement


def test_the_function_may_invoke_its_own_endpoint_alone() -> None:
    """And API Gateway may invoke the function for the one route."""
    resources = stack("production")
    [policy] = resources["FunctionRole"]["Properties"]["Policies"]

    invoke = policy["PolicyDocument"]["Statement"][0]
    assert invoke["Resource"].endswith(":endpoint/churn-production")
    assert resources["InvokePermission"]["Properties"]["SourceArn"].endswith("/*/POST/invocations")


@pytest.mark.parametrize(
    ("kind", "authorization", "key"),
    [("production", "NONE", True), ("iam, cors, topic", "AWS_IAM", False)],
)
def test_nobody_calls_without_a_key_or_a_signature(
    kind: str, authorization: str, key: bool
) -> None:
    """One of the two, never neither."""
    resources = stack(kind)
    method = resources["InvokeMethod"]["Properties"]

    assert (method["AuthorizationType"], method["ApiKeyRequired"]) == (authorization, key)
    assert ("ApiKey" in resources) is ("UsagePlan" in resources) is key


def test_preflight_requests_are_answered_where_an_origin_is_named() -> None:
    """And refusals of the API have the header too, or a browser hides them."""
    resources = stack("iam, cors, topic")
    origin = "'https://shop.example'"

    integration = resources["PreflightMethod"]["Properties"]["Integration"]
    [answer] = integration["IntegrationResponses"]
    header = "Access-Control-Allow-Origin"
    assert answer["ResponseParameters"][f"method.response.header.{header}"] == origin
    for name in ("RefusedBody", "TooLarge", "OtherRefusals", "Faults"):
        told = resources[name]["Properties"]["ResponseParameters"]
        assert told[f"gatewayresponse.header.{header}"] == origin
    assert "PreflightMethod" not in stack("production")


def test_the_dashboard_is_json_and_names_the_stack() -> None:
    """CloudWatch takes a text, which no linter reads."""
    body = json.loads(stack("production")["Dashboard"]["Properties"]["DashboardBody"])

    assert len(body["widgets"]) == 6
    assert "churn-production" in json.dumps(body)
    assert "${" not in json.dumps(body)


def test_a_changed_schema_is_a_new_deployment_of_the_api(request_schema: dict[str, Any]) -> None:
    """API Gateway goes on with the old methods else, whatever the stack says."""

    def deployment(request: dict[str, Any] | None) -> str:
        made = templates.filled(templates.load(), request)
        [name] = [name for name in made["Resources"] if name.startswith("ApiDeployment")]
        assert made["Resources"]["ApiStage"]["Properties"]["DeploymentId"] == {"Ref": name}
        return name

    assert deployment(request_schema) == deployment(request_schema)
    assert deployment(request_schema) != deployment(None)


def test_nothing_of_an_account_stands_in_the_files() -> None:
    """No account number, bucket or address is the template's or a stage's."""
    folder = templates.SOURCE.parent
    for file in (templates.SOURCE, *(folder / "stages").glob("*.json")):
        text = file.read_text(encoding="utf-8")
        assert not any(word.isdigit() and len(word) == 12 for word in text.split(":"))
        assert "dkr.ecr" not in text
        assert "s3://" not in text.replace("s3://${DataBucket}", "")
