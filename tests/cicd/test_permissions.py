"""Each role's rights, held to what is really asked for with it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

pytest.importorskip("yaml", reason="PyYAML is not installed: make mlops-test")

from deploy import template as templates

from .conftest import REGION, SERVICE, Project
from .template import actions
from .template import project as resources_of

pytestmark = pytest.mark.mlops

# What the handlers of CloudFormation's resource types ask for settings that the template has not.
UNUSED = re.compile(
    r"(ec2|elasticfilesystem|firehose|kms|s3|s3files):.*"
    r"|iam:(AttachRolePolicy|(Delete|Put)RolePermissionsBoundary|\w+(User|Group)Policy)"
    r"|lambda:(\w*CodeSigningConfig|\w+ProvisionedConcurrencyConfig|\w+FunctionConcurrency"
    r"|Put(RuntimeManagement|FunctionRecursion|FunctionScaling)Config|GetLayerVersion"
    r"|PublishVersion|PassCapacityProvider|AssociateRuntimeAlias)"
    r"|logs:(AssociateKmsKey|DisassociateKmsKey|CreateLogDelivery|PutBearerTokenAuthentication"
    r"|PutLogGroupDeletionProtection|(Put|Delete)(DataProtectionPolicy|IndexPolicy|ResourcePolicy))"
    r"|application-autoscaling:(Put|Delete)ScheduledAction|apigateway:UpdateRestApiPolicy"
)


def test_the_deploy_role_may_do_what_configuring_asks(
    project: Project, calls: set[str], tmp_path: Path
) -> None:
    """The first time, and once the stacks are there."""
    calls.clear()
    assert project.configure(tmp_path).returncode == 0

    allowed = actions(resources_of("connection"), "ModelDeployRole")

    assert {"sagemaker:ListModelPackages", "s3:GetObject"} <= calls
    assert calls <= allowed


def test_a_workflow_s_roles_may_do_what_approval_and_release_ask(
    project: Project, calls: set[str], tmp_path: Path
) -> None:
    """Release makes a stack with CloudFormation's role, so it asks for no more than stacks."""
    resources = resources_of("github-actions")
    waiting = project.register("PendingManualApproval")
    assert project.configure(tmp_path).returncode == 0

    calls.clear()
    assert project.run("approve", "--package", waiting, "--region", REGION).returncode == 0
    assert "sagemaker:UpdateModelPackage" in calls
    assert calls <= actions(resources, "ApprovalRole")

    calls.clear()
    given = ("--group", SERVICE, "--region", REGION, "--dry-run")
    project.register("PendingManualApproval")
    calls -= {"s3:PutObject", "sagemaker:CreateModelPackage", "sagemaker:ListModelPackageGroups"}
    assert project.run("approve", *given).returncode == 0
    assert calls <= actions(resources, "ModelBuildRole")

    calls.clear()
    assert project.run(
        "release", "--configuration", str(tmp_path / "staging.json"), "--region", REGION,
        "--bucket", project.bucket, "--role", f"arn:aws:iam::{'1' * 12}:role/stacks",
    ).returncode == 0  # fmt: skip
    assert "cloudformation:CreateStack" in calls
    assert calls <= actions(resources, "ModelDeployRole")


def test_cloudformation_s_role_may_make_change_and_remove_what_a_stage_holds() -> None:
    """Every right that AWS's own definition of a resource type names, but of settings not used."""
    cfnlint = pytest.importorskip("cfnlint", reason="cfn-lint is not installed: make mlops-test")
    folder = Path(cfnlint.__file__).parent / "data/schemas"
    provided = json.loads((folder / f"providers/{REGION}.json").read_text())
    allowed = actions(resources_of("connection"), "StacksRole")
    types = {resource["Type"] for resource in templates.load()["Resources"].values()}
    missing: dict[str, set[str]] = {}

    for name in types:
        schema = json.loads((folder / f"resources/{provided[name]}.json").read_text())
        for verb in ("create", "read", "update", "delete"):
            needed = set(schema["handlers"].get(verb, {}).get("permissions", ()))
            lacks = {each for each in needed - allowed if not UNUSED.fullmatch(each)}
            if lacks:
                missing.setdefault(name, set()).update(lacks)

    assert missing == {}
    assert len(types) > 20


@pytest.mark.filterwarnings("ignore")
def test_the_build_role_may_do_what_running_the_pipeline_asks(
    project: Project, calls: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By `run-pipeline`, as the target calls it: upload of the scripts, pipeline, execution."""
    monkeypatch.setenv("SAGEMAKER_VALIDATE_ROLE", "false")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    # One made by an earlier test has no region, and the SDK makes clients when it is imported.
    monkeypatch.setattr("boto3.DEFAULT_SESSION", None)
    pytest.importorskip("sagemaker.mlops", reason="AWS's SDK is not installed: make mlops-test")
    from pipelines import run_pipeline  # noqa: PLC0415 - needs the SDK

    role = f"arn:aws:iam::{'1' * 12}:role/jobs"
    arguments = {
        "region": REGION, "role": role, "default_bucket": project.bucket,
        "pipeline_name": SERVICE, "model_package_group_name": SERVICE,
    }  # fmt: skip
    calls.clear()

    status = run_pipeline.main(
        ["--module-name", "pipelines.pipeline", "--role-arn", role,
         "--kwargs", json.dumps(arguments)]
    )  # fmt: skip

    assert status == 0
    assert {"sagemaker:CreatePipeline", "sagemaker:StartPipelineExecution"} <= calls
    # Refused, boto3 goes without the list and asks for the bucket by name (its bucket_load).
    assert calls - {"s3:ListBuckets"} <= actions(resources_of("connection"), "ModelBuildRole")
