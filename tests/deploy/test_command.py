"""`python -m deploy`, as make calls it, against an account of moto's."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.container.drive import REPOSITORY

from .conftest import ACCOUNT, REGION, Registry, pack

pytest.importorskip("yaml", reason="PyYAML is not installed: make mlops-test")

import boto3
from botocore.stub import Stubber
from deploy.__main__ import main
from deploy.checks import stack_state

pytestmark = pytest.mark.mlops

STACK = "churn-daal-staging"


@dataclass(frozen=True)
class Ready:
    """An account in which a deployment succeeds, and the command's usual options."""

    aws: Registry
    package: str
    image: str
    function: str
    bucket: str = "models"

    def up(self, *more: str, **instead: str) -> subprocess.CompletedProcess[str]:
        """Run `deploy up`; an option given as "" is left out."""
        options = {
            "stage": "staging",
            "region": REGION,
            "bucket": self.bucket,
            "group": "churn",
            "lambda-image": self.function,
        } | {name.replace("_", "-"): value for name, value in instead.items()}
        given = [part for name, value in options.items() for part in (f"--{name}", value) if value]
        return deploy("up", *given, *more)

    def made(self) -> dict[str, int]:
        """Count what there is that a deployment makes."""
        sagemaker = self.aws.client("sagemaker")
        return {
            "stacks": len(
                self.aws.client("cloudformation").list_stacks(
                    StackStatusFilter=["CREATE_COMPLETE", "UPDATE_COMPLETE"]
                )["StackSummaries"]
            ),
            "models": len(sagemaker.list_models()["Models"]),
            "configs": len(sagemaker.list_endpoint_configs()["EndpointConfigs"]),
            "endpoints": len(sagemaker.list_endpoints()["Endpoints"]),
            "roles": len(self.aws.client("iam").list_roles()["Roles"]),
            "functions": len(self.aws.client("lambda").list_functions()["Functions"]),
            "apis": len(self.aws.client("apigateway").get_rest_apis()["items"]),
        }


