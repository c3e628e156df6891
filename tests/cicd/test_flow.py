"""From a registered model to production: approve, configure, release, test, release.

The registry, CloudFormation and the endpoints' descriptions are moto's; the endpoint that answers
is the image with the model in it, behind what plays sagemaker-runtime.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("yaml", reason="PyYAML is not installed: make mlops-test")

from botocore.config import Config
from tests.container.drive import REPOSITORY
from tests.deploy.sagemaker_runtime import Fault, Runtime
from tests.pipelines.request_model import Definition

from churn_daal.data import churn_csv
from deploy import aws as clients
from pipelines import evaluate as pipelines_evaluate

from .conftest import REGION, SERVICE, STACKS_ROLE, Command, Project
from .template import actions
from .template import project as resources_of

pytestmark = [pytest.mark.mlops, pytest.mark.container]


@pytest.fixture
def staged(waiting: Project, tmp_path: Path) -> Path:
    """Approve and deploy it to staging; return the stages' files."""
    approved = waiting.run("approve", "--package", waiting.package, "--region", REGION)
    assert approved.returncode == 0, approved.stderr
    configured = waiting.configure(tmp_path / "stages")
    assert configured.returncode == 0, configured.stderr
    released = waiting.release(tmp_path / "stages/staging.json")
    assert released.returncode == 0, released.stderr
    return tmp_path / "stages"


def examine(project: Project, stages: Path, *more: str) -> Any:  # noqa: ANN401 - Done
    """Run `cicd.integration_test` on staging."""
    given = ("--configuration", str(stages / "staging.json"), "--region", REGION)
    return project.run("integration_test", *given, *more)


def test_what_waits_is_approved_tested_in_staging_and_served_in_production(
    waiting: Project, endpoint: Runtime, calls: set[str], tmp_path: Path
) -> None:
    """Each step by its command, as the build specs and the workflow call them."""
    stages = tmp_path / "stages"
    assert waiting.configure(stages).returncode == 1
    assert not stages.exists()
    look = waiting.run("approve", "--group", SERVICE, "--region", REGION, "--dry-run")
    arn = look.stdout.strip()
    assert waiting.run("approve", "--package", arn, "--region", REGION).returncode == 0
    assert waiting.configure(stages, "--tag", "team=shop").returncode == 0

    released = waiting.release(stages / "staging.json")
    calls.clear()
    done = examine(waiting, stages)
    asked = set(calls)
    last = waiting.release(stages / "production.json")

    assert released.returncode == 0, released.stderr
    assert "EndpointName: churn-staging" in released.stdout
    assert done.returncode == 0, done.stderr
    in_service, csv, json_, refused = done.stdout.splitlines()
    assert in_service == f"churn-staging is in service with {waiting.package}"
    for line, content_type in ((csv, "text/csv"), (json_, "application/json")):
        assert line.startswith(f"{content_type}: 25 rows answered as the package's booster does")
    assert refused == "a record without 'State' is refused with 400 and its name"
    assert asked <= actions(resources_of("connection"), "IntegrationTestRole")
    # Three requests, each in its type: the endpoint was asked, not the model.
    types = [seen["Content-Type"] for seen in endpoint.seen]
    assert types == ["text/csv", "application/json", "application/json"]
    assert last.returncode == 0, last.stderr
    stacks = waiting.aws.client("cloudformation")
    for stage in ("staging", "production"):
        [stack] = stacks.describe_stacks(StackName=f"churn-{stage}")["Stacks"]
        assert stack["RoleARN"] == STACKS_ROLE
        assert {tag["Key"]: tag["Value"] for tag in stack["Tags"]} == {
            "stage": stage, "team": "shop",
        }  # fmt: skip
        given = {each["ParameterKey"]: each["ParameterValue"] for each in stack["Parameters"]}
        assert given["ModelPackageArn"] == waiting.package


