"""The project as code: by its linter, by moto, and by the services' own models."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

pytest.importorskip("yaml", reason="PyYAML is not installed: make mlops-test")

import boto3
from botocore.validate import ParamValidator
from deploy.parameters import problems_of
from tests.deploy.test_template import PROGRAM

from .conftest import REGION, Registry
from .template import KINDS, PROJECT, actions, listed, load, project, statements

pytestmark = pytest.mark.mlops

MAX_BYTES = 51_200
# moto answers CREATE_COMPLETE for these and makes none of them.
NOT_MADE = {
    "AWS::CodeBuild::Project",
    "AWS::CodeCommit::Repository",
    "AWS::CodePipeline::Pipeline",
    "AWS::S3::BucketPolicy",
}


def test_the_linter_finds_nothing() -> None:
    """Neither errors nor warnings nor hints, the permissions' names among what it looks at."""
    pytest.importorskip("cfnlint", reason="cfn-lint is not installed: make mlops-test")
    command = [sys.executable, "-c", PROGRAM, "--non-zero-exit-code", "informational", str(PROJECT)]

    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr


def test_it_is_taken_inline_and_has_no_names_of_an_account() -> None:
    """A template over 51,200 bytes would have to lie on S3 first."""
    text = PROJECT.read_text()

    assert len(text.encode()) <= MAX_BYTES
    assert "eu-west" not in text
    assert "us-east" not in text
    assert not any(part.isdigit() and len(part) == 12 for part in text.replace(":", " ").split())
    # What SageMaker gives to a custom project template.
    assert {"SageMakerProjectName", "SageMakerProjectId"} <= load()["Parameters"].keys()


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_project_passes_the_templates_own_rules(kind: str) -> None:
    """The cases of the other tests are of projects that can be made."""
    assert problems_of(load(), KINDS[kind]) == []


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"SageMakerProjectName": "churn"}, "needs ConnectionArn"),
        ({"SageMakerProjectName": "churn", "ConnectionArn": "x"}, "parameter ConnectionArn is 'x'"),
        (KINDS["connection"] | {"Repository": ""}, "needs Repository, as OWNER/NAME"),
        (KINDS["connection"] | {"Repository": "churn"}, "parameter Repository is 'churn'"),
        (KINDS["github-actions"] | {"GitHubOidcProviderArn": ""}, "needs GitHubOidcProviderArn"),
        (KINDS["codecommit"] | {"SageMakerProjectName": "Churn_1"}, "SageMakerProjectName is"),
        (
            KINDS["codecommit"] | {"SourceProvider": "svn"},
            "expected one of: connection, codecommit",
        ),
    ],
)
def test_a_project_that_cannot_be_made_is_refused(given: dict[str, str], named: str) -> None:
    """By CloudFormation's own checks, which these are (deploy/parameters.py)."""
    assert any(named in problem for problem in problems_of(load(), given))


