"""What starts a pipeline: the rules of a stack, asked about events as AWS sends them."""

from __future__ import annotations

import json
from typing import Any

import pytest

pytest.importorskip("yaml", reason="PyYAML is not installed: make mlops-test")
pytest.importorskip("moto", reason="moto is not installed: make mlops-test")

from moto.events.models import EventPattern

from .conftest import ACCOUNT, REGION, Registry
from .template import KINDS, PROJECT, project

pytestmark = pytest.mark.mlops

ENVELOPE = {
    "version": "0", "id": "844e2571-85d4-695f-b930-0153b71dcb42", "account": ACCOUNT,
    "time": "2026-11-24T17:00:14Z", "region": REGION,
}  # fmt: skip


def of_package(group: str, status: str, **detail: object) -> dict[str, Any]:
    """Return an event of a model package (SageMaker's guide, "Model package state change")."""
    arn = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:model-package/{group}/2"
    return ENVELOPE | {
        "source": "aws.sagemaker",
        "detail-type": "SageMaker Model Package State Change",
        "resources": [arn],
        "detail": {
            "ModelPackageGroupName": group,
            "ModelPackageVersion": 2,
            "ModelPackageArn": arn,
            "CreationTime": "2026-11-24T17:00:14Z",
            "ModelPackageStatus": "Completed",
            "ModelApprovalStatus": status,
            "InferenceSpecification": {"Containers": [{"ModelDataUrl": "s3://b/model.tar.gz"}]},
            **detail,
        },
    }


def of_commit(repository: str, **detail: object) -> dict[str, Any]:
    """Return an event of a branch (CodeCommit's guide, "Monitoring CodeCommit events")."""
    return ENVELOPE | {
        "source": "aws.codecommit",
        "detail-type": "CodeCommit Repository State Change",
        "resources": [f"arn:aws:codecommit:{REGION}:{ACCOUNT}:{repository}"],
        "detail": {
            "event": "referenceUpdated",
            "repositoryName": repository,
            "referenceType": "branch",
            "referenceName": "main",
            "referenceFullName": "refs/heads/main",
            "commitId": "0" * 40,
            **detail,
        },
    }


APPROVED, COMMITTED = of_package("churn", "Approved"), of_commit("churn")
ELSEWHERE = APPROVED | {"detail-type": "SageMaker Model State Change"}


@pytest.fixture
def rules(aws: Registry) -> dict[str, EventPattern]:
    """Return the patterns of a project's rules, as EventBridge has them after CloudFormation."""
    parameters = [{"ParameterKey": k, "ParameterValue": v} for k, v in KINDS["codecommit"].items()]
    aws.client("cloudformation").create_stack(
        StackName="project",
        TemplateBody=PROJECT.read_text(),
        Parameters=parameters,
        Capabilities=["CAPABILITY_IAM"],
    )
    found = aws.client("events").list_rules()["Rules"]
    assert {rule["State"] for rule in found} == {"ENABLED"}
    return {rule["Name"].split("-")[1]: EventPattern.load(rule["EventPattern"]) for rule in found}


@pytest.mark.parametrize(
    ("event", "started"),
    [
        (APPROVED, ["ModelApproved"]),
        (COMMITTED, ["CodeCommitted"]),
        (of_commit("churn", event="referenceCreated"), ["CodeCommitted"]),
        (of_package("churn", "PendingManualApproval"), []),
        (of_package("churn", "Rejected"), []),
        (of_package("churn-2", "Approved"), []),
        (ELSEWHERE, []),
        (APPROVED | {"source": "my.sagemaker"}, []),
        (of_commit("other"), []),
        (of_commit("churn", referenceName="topic"), []),
        (of_commit("churn", referenceType="tag"), []),
        (of_commit("churn", event="referenceDeleted"), []),
    ],
)
def test_an_event_starts_what_it_is_to_and_nothing_else(
    rules: dict[str, EventPattern], event: dict[str, Any], started: list[str]
) -> None:
    """By the matcher of moto, which EventBridge's buses there use."""
    wire = json.loads(json.dumps(event))

    assert [name for name, rule in sorted(rules.items()) if rule.matches_event(wire)] == started


def test_a_rule_starts_the_pipeline_it_is_named_for() -> None:
    """With a role that may start just these two."""
    resources = project("codecommit")
    arn = f"arn:aws:codepipeline:{REGION}:{ACCOUNT}:"

    def targets(rule: str) -> list[str]:
        return [target["Arn"] for target in resources[rule]["Properties"]["Targets"]]

    assert targets("ModelApproved") == [arn + "DeployPipeline"]
    assert targets("CodeCommitted") == [arn + "BuildPipeline"]
    [statement] = resources["StartRole"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
    assert statement["Action"] == "codepipeline:StartPipelineExecution"
    assert statement["Resource"] == [arn + "BuildPipeline", arn + "DeployPipeline"]
