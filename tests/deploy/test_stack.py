"""What is told of a stack that CloudFormation takes back.

No stand-in fails a resource, so what CloudFormation would answer is laid down by botocore's own
stubber, which checks each answer, and each request, against the service's model.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("yaml", reason="PyYAML is not installed: make mlops-test")

import boto3
from botocore.stub import ANY, Stubber
from deploy.errors import DeployError
from deploy.preflight import Plan
from deploy.stack import apply, remove
from deploy.stage import Stage

pytestmark = pytest.mark.mlops

NAME = "churn-staging"
ID = "arn:aws:cloudformation:eu-west-1:123456789012:stack/churn-staging/1"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
STAGE = Stage("staging", {"StageName": "staging"}, {"stage": "staging"})


def plan(*, exists: bool, body: str = "{}") -> Plan:
    """Return a plan of one parameter."""
    return Plan(NAME, exists, body, {"ServiceName": "churn"}, "data", STAGE)


@pytest.fixture
def cloudformation() -> Iterator[Stubber]:
    """Return a client's stubber; every answer laid down has to be asked for."""
    client = boto3.client(
        "cloudformation",
        region_name="eu-west-1",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",  # noqa: S106
    )
    with Stubber(client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def run(action: Any, stubber: Stubber, *arguments: object, minutes: float = 1) -> Any:  # noqa: ANN401
    """Call apply or remove with the stubbed client, without pauses."""
    aws = SimpleNamespace(region="eu-west-1", partition="aws")

    class Clients:
        region, partition = aws.region, aws.partition

        def __call__(self, _: str) -> Any:  # noqa: ANN401
            return stubber.client

    return action(*arguments, Clients(), minutes=minutes, poll_seconds=0)


def answers(stubber: Stubber, *statuses: str, by: str = ID, **more: object) -> None:
    """Lay down what describe_stacks answers, one after another."""
    for status in statuses:
        stack = {
            "StackName": NAME,
            "StackId": ID,
            "CreationTime": NOW,
            "StackStatus": status,
            **more,
        }
        stubber.add_response("describe_stacks", {"Stacks": [stack]}, {"StackName": by})


def events(stubber: Stubber, *told: tuple[str, str, str]) -> None:
    """Lay down a stack's events, newest first: resource, status, reason."""
    common = {"StackId": ID, "StackName": NAME, "Timestamp": NOW}
    listed = [
        {
            **common,
            "EventId": str(place),
            "LogicalResourceId": resource,
            "PhysicalResourceId": ID if resource == NAME else resource,
            "ResourceType": "AWS::SageMaker::Endpoint",
            "ResourceStatus": status,
            "ResourceStatusReason": reason,
        }
        for place, (resource, status, reason) in enumerate(told)
    ]
    stubber.add_response("describe_stack_events", {"StackEvents": listed}, {"StackName": ID})


def test_a_stack_that_cannot_be_made_is_removed_and_says_why(cloudformation: Stubber) -> None:
    """It is asked for with OnFailure=DELETE, so that nothing half-deployed is left."""
    cloudformation.add_response(
        "create_stack",
        {"StackId": ID},
        {
            "StackName": NAME,
            "Parameters": [{"ParameterKey": "ServiceName", "ParameterValue": "churn"}],
            "Tags": [{"Key": "stage", "Value": "staging"}],
            "Capabilities": ["CAPABILITY_IAM"],
            "TemplateBody": "{}",
            "OnFailure": "DELETE",
        },
    )
    answers(cloudformation, "CREATE_IN_PROGRESS", "DELETE_IN_PROGRESS", "DELETE_COMPLETE")
    events(
        cloudformation,
        ("Function", "CREATE_FAILED", "Resource creation cancelled"),
        ("Endpoint", "CREATE_FAILED", "The container did not pass the ping health check"),
        (NAME, "CREATE_IN_PROGRESS", "User Initiated"),
    )

    with pytest.raises(DeployError) as caught:
        run(apply, cloudformation, plan(exists=False))

    text = str(caught.value)
    assert "DELETE_COMPLETE: everything that had been made was removed again" in text
    assert "Endpoint (AWS::SageMaker::Endpoint): The container did not pass the ping" in text
    assert "cancelled" not in text


def test_an_update_that_went_back_tells_what_failed_in_it_alone(cloudformation: Stubber) -> None:
    """Faults of earlier updates are still among the events, and are not told again."""
    cloudformation.add_response("update_stack", {"StackId": ID})
    answers(cloudformation, "UPDATE_ROLLBACK_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE")
    events(
        cloudformation,
        ("Endpoint", "UPDATE_FAILED", "alarm ErrorAlarm went off"),
        (NAME, "UPDATE_IN_PROGRESS", "User Initiated"),
        ("Endpoint", "UPDATE_FAILED", "last month's fault"),
        (NAME, "UPDATE_IN_PROGRESS", "User Initiated"),
    )

    with pytest.raises(DeployError) as caught:
        run(apply, cloudformation, plan(exists=True))

    assert "it is back at what it was before, and serves that" in str(caught.value)
    assert "alarm ErrorAlarm went off" in str(caught.value)
    assert "last month" not in str(caught.value)


def test_an_update_without_a_change_is_none(cloudformation: Stubber) -> None:
    """CloudFormation answers it with an error, which is no failure of the deployment."""
    cloudformation.add_client_error(
        "update_stack", "ValidationError", "No updates are to be performed."
    )
    outputs = [{"OutputKey": "EndpointName", "OutputValue": NAME}]
    answers(cloudformation, "UPDATE_COMPLETE", by=NAME, Outputs=outputs)

    assert run(apply, cloudformation, plan(exists=True)) == {"EndpointName": NAME}


def test_a_stack_that_takes_too_long_is_told_to_go_on(cloudformation: Stubber) -> None:
    """The command ends; CloudFormation does not."""
    cloudformation.add_response("update_stack", {"StackId": ID})
    answers(cloudformation, "UPDATE_IN_PROGRESS")

    with pytest.raises(DeployError, match="after 0 minutes and goes on; watch it: aws"):
        run(apply, cloudformation, plan(exists=True), minutes=0)


def test_a_refusal_of_cloudformation_is_told_in_its_own_words(cloudformation: Stubber) -> None:
    """A role that may not pass another one, say."""
    cloudformation.add_client_error("create_stack", "AccessDenied", "not allowed iam:PassRole")

    with pytest.raises(DeployError, match=r"refuses: .*iam:PassRole"):
        run(apply, cloudformation, plan(exists=False))


def test_what_cannot_be_removed_is_named(cloudformation: Stubber) -> None:
    """The stack stays, with the resources that hold it."""
    answers(cloudformation, "CREATE_COMPLETE", by=NAME)
    cloudformation.add_response("delete_stack", {}, {"StackName": NAME})
    answers(cloudformation, "DELETE_IN_PROGRESS", "DELETE_FAILED")
    events(
        cloudformation,
        ("FunctionLogs", "DELETE_FAILED", "not authorized"),
        (NAME, "DELETE_IN_PROGRESS", "User Initiated"),
    )

    with pytest.raises(DeployError, match=r"these resources are left.*\n.*FunctionLogs.*not auth"):
        run(remove, cloudformation, NAME)


def test_a_stages_policy_goes_with_the_stack(cloudformation: Stubber) -> None:
    """production.json forbids CloudFormation to replace the endpoint."""
    policy = {"Statement": [{"Effect": "Deny", "Action": "Update:Replace"}]}
    guarded = Plan(NAME, True, "{}", {}, "data", Stage("p", {}, {}, policy))
    asked = {"StackName": NAME, "Parameters": [], "Tags": [], "Capabilities": ANY}
    cloudformation.add_response(
        "update_stack",
        {"StackId": ID},
        {**asked, "TemplateBody": "{}", "StackPolicyBody": guarded.stage.to_policy()},
    )
    answers(cloudformation, "UPDATE_COMPLETE")

    assert run(apply, cloudformation, guarded) == {}