@pytest.mark.parametrize("kind", KINDS)
def test_a_stack_is_made_changed_and_removed(aws: Registry, kind: str) -> None:
    """As far as moto goes, which makes no pipelines, builds, repositories of code, bucket policies.

    The others are asked for by name afterwards.
    """
    stacks, body = aws.client("cloudformation"), PROJECT.read_text()
    call = {"StackName": "project", "TemplateBody": body, "Capabilities": ["CAPABILITY_IAM"]}

    stacks.create_stack(**call, Parameters=_given(KINDS[kind]))

    [stack] = stacks.describe_stacks(StackName="project")["Stacks"]
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    told = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
    made = {r["LogicalResourceId"]: r["PhysicalResourceId"] for r in
            stacks.list_stack_resources(StackName="project")["StackResourceSummaries"]
            if r["LogicalResourceId"]}  # fmt: skip
    wanted = {k for k, r in project(kind).items() if r["Type"] not in NOT_MADE}
    assert made.keys() == wanted
    aws.client("s3").head_bucket(Bucket=told["DataBucketName"])
    [images] = aws.client("ecr").describe_repositories(repositoryNames=["churn"])["repositories"]
    assert images["imageTagMutability"] == "IMMUTABLE"
    jobs = aws.client("iam").get_role(RoleName=told["JobsRoleArn"].rpartition("/")[2])["Role"]
    [trust] = jobs["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "sagemaker.amazonaws.com"}

    stacks.update_stack(**call, Parameters=_given(KINDS[kind] | {"ImagesKept": "7"}))

    [stack] = stacks.describe_stacks(StackName="project")["Stacks"]
    assert stack["StackStatus"] == "UPDATE_COMPLETE"
    stacks.delete_stack(StackName="project")
    left = stacks.list_stacks(StackStatusFilter=["CREATE_COMPLETE", "UPDATE_COMPLETE"])
    assert left["StackSummaries"] == []
    assert aws.client("iam").list_roles()["Roles"] == []
    assert aws.client("events").list_rules()["Rules"] == []


def _given(parameters: dict[str, str]) -> list[dict[str, str]]:
    return [{"ParameterKey": k, "ParameterValue": v} for k, v in parameters.items()]


@pytest.mark.parametrize("kind", KINDS)
def test_images_are_scanned_and_the_old_ones_expire(kind: str) -> None:
    """By ECR's own models; moto's CloudFormation passes both settings over."""
    resources = project(kind)
    names = [name for name, r in resources.items() if r["Type"] == "AWS::ECR::Repository"]
    assert names == (["ModelImages"] if kind == "no api" else ["ModelImages", "FunctionImages"])
    for name in names:
        properties = resources[name]["Properties"]
        request = {
            "repositoryName": properties["RepositoryName"],
            "imageTagMutability": properties["ImageTagMutability"],
            "imageScanningConfiguration": lowered(properties["ImageScanningConfiguration"]),
        }
        assert faults("ecr", "CreateRepository", request) == ""
        assert request["imageScanningConfiguration"] == {"scanOnPush": True}
        rules = json.loads(properties["LifecyclePolicy"]["LifecyclePolicyText"])["rules"]
        assert [rule["selection"]["countNumber"] for rule in rules] == [7, 100]
        assert {rule["action"]["type"] for rule in rules} == {"expire"}


def test_data_and_images_outlive_the_project() -> None:
    """What nobody can make again is not removed with the stack."""
    resources = load()["Resources"]

    kept = {k for k, r in resources.items() if r.get("DeletionPolicy") == "Retain"}

    assert kept == {"DataBucket", "ArtifactBucket", "ModelImages", "FunctionImages", "Code"}


def lowered(value: Any, *, keep: frozenset[str] = frozenset()) -> Any:  # noqa: ANN401 - JSON
    """Return properties with the names that the API gives them: its first letters are small."""
    if isinstance(value, list):
        return [lowered(each, keep=keep) for each in value]
    if not isinstance(value, dict):
        return value
    return {
        key[0].lower() + key[1:]: inner if key in keep else lowered(inner, keep=keep)
        for key, inner in value.items()
    }


def faults(service: str, operation: str, request: dict[str, Any]) -> str:
    """Return what a service's own model has against a request, enumerations included."""
    shape = (
        boto3.client(service, region_name=REGION)
        .meta.service_model.operation_model(operation)
        .input_shape
    )
    report = str(ParamValidator().validate(request, shape).generate_report())
    return report + "".join(_unknown(request, shape))


def _unknown(value: Any, shape: Any) -> list[str]:  # noqa: ANN401 - JSON, and botocore's
    if shape.type_name == "structure":
        return [told for key, inner in value.items() if key in shape.members
                for told in _unknown(inner, shape.members[key])]  # fmt: skip
    if shape.type_name == "list":
        return [told for inner in value for told in _unknown(inner, shape.member)]
    allowed = getattr(shape, "enum", None)
    return [f"{value!r} is none of {allowed}"] if allowed and value not in allowed else []


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "github-actions"])
def test_pipelines_and_builds_are_valid_by_the_services_own_models(kind: str) -> None:
    """Every name, type and enumeration of CreatePipeline and CreateProject."""
    resources = project(kind)
    seen = []
    for name, resource in resources.items():
        properties = resource["Properties"]
        if resource["Type"] == "AWS::CodePipeline::Pipeline":
            pipeline = lowered(properties, keep=frozenset({"Configuration"}))
            assert faults("codepipeline", "CreatePipeline", {"pipeline": pipeline}) == ""
        elif resource["Type"] == "AWS::CodeBuild::Project":
            request = lowered(properties)
            request["source"]["buildspec"] = request["source"].pop("buildSpec")
            assert faults("codebuild", "CreateProject", request) == ""
        else:
            continue
        seen.append(name)
    assert seen == [
        "ModelBuild",
        "ModelDeploy",
        "IntegrationTest",
        "BuildPipeline",
        "DeployPipeline",
    ]


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "github-actions"])
def test_what_an_action_reads_an_earlier_one_wrote(kind: str) -> None:
    """Artifacts by name, the files in them that CloudFormation takes, projects and repositories."""
    resources = project(kind)
    stages = ("template.json", "staging.json", "production.json")
    files = {"Stages": stages}
    for pipeline in ("BuildPipeline", "DeployPipeline"):
        properties = resources[pipeline]["Properties"]
        written: set[str] = set()
        for stage in properties["Stages"]:
            for action in stage["Actions"]:
                read = {artifact["Name"] for artifact in action.get("InputArtifacts", ())}
                assert read <= written, (pipeline, action["Name"])
                written |= {artifact["Name"] for artifact in action.get("OutputArtifacts", ())}
                configuration = action["Configuration"]
                for key in ("TemplatePath", "TemplateConfiguration"):
                    if key in configuration:
                        artifact, _, file = configuration[key].partition("::")
                        assert artifact in read
                        assert file in files[artifact]
                if "ProjectName" in configuration:
                    assert resources[configuration["ProjectName"]]["Type"].endswith("::Project")
        [source] = properties["Stages"][0]["Actions"]
        if "Triggers" in properties:
            [trigger] = properties["Triggers"]
            assert trigger["GitConfiguration"]["SourceActionName"] == source["Name"]
    deploy = resources["DeployPipeline"]["Properties"]["Stages"]
    names = [[action["Name"] for action in stage["Actions"]] for stage in deploy]
    assert names == [["Code"], ["Configure"], ["Deploy", "Test", "Approve"], ["Deploy"]]
    stacks = [action["Configuration"]["StackName"] for stage in deploy for action in
              stage["Actions"] if action["Name"] == "Deploy"]  # fmt: skip
    assert stacks == ["churn-staging", "churn-production"]