def test_another_model_than_the_package_s_is_found_out(
    waiting: Project, staged: Path, endpoint: Runtime, archive: Path
) -> None:
    """The package's archive is of another training: the diff names line, field and both values."""
    assert endpoint
    waiting.aws.client("s3").upload_file(str(archive), waiting.bucket, "models/model.tar.gz")

    done = examine(waiting, staged, "--count", "40")

    assert done.returncode == 1
    assert "is in service with" in done.stdout
    for content_type in ("text/csv", "application/json"):
        assert f"{content_type}: " in done.stderr
    first = next(line for line in done.stderr.splitlines() if line.startswith("  line "))
    assert first.split(", ")[0] == "  line 2"
    assert "expected 0." in first
    assert "answered 0." in first
    assert "  ... and " in done.stderr


EXAMPLE = "pipelines/definition.example.json"
# What the service answers, and what is told of it.
FAULTS = [
    (
        Fault(400, "ThrottlingException", "Rate exceeded"),
        "ThrottlingException after several tries (Rate exceeded); run the test again",
    ),
    (Fault(503, "ServiceUnavailable", "busy"), "ServiceUnavailable after several tries"),
    (
        Fault(424, "ModelError", "told", OriginalStatusCode=500, OriginalMessage="broken"),
        "text/csv: the model refuses with 500: broken",
    ),
    (Fault(403, "AccessDeniedException", "no right"), "AccessDeniedException: no right"),
    (Fault(413, "RequestTooLarge", "over 6 MB"), "RequestTooLarge: over 6 MB"),
]


def test_an_endpoint_that_refuses_fails_the_test_with_its_reason(
    waiting: Project, staged: Path, endpoint: Runtime
) -> None:
    """Passing faults are tried again, up to four times; then it is told which they were."""
    for fault, named in FAULTS:
        endpoint.faults.clear()
        endpoint.faults.extend([fault] * 4)

        done = examine(waiting, staged)

        assert done.returncode == 1
        assert named in done.stderr
        assert "Traceback" not in done.stderr


def test_an_endpoint_that_was_throttled_for_a_moment_passes(
    waiting: Project, staged: Path, endpoint: Runtime
) -> None:
    """Two throttled answers, then it goes on."""
    endpoint.faults.extend([Fault(400, "ThrottlingException", "Rate exceeded")] * 2)

    assert examine(waiting, staged).returncode == 0


