"""`python -m cicd.approve`: a package's figures, and the decision."""

from __future__ import annotations

import json

import pytest

pytest.importorskip("yaml", reason="PyYAML is not installed: make mlops-test")

from .conftest import ACCOUNT, REGION, SERVICE, Command, Project

pytestmark = pytest.mark.mlops

ABSENT = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:model-package/churn/9"
FIGURES = {"accuracy": 0.95, "auc": 0.91, "precision": 0.9, "recall": 0.8, "f1": 0.85}


def waiting(project: Project, report: str | None = None) -> str:
    """Register a package that waits, with a report of its evaluation; return its name."""
    specification = project.aws.client("sagemaker").describe_model_package(
        ModelPackageName=project.package
    )["InferenceSpecification"]
    more = {}
    if report is not None:
        project.aws.client("s3").put_object(
            Bucket=project.bucket, Key="evaluation.json", Body=report.encode()
        )
        source = {"ContentType": "application/json",
                  "S3Uri": f"s3://{project.bucket}/evaluation.json"}  # fmt: skip
        more = {"ModelMetrics": {"ModelQuality": {"Statistics": source}}}
    made = project.aws.client("sagemaker").create_model_package(
        ModelPackageGroupName=SERVICE,
        ModelApprovalStatus="PendingManualApproval",
        InferenceSpecification=specification,
        **more,
    )
    return str(made["ModelPackageArn"])


def status(project: Project, arn: str) -> str:
    """Return a package's approval status."""
    told = project.aws.client("sagemaker").describe_model_package(ModelPackageName=arn)
    return str(told["ModelApprovalStatus"])


def test_the_newest_waiting_package_is_shown_with_its_figures_and_approved(
    project: Project, command: Command
) -> None:
    """A look changes nothing; the decision is the package's whose name the look gave."""
    metrics = {name: {"value": value} for name, value in FIGURES.items()}
    older = waiting(project)
    arn = waiting(project, json.dumps({"binary_classification_metrics": metrics}))
    given = ("--group", SERVICE, "--region", REGION)

    look = command("approve", *given, "--dry-run")

    assert (look.returncode, look.stdout) == (0, arn + "\n"), look.stderr
    assert "auc 0.910000" in look.stderr
    assert status(project, arn) == "PendingManualApproval"
    done = command("approve", "--package", look.stdout.strip(), "--region", REGION)
    assert (done.returncode, done.stdout) == (0, arn + "\n")
    assert (status(project, arn), status(project, older)) == ("Approved", "PendingManualApproval")
    again = command("approve", "--package", arn, "--region", REGION)
    assert again.returncode == 0
    assert "is Approved already" in again.stderr


@pytest.mark.parametrize("report", ["no JSON", "{}", '{"binary_classification_metrics": []}'])
def test_a_report_that_cannot_be_read_is_said_and_hides_nothing(
    project: Project, command: Command, report: str
) -> None:
    """The package is shown all the same: deciding is a person's."""
    arn = waiting(project, report)

    done = command("approve", "--group", SERVICE, "--region", REGION, "--dry-run")

    assert (done.returncode, done.stdout) == (0, arn + "\n")
    assert "cannot be read as the report of an evaluation" in done.stderr


def test_a_rejected_package_is_not_approved_in_passing(project: Project, command: Command) -> None:
    """That takes a call by hand, which the message gives."""
    arn = waiting(project)
    given = ("--package", arn, "--region", REGION)
    assert command("approve", *given, "--reject").returncode == 0
    assert status(project, arn) == "Rejected"

    done = command("approve", *given)

    assert done.returncode == 1
    assert "is Rejected, not PendingManualApproval" in done.stderr
    assert status(project, arn) == "Rejected"


@pytest.mark.parametrize(
    ("given", "named"),
    [
        (("--group", SERVICE), "no model package waits for approval (1 packages)"),
        (("--group", "absent"), "model package group 'absent' cannot be read"),
        (
            ("--package", f"arn:aws:sagemaker:{REGION}:{'1' * 12}:model-package/churn/9"),
            "cannot be read",
        ),
        ((), "expected one of them"),
        (("--group", "a", "--package", "b"), "expected one of them"),
    ],
)
def test_what_cannot_be_decided_is_told(
    project: Project, command: Command, given: tuple[str, ...], named: str
) -> None:
    """Exit status 1, and no package changes."""
    done = command("approve", *given, "--region", REGION)

    assert done.returncode == 1
    assert named in done.stderr
    assert done.stdout == ""
    assert status(project, project.package) == "Approved"