def test_each_repository_starts_its_own_pipeline() -> None:
    """And where there is one for both, a commit to deploy/ alone builds no model."""
    two, one = project("two repositories"), project("connection")

    def source(resources: Any, pipeline: str) -> Any:  # noqa: ANN401 - resolved properties
        return resources[pipeline]["Properties"]["Stages"][0]["Actions"][0]["Configuration"]

    assert source(two, "BuildPipeline")["FullRepositoryId"] == "shop/build"
    assert source(two, "DeployPipeline")["FullRepositoryId"] == "shop/deploy"
    assert source(one, "DeployPipeline")["FullRepositoryId"] == "shop/churn"
    [built], [deployed] = (
        one[name]["Properties"]["Triggers"][0]["GitConfiguration"]["Push"]
        for name in ("BuildPipeline", "DeployPipeline")
    )
    assert "deploy/**" in built["FilePaths"]["Excludes"]
    assert deployed["FilePaths"]["Includes"] == ["deploy/**"]


@pytest.mark.parametrize("kind", KINDS)
def test_nobody_may_do_everything(kind: str) -> None:
    """No wildcard among actions; no resource "*" but where AWS's own tables know no other."""
    everywhere = {
        "apigateway", "application-autoscaling:", "cloudformation:ValidateTemplate",
        "cloudwatch:GetMetricData", "cloudwatch:PutMetricData", "ecr:GetAuthorizationToken",
        "logs:DescribeLogGroups", "logs:DescribeResourcePolicies", "sagemaker:ListModelPackages",
    }  # fmt: skip
    resources = project(kind)
    for name in [name for name, r in resources.items() if r["Type"] == "AWS::IAM::Role"]:
        for statement in statements(resources, name):
            for action in listed(statement["Action"]):
                assert "*" not in action
                if "*" in listed(statement["Resource"]):
                    assert action.startswith(tuple(everywhere)), (name, action)
            if "iam:PassRole" in listed(statement["Action"]):
                assert statement["Condition"]["StringEquals"]["iam:PassedToService"]
    assert "iam:AttachRolePolicy" not in actions(resources, "StacksRole")


def test_a_workflow_gets_each_role_only_where_it_is_to() -> None:
    """A token of another branch, environment, repository or audience is given none."""
    resources = project("github-actions")
    subjects = {}
    for name, resource in resources.items():
        if resource["Type"] == "AWS::IAM::Role":
            [trust] = resource["Properties"]["AssumeRolePolicyDocument"]["Statement"]
            if trust["Action"] == "sts:AssumeRoleWithWebIdentity":
                told = trust["Condition"]["StringEquals"]
                assert told["token.actions.githubusercontent.com:aud"] == "sts.amazonaws.com"
                subjects[name] = listed(told["token.actions.githubusercontent.com:sub"])

    assert subjects == {
        "ModelBuildRole": ["repo:shop/churn:ref:refs/heads/main"],
        "ApprovalRole": ["repo:shop/churn:environment:model-approval"],
        "ModelDeployRole": [
            "repo:shop/churn:environment:staging", "repo:shop/churn:environment:production",
        ],
        "IntegrationTestRole": ["repo:shop/churn:environment:staging"],
    }  # fmt: skip
    assert not any(r["Type"].startswith("AWS::Code") for r in resources.values())