def test_an_endpoint_that_does_not_answer_is_not_waited_for_for_ever(
    waiting: Project, staged: Path, endpoint: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With one try of a second instead of four of twenty."""
    quick = Config(connect_timeout=1, read_timeout=1, retries={"total_max_attempts": 1})
    monkeypatch.setattr(clients, "_CONFIG", quick)
    endpoint.holds = True

    done = examine(waiting, staged)

    assert done.returncode == 1
    assert "endpoint churn-staging, text/csv: no answer in time" in done.stderr


def test_another_package_than_configured_is_found_out(
    waiting: Project, staged: Path, endpoint: Runtime
) -> None:
    """A stage that was not deployed after it was configured again."""
    newer = waiting.register("Approved")
    assert waiting.configure(staged).returncode == 0

    done = examine(waiting, staged)

    assert done.returncode == 1
    assert f"serves {waiting.package}; expected {newer}" in done.stderr
    assert list(endpoint.seen) == []


def test_what_cannot_be_tested_is_told(
    waiting: Project, staged: Path, endpoint: Runtime, tmp_path: Path
) -> None:
    """Configuration and rows, each with what was expected of it; the endpoint is not asked."""
    parameters = json.loads((staged / "staging.json").read_text())["Parameters"]
    configurations = {
        json.dumps({"Parameters": parameters | {"ServiceName": "other"}}):
            "endpoint other-staging cannot be found in eu-west-1",
        json.dumps({"Parameters": {"StageName": "staging"}}):
            "is no stage configuration (KeyError('ServiceName')",
        "{": "is no stage configuration",
        json.dumps({"Parameters": parameters | {"EndpointMode": "async"}}):
            "an asynchronous endpoint is not invoked with an answer at once",
    }  # fmt: skip
    columns = _columns(waiting)
    header, wrong = ",".join(columns), ",".join("x" for _ in columns)
    rows = {
        "": "is empty; expected a CSV with a header",
        header + "\n": "has a header and no rows",
        "A,B\n1,2\n": "has no column 'State', which the model reads",
        f"{header}\n{wrong}\n": "the known rows do not fit the model",
        f"{header}\n1\n": "line 2: 1 cells; the header has",
    }
    told = []
    for text, named in configurations.items():
        (tmp_path / "staging.json").write_text(text)
        told.append((examine(waiting, tmp_path), named))
    for text, named in rows.items():
        (tmp_path / "rows.csv").write_text(text)
        told.append((examine(waiting, staged, "--rows", str(tmp_path / "rows.csv")), named))
    told.append((examine(waiting, tmp_path / "absent"), "cannot be read (No such file"))
    told.append((examine(waiting, staged, "--rows", "absent"), "the known rows absent cannot be"))
    waiting.aws.client("s3").put_object(
        Bucket=waiting.bucket, Key="models/model.tar.gz", Body=b"no archive"
    )
    told.append((examine(waiting, staged), "cannot be loaded"))

    for done, named in told:
        assert (done.returncode, named in done.stderr) == (1, True), done.stderr
        assert "Traceback" not in done.stderr
    assert list(endpoint.seen) == []


def _columns(project: Project) -> tuple[str, ...]:
    from deploy.archive import manifest_of  # noqa: PLC0415

    return manifest_of(project.archive).schema.names


def test_a_release_needs_the_files_that_were_configured(waiting: Project, staged: Path) -> None:
    """The stage's own file, a missing template and a stack in no state to change are refused."""
    own = staged / "own"
    shutil.copytree(Path(clients.__file__).with_name("stages"), own)

    without = waiting.release(own / "staging.json")
    (staged / "template.json").unlink()
    no_template = waiting.release(staged / "staging.json")
    no_stage = waiting.release(staged / "qa.json")

    assert "has no ServiceName or no ModelPackageArn" in without.stderr
    assert "template.json cannot be read" in no_template.stderr
    assert "stage 'qa' is not configured" in no_stage.stderr
    assert {without.returncode, no_template.returncode, no_stage.returncode} == {1}


def test_what_the_pipeline_registers_is_what_is_deployed(
    waiting: Project, command: Command, tmp_path: Path
) -> None:
    """The request of its RegisterModel step, with an image of ECR and a model on S3 put in.

    The SDK's local mode leaves that step out, so that it is made here against the registry.
    """
    definition = Definition(json.loads((REPOSITORY / EXAMPLE).read_text()))
    _, request = definition.request("RegisterChurnModel")
    group = request["ModelPackageGroupName"]
    [container] = request["InferenceSpecification"]["Containers"]
    container |= {
        "Image": waiting.image,
        "ModelDataUrl": f"s3://{waiting.bucket}/models/model.tar.gz",
    }
    request["ModelMetrics"]["ModelQuality"]["Statistics"]["S3Uri"] = f"s3://{waiting.bucket}/e.json"
    evaluated = pipelines_evaluate.evaluate(
        waiting.archive, churn_csv(), tmp_path / "evaluation", label="Churn?"
    )
    report = tmp_path / "evaluation/evaluation.json"
    waiting.aws.client("s3").upload_file(str(report), waiting.bucket, "e.json")
    sagemaker = waiting.aws.client("sagemaker")
    sagemaker.create_model_package_group(ModelPackageGroupName=group)
    arn = sagemaker.create_model_package(**request)["ModelPackageArn"]

    approved = command("approve", "--group", group, "--region", REGION)
    configured = waiting.configure(tmp_path / "stages", group=group)

    accuracy = evaluated["binary_classification_metrics"]["accuracy"]["value"]
    assert (approved.returncode, approved.stdout) == (0, arn + "\n")
    assert f"accuracy {accuracy:.6f}" in approved.stderr
    assert configured.returncode == 0, configured.stderr
    document = json.loads((tmp_path / "stages/staging.json").read_text())
    assert document["Parameters"]["ModelPackageArn"] == arn
