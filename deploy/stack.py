"""A planned stack made, updated or removed, and what became of it told."""

from __future__ import annotations

import hashlib
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from deploy.aws import Aws
from deploy.errors import DeployError
from deploy.preflight import Plan
from deploy.template import MAX_INLINE_BYTES

POLL_SECONDS: Final = 10.0
_DONE: Final = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE"})
Outputs = dict[str, str]
Told = TypeVar("Told")


def apply(plan: Plan, aws: Aws, *, minutes: float, poll_seconds: float = POLL_SECONDS) -> Outputs:
    """Make or update a stack and wait for its end.

    A stack that cannot be made is removed again by CloudFormation; one that cannot be updated goes
    back to what it was.

    Returns
    -------
    The stack's outputs.

    Raises
    ------
    DeployError
        CloudFormation refuses, or the stack went back; with the resources that failed, and why.
    """
    return _asked(lambda: _apply(plan, aws, minutes, poll_seconds))


def remove(name: str, aws: Aws, *, minutes: float, poll_seconds: float = POLL_SECONDS) -> bool:
    """Remove a stack and wait for its end; return whether there was one.

    Raises
    ------
    DeployError
        CloudFormation refuses, or could not remove it all; with the resources that are left.
    """
    return _asked(lambda: _remove(name, aws, minutes, poll_seconds))


def _apply(plan: Plan, aws: Aws, minutes: float, poll_seconds: float) -> Outputs:
    cloudformation = aws("cloudformation")
    request: dict[str, Any] = {
        "StackName": plan.stack,
        "Parameters": [
            {"ParameterKey": name, "ParameterValue": value}
            for name, value in plan.parameters.items()
        ],
        "Tags": [{"Key": name, "Value": value} for name, value in plan.stage.tags.items()],
        "Capabilities": ["CAPABILITY_IAM"],
        **_template(plan, aws),
        **({"RoleARN": plan.role} if plan.role else {}),
    }
    if plan.stage.policy is not None:
        request["StackPolicyBody"] = plan.stage.to_policy()
    if plan.exists:
        try:
            stack_id = cloudformation.update_stack(**request)["StackId"]
        except ClientError as error:
            if "No updates are to be performed" not in error.response["Error"]["Message"]:
                raise
            print(f"{plan.stack}: nothing has changed")
            [stack] = cloudformation.describe_stacks(StackName=plan.stack)["Stacks"]
            return _outputs(stack)
    else:
        # What was made is taken away again where one part fails, the stack with it.
        stack_id = cloudformation.create_stack(**request, OnFailure="DELETE")["StackId"]
    stack = _ended(cloudformation, stack_id, minutes, poll_seconds)
    if stack["StackStatus"] in _DONE:
        return _outputs(stack)
    raise DeployError(_failure(cloudformation, plan.stack, stack))


def _template(plan: Plan, aws: Aws) -> dict[str, str]:
    text = plan.body.encode()
    if len(text) <= MAX_INLINE_BYTES:
        return {"TemplateBody": plan.body}
    key = f"{plan.stack}/templates/{hashlib.sha256(text).hexdigest()[:16]}.json"
    aws("s3").put_object(Bucket=plan.bucket, Key=key, Body=text, ContentType="application/json")
    suffix = "amazonaws.com.cn" if aws.partition == "aws-cn" else "amazonaws.com"
    return {"TemplateURL": f"https://{plan.bucket}.s3.{aws.region}.{suffix}/{key}"}


def _remove(name: str, aws: Aws, minutes: float, poll_seconds: float) -> bool:
    cloudformation = aws("cloudformation")
    try:
        [stack] = cloudformation.describe_stacks(StackName=name)["Stacks"]
    except ClientError as error:
        if "does not exist" in error.response["Error"]["Message"]:
            return False
        raise
    cloudformation.delete_stack(StackName=name)
    stack = _ended(cloudformation, stack["StackId"], minutes, poll_seconds)
    if stack["StackStatus"] != "DELETE_COMPLETE":
        raise DeployError(_failure(cloudformation, name, stack))
    return True


def _ended(cloudformation: Any, stack_id: str, minutes: float, poll_seconds: float) -> Any:  # noqa: ANN401 - boto3's have no types
    """Wait until nothing is in progress; return what CloudFormation tells of the stack then."""
    deadline = time.monotonic() + minutes * 60
    status = ""
    while True:
        # By id, since a stack that was deleted is not found by its name.
        [stack] = cloudformation.describe_stacks(StackName=stack_id)["Stacks"]
        if stack["StackStatus"] != status:
            status = stack["StackStatus"]
            print(f"{stack['StackName']}: {status}", file=sys.stderr)
        if not status.endswith("_IN_PROGRESS"):
            return stack
        if time.monotonic() > deadline:
            raise DeployError(
                f"stack {stack['StackName']} is {status} after {minutes:g} minutes and goes on; "
                f"watch it: aws cloudformation describe-stack-events --stack-name {stack_id}"
            )
        time.sleep(poll_seconds)


def _failure(cloudformation: Any, name: str, stack: Mapping[str, Any]) -> str:  # noqa: ANN401 - as above
    became = {
        "DELETE_COMPLETE": "everything that had been made was removed again",
        "ROLLBACK_COMPLETE": "what had been made was removed; run make undeploy, then try again",
        "UPDATE_ROLLBACK_COMPLETE": "it is back at what it was before, and serves that",
        "UPDATE_ROLLBACK_FAILED": "it could NOT be taken back; see the resources below, then run "
        "aws cloudformation continue-update-rollback",
        "DELETE_FAILED": "these resources are left; remove what holds them and run make undeploy",
    }
    status = stack["StackStatus"]
    reasons = list(_reasons(cloudformation, stack["StackId"]))
    told = stack.get("StackStatusReason")
    lines = "\n".join(f"  - {reason}" for reason in reasons or ([told] if told else []))
    return f"stack {name} ended as {status}: {became.get(status, 'see its events')}\n{lines}"


def _reasons(cloudformation: Any, stack_id: str) -> Iterator[str]:  # noqa: ANN401 - as above
    """Yield what failed in the last change, oldest first; not what was cancelled for it."""
    events: list[Mapping[str, Any]] = []
    pages = cloudformation.get_paginator("describe_stack_events")
    for page in pages.paginate(StackName=stack_id):
        for event in page["StackEvents"]:
            events.append(event)
            begins = {"CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS"}
            user = event.get("ResourceStatusReason") == "User Initiated"
            if user and event["ResourceStatus"] in begins:
                break
        else:
            continue
        break
    for event in reversed(events):
        reason = event.get("ResourceStatusReason", "")
        failed = event["ResourceStatus"].endswith("_FAILED")
        if failed and "cancelled" not in reason and event["PhysicalResourceId"] != stack_id:
            yield f"{event['LogicalResourceId']} ({event['ResourceType']}): {reason}"


def _outputs(stack: Mapping[str, Any]) -> Outputs:
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", ())}


def _asked(action: Callable[[], Told]) -> Told:
    try:
        return action()
    except (ClientError, BotoCoreError) as error:
        raise DeployError(f"CloudFormation or S3 refuses: {error}") from error
