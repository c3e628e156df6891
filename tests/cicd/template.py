"""The project's template, read, and worked out for each way its code can come."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml
from tests.container.drive import REPOSITORY
from tests.deploy.resolve import Resolved, resolved

from deploy import template as templates

PROJECT = REPOSITORY / "cicd/project.yaml"
CONNECTION = "arn:aws:codeconnections:eu-west-1:123456789012:connection/11111111-2222"
OIDC = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"
TOPIC = "arn:aws:sns:eu-west-1:123456789012:approvals"
NAMED = {"SageMakerProjectName": "churn"}
# What a project can be.
KINDS = {
    "connection": NAMED | {"ConnectionArn": CONNECTION, "Repository": "shop/churn"},
    "two repositories": NAMED
    | {
        "SageMakerProjectId": "p-abc123",
        "ConnectionArn": CONNECTION,
        "Repository": "shop/build",
        "DeployRepository": "shop/deploy",
        "ApprovalTopicArn": TOPIC,
    },
    "codecommit": NAMED | {"SourceProvider": "codecommit", "SageMakerProjectId": "p-abc123"},
    "no api": NAMED | {"SourceProvider": "codecommit", "RestApi": "disabled"},
    "github-actions": NAMED
    | {
        "SourceProvider": "github-actions",
        "Repository": "shop/churn",
        "GitHubOidcProviderArn": OIDC,
    },
}


def load() -> dict[str, Any]:
    """Return the template without intrinsics' short forms."""
    template: dict[str, Any] = yaml.load(PROJECT.read_text(), templates._Loader)  # noqa: S506
    return template


def project(kind: str) -> Resolved:
    """Return the resources of a kind of project."""
    return resolved(load(), KINDS[kind])


def statements(resources: Resolved, role: str) -> Iterator[dict[str, Any]]:
    """Yield the statements of a role's policies, those in resources of their own too."""
    for policy in resources[role]["Properties"].get("Policies", ()):
        yield from policy["PolicyDocument"]["Statement"]
    for resource in resources.values():
        if resource["Type"] == "AWS::IAM::Policy" and role in resource["Properties"]["Roles"]:
            yield from resource["Properties"]["PolicyDocument"]["Statement"]


def listed(value: Any) -> list[str]:  # noqa: ANN401 - a text or a list of them
    """Return a list where a policy may have one text."""
    return [value] if isinstance(value, str) else list(value)


def actions(resources: Resolved, role: str) -> set[str]:
    """Return all that a role may do."""
    found = statements(resources, role)
    return {action for statement in found for action in listed(statement["Action"])}