def deploy(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command in this process, which spares each test a start."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        status = main(arguments)
    return subprocess.CompletedProcess(arguments, status, out.getvalue(), err.getvalue())


@pytest.fixture
def ready(aws: Registry, archive: Path) -> Ready:
    """Return an account with a bucket, two images and an approved package."""
    bucket, image, function = aws.bucket("models"), aws.image("churn"), aws.image("function")
    package = aws.package("churn", archive, bucket=bucket, image=image)
    return Ready(aws, package, image, function)


def test_a_stack_is_made_updated_and_removed(ready: Ready) -> None:
    """The endpoint keeps its name through an update; nothing is left at the end but the data."""
    nothing = ready.made()
    sagemaker = ready.aws.client("sagemaker")

    created = ready.up()
    assert created.returncode == 0, created.stderr
    [first] = sagemaker.list_endpoints()["Endpoints"]
    [old] = sagemaker.list_endpoint_configs()["EndpointConfigs"]
    updated = ready.up("--set", "InstanceType=ml.c5.large")
    assert updated.returncode == 0, updated.stderr
    [second] = sagemaker.list_endpoints()["Endpoints"]
    [new] = sagemaker.list_endpoint_configs()["EndpointConfigs"]
    name = new["EndpointConfigName"]
    config = sagemaker.describe_endpoint_config(EndpointConfigName=name)
    removed = deploy("down", "--stage", "staging", "--region", REGION)

    assert f"{STACK}: CREATE_COMPLETE" in created.stderr
    assert "ApiUrl: https://" in created.stdout
    assert second["EndpointArn"] == first["EndpointArn"]
    assert name != old["EndpointConfigName"]
    assert [v["InstanceType"] for v in config["ProductionVariants"]] == ["ml.c5.large"]
    captured = f"s3://models/{STACK}/captured"
    assert config["DataCaptureConfig"]["DestinationS3Uri"] == captured
    # moto's CloudFormation removes no REST APIs.
    assert (removed.returncode, ready.made() | {"apis": 0}) == (0, nothing)
    ready.aws.client("s3").head_bucket(Bucket="models")


def test_the_model_that_answers_is_the_newest_approved_one(ready: Ready, archive: Path) -> None:
    """A newer package that waits for approval is passed over."""
    options = {"bucket": "models", "image": ready.image}
    newer = ready.aws.package("churn", archive, **options)
    ready.aws.package("churn", archive, **options, status="PendingManualApproval")

    done = ready.up()

    assert done.returncode == 0, done.stderr
    [model] = ready.aws.client("sagemaker").list_models()["Models"]
    told = ready.aws.client("sagemaker").describe_model(ModelName=model["ModelName"])
    assert told["PrimaryContainer"]["ModelPackageName"] == newer


def test_a_dry_run_looks_at_everything_and_makes_nothing(ready: Ready, tmp_path: Path) -> None:
    """What CodePipeline needs can be written meanwhile: the template and its configuration."""
    nothing = ready.made()

    done = ready.up("--dry-run", "--output", str(tmp_path / "out"))

    assert done.returncode == 0, done.stderr
    assert f"would create the stack {STACK}" in done.stdout
    assert f"ModelPackageArn = {ready.package}" in done.stdout
    assert ready.made() == nothing
    configuration = json.loads((tmp_path / "out/staging.json").read_text())
    assert configuration["Parameters"]["ModelPackageArn"] == ready.package
    assert configuration.keys() <= {"Parameters", "Tags", "StackPolicy"}
    template = json.loads((tmp_path / "out/template.json").read_text())
    schema = template["Resources"]["RequestModel"]["Properties"]["Schema"]
    assert "Day Mins" in schema["definitions"]["Record"]["properties"]


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (({"bucket": "nowhere"}, ()), "bucket 'nowhere' does not exist; make it in eu-west-1"),
        (
            ({"bucket": "in-ohio"}, ()),
            "bucket 'in-ohio' is in us-east-2, the deployment in eu-west-1",
        ),
        (({"region": "eu-west-11"}, ()), "'eu-west-11' is none that has SageMaker; did you mean"),
        (({"region": ""}, ()), "REGION is not given"),
        (({"bucket": ""}, ()), "BUCKET is not given"),
        (({"stage": " ", "group": ""}, ()), "' ' is not configured"),
        (
            ({"stage": "stagging"}, ()),
            "'stagging' is not configured; configured are: production, st",
        ),
        (({"group": "unknown"}, ()), "model package group 'unknown' cannot be read"),
        (({"group": "pending"}, ()), "'pending' has no approved model package (1 packages, 1 wait"),
        (({"group": "bare"}, ()), "has no image; expected the ECR address"),
        (({"group": ""}, ()), "GROUP='' and PACKAGE=''; expected one of them"),
        (({"group": "cut"}, ()), "models/cut.tar.gz is no archive that can be read"),
        (({"group": "gone"}, ()), "models/gone.tar.gz of arn:aws:sagemaker"),
        (({"lambda_image": "python:3.13"}, ()), "the Lambda's image 'python:3.13' is not in ECR"),
        (
            ({"lambda_image": f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/function:9"}, ()),
            "ECR has no such image",
        ),
        (
            ({"lambda_image": f"{ACCOUNT}.dkr.ecr.us-east-2.amazonaws.com/function:1"}, ()),
            "is in us-east-2, the deployment in eu-west-1",
        ),
        (({}, ("--set", "InstanceTyp=ml.c5.large")), "did you mean InstanceType?"),
        (
            ({}, ("--set", "InstanceCount=none")),
            "InstanceCount is 'none'; expected a number from 1",
        ),
        (({}, ("--set", "InstanceCount")), "expected PARAMETER=VALUE"),
        (({}, ("--set", "UpdatePolicy=rolling")), "replaces half of the instances at most"),
        (
            ({}, ("--set", "EndpointMode=async", "DataCapture=disabled")),
            "an asynchronous endpoint takes its requests from S3",
        ),
    ],
)
def test_what_is_not_ready_is_told_and_nothing_is_made(
    ready: Ready,
    archive: Path,
    tmp_path: Path,
    options: tuple[dict[str, str], tuple[str, ...]],
    named: str,
) -> None:
    """Exit status 1, what came, what was expected, no traceback, not a single resource."""
    instead, more = options
    ready.aws.bucket("in-ohio", "us-east-2")
    given = {"bucket": "models", "image": ready.image}
    ready.aws.package("pending", archive, **given, status="PendingManualApproval")
    ready.aws.package("bare", archive, bucket="models", image=None)
    ready.aws.package("gone", archive, **given, key="models/gone.tar.gz")
    ready.aws.client("s3").delete_object(Bucket="models", Key="models/gone.tar.gz")
    cut = tmp_path / "cut.tar.gz"
    cut.write_bytes(archive.read_bytes()[:500])
    ready.aws.package("cut", cut, **given, key="models/cut.tar.gz")
    nothing = ready.made()

    done = ready.up(*more, **instead)

    assert done.returncode == 1, done.stdout
    assert named.lower() in done.stderr.lower()
    assert "Traceback" not in done.stderr
    assert ready.made() == nothing


def test_all_that_is_wrong_is_told_at_once(ready: Ready) -> None:
    """One run shows every problem, not the first alone."""
    done = ready.up("--set", "InstanceCount=0", bucket="nowhere", lambda_image="python:3.13")

    assert done.returncode == 1
    assert done.stderr.count("\n  - ") == 3, done.stderr


def test_a_package_by_name_has_to_be_approved(ready: Ready) -> None:
    """One that was rejected meanwhile is not deployed, whoever names it."""
    ready.aws.client("sagemaker").update_model_package(
        ModelPackageArn=ready.package, ModelApprovalStatus="Rejected"
    )

    done = ready.up(group="", package=ready.package)

    assert done.returncode == 1
    assert f"{ready.package} is Rejected; expected Approved" in done.stderr


def test_a_canary_has_to_read_the_same_columns(
    ready: Ready, tmp_path: Path, train_model: Callable[..., Path]
) -> None:
    """Variants of one endpoint get the same requests."""
    text = "y,a,b\n" + "".join(f"{i % 2},{i},{i % 7}\n" for i in range(200))
    other = pack(train_model(tmp_path, text, label="y", num_round=2), tmp_path / "other.tar.gz")
    options = {"bucket": "models", "image": ready.image, "key": "models/other.tar.gz"}
    package = ready.aws.package("other", other, **options)

    refused = ready.up(canary=package)
    accepted = ready.up(canary=ready.package)

    assert refused.returncode == 1
    assert "reads other columns" in refused.stderr
    assert accepted.returncode == 0, accepted.stderr
    [config] = ready.aws.client("sagemaker").list_endpoint_configs()["EndpointConfigs"]
    told = ready.aws.client("sagemaker").describe_endpoint_config(
        EndpointConfigName=config["EndpointConfigName"]
    )
    assert [v["VariantName"] for v in told["ProductionVariants"]] == ["primary", "canary"]


def test_a_model_that_was_trained_elsewhere_is_deployed_without_a_schema(
    ready: Ready, tmp_path: Path
) -> None:
    """The image serves it; the API lets any JSON pass, and the command says so."""
    (tmp_path / "model").mkdir()
    (tmp_path / "model/xgboost-model").write_bytes(b"{}")
    foreign = pack(tmp_path / "model", tmp_path / "foreign.tar.gz")
    options = {"bucket": "models", "image": ready.image, "key": "models/foreign.tar.gz"}
    ready.aws.package("foreign", foreign, **options)

    done = ready.up("--dry-run", "--output", str(tmp_path), group="foreign")

    assert done.returncode == 0, done.stderr
    assert "its columns are not known: the API validates no bodies" in done.stderr
    template = json.loads((tmp_path / "template.json").read_text())
    schema = template["Resources"]["RequestModel"]["Properties"]["Schema"]
    assert schema["anyOf"] == [{"type": "object"}, {"type": "array"}]


def test_a_template_too_large_for_a_call_goes_by_way_of_the_bucket(
    ready: Ready, tmp_path: Path, train_model: Callable[..., Path]
) -> None:
    """A schema of five hundred columns, say; nothing is put there by a dry run."""
    names = ",".join(f"column number {i}" for i in range(500))
    rows = "".join(f"{i % 2},{','.join(str(i % 9) for _ in range(500))}\n" for i in range(40))
    model = train_model(tmp_path / "job", f"y,{names}\n{rows}", label="y", num_round=2)
    options = {"bucket": "models", "image": ready.image, "key": "models/wide.tar.gz"}
    ready.aws.package("wide", pack(model, tmp_path / "wide.tar.gz"), **options)
    s3 = ready.aws.client("s3")

    def templates() -> list[str]:
        listed = s3.list_objects_v2(Bucket="models", Prefix=f"{STACK}/templates/")
        return [found["Key"] for found in listed.get("Contents", ())]

    dry = ready.up("--dry-run", group="wide")
    before = templates()
    done = ready.up(group="wide")

    assert (dry.returncode, done.returncode) == (0, 0), done.stderr
    assert before == []
    [key] = templates()
    stored = json.loads(s3.get_object(Bucket="models", Key=key)["Body"].read())
    schema = stored["Resources"]["RequestModel"]["Properties"]["Schema"]
    assert len(schema["definitions"]["Record"]["required"]) == 500
    assert ready.made()["stacks"] == 1


def test_a_schema_too_large_for_api_gateway_is_left_out(
    ready: Ready, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The container validates all the same; the stack would fail else."""
    monkeypatch.setattr("deploy.preflight.MAX_MODEL_BYTES", 1000)

    done = ready.up("--dry-run")

    assert done.returncode == 0
    assert "API Gateway takes 1000: the API validates no bodies" in done.stderr


@pytest.mark.parametrize(
    ("status", "named"),
    [
        ("UPDATE_IN_PROGRESS", "wait for its end"),
        ("ROLLBACK_COMPLETE", "remove it first: make undeploy"),
        ("UPDATE_ROLLBACK_FAILED", "continue-update-rollback"),
        ("UPDATE_ROLLBACK_COMPLETE", None),
    ],
)
def test_a_stack_that_takes_no_update_is_told_with_what_to_do(
    status: str, named: str | None
) -> None:
    """No stand-in leaves a stack in these, so its status is laid down."""
    client = boto3.client("cloudformation", region_name=REGION)
    stack = {"StackName": STACK, "CreationTime": datetime(2026, 1, 1, tzinfo=UTC)}
    with Stubber(client) as stubber:
        told = {"Stacks": [stack | {"StackStatus": status}]}
        stubber.add_response("describe_stacks", told, {"StackName": STACK})

        exists, problem = stack_state(lambda _: client, STACK)

    assert exists
    assert problem is None if named is None else named in problem


def test_an_endpoint_of_somebody_elses_is_not_taken_over(ready: Ready) -> None:
    """The stack would fail at its last part, after minutes."""
    sagemaker = ready.aws.client("sagemaker")
    variant = {"VariantName": "v", "ModelName": "m", "InitialInstanceCount": 1}
    sagemaker.create_model(ModelName="m", ExecutionRoleArn=f"arn:aws:iam::{ACCOUNT}:role/some-role")
    sagemaker.create_endpoint_config(
        EndpointConfigName="c", ProductionVariants=[variant | {"InstanceType": "ml.m5.large"}]
    )
    sagemaker.create_endpoint(EndpointName=STACK, EndpointConfigName="c")

    done = ready.up()

    assert done.returncode == 1
    assert f"an endpoint {STACK} is there that no stack of this name made" in done.stderr


def test_no_way_to_aws_is_told_without_a_traceback(
    ready: Ready, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor are absent credentials a riddle."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)

    done = ready.up()

    assert done.returncode == 1
    assert "nothing was changed: AWS cannot be asked: Unable to locate credentials" in done.stderr


@pytest.mark.usefixtures("ready")
def test_removing_what_is_not_there_says_so() -> None:
    """It is what was wanted, so no failure; a stage that is not configured is one."""
    absent = deploy("down", "--stage", "staging", "--region", REGION)
    unknown = deploy("down", "--stage", "qa", "--region", REGION)

    assert (absent.returncode, unknown.returncode) == (0, 1)
    assert f"there is no stack {STACK} in {REGION}" in absent.stdout
    assert "'qa' is not configured" in unknown.stderr


@pytest.mark.parametrize(
    ("model", "named"),
    [("", "MODEL is not given"), ("absent.tar.gz", "absent.tar.gz: No such file")],
)
def test_a_template_needs_a_model(tmp_path: Path, model: str, named: str) -> None:
    """Nothing is written without one."""
    done = deploy("package", model, "--output", str(tmp_path / "template.json"))

    assert done.returncode == 1
    assert named in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_template_for_one_model_is_written_without_aws(archive: Path, tmp_path: Path) -> None:
    """What is deployed, with the schema of this model's requests."""
    done = deploy("package", str(archive), "--output", str(tmp_path / "out/template.json"))

    assert done.returncode == 0, done.stderr
    template = json.loads((tmp_path / "out/template.json").read_text())
    schema = template["Resources"]["RequestModel"]["Properties"]["Schema"]
    assert "Day Mins" in schema["definitions"]["Record"]["properties"]


def test_make_passes_everything_on(ready: Ready) -> None:
    """`make deploy` and `make undeploy`, with the environment this runs in in place of .venv."""
    # Relative, since make takes a blank in a path for the end of it.
    venv = os.path.relpath(sys.prefix, REPOSITORY)
    given = [f"VENV={venv}", "STAGE=staging", f"REGION={REGION}"]
    done = subprocess.run(
        ["make", "-o", f"{venv}/.deploy", "deploy", *given, "BUCKET=models", "GROUP=churn",
         f"LAMBDA_IMAGE={ready.function}", "DRY_RUN=1"],
        cwd=REPOSITORY, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert f"would create the stack {STACK}" in done.stdout
