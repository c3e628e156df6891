"""`python -m cicd.approve`: shows a model package's figures, and approves or rejects it.

The package's name goes to the standard output and its figures to the error output, so that a
workflow can keep the one and people read the other.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from typing import Any, Final

from botocore.exceptions import ClientError
from deploy.aws import Aws
from deploy.errors import DeployError

from cicd import session

PROGRAM: Final = "cicd.approve"
PENDING: Final = "PendingManualApproval"
_FIGURES: Final = ("accuracy", "auc", "precision", "recall", "f1")


def newest_pending(sagemaker: Any, group: str) -> str:  # noqa: ANN401 - boto3's clients have no types
    """Return the name of a group's newest package that waits for approval.

    Raises
    ------
    DeployError
        There is no such group, or nothing in it waits.
    """
    pages = sagemaker.get_paginator("list_model_packages")
    try:
        sagemaker.describe_model_package_group(ModelPackageGroupName=group)
        found = [
            package
            for page in pages.paginate(
                ModelPackageGroupName=group, SortBy="CreationTime", SortOrder="Descending"
            )
            for package in page["ModelPackageSummaryList"]
        ]
    except ClientError as error:
        raise DeployError(
            f"model package group {group!r} cannot be read: {error.response['Error']['Message']}"
        ) from None
    for package in found:
        if package.get("ModelApprovalStatus") == PENDING:
            return str(package["ModelPackageArn"])
    raise DeployError(
        f"in group {group!r} no model package waits for approval ({len(found)} packages); run the "
        "pipeline, or name a package: --package ARN"
    )


def decide(aws: Aws, arn: str, status: str, note: str) -> None:
    """Approve or reject a package; one that is so already stays as it is.

    Raises
    ------
    DeployError
        It was decided otherwise before.
    """
    sagemaker = aws("sagemaker")
    now = _described(sagemaker, arn).get("ModelApprovalStatus")
    if now == status:
        print(f"{arn} is {status} already", file=sys.stderr)
        return
    if now != PENDING and status == "Approved":
        raise DeployError(
            f"{arn} is {now or 'without an approval status'}, not {PENDING}; what was rejected is "
            "not approved here. Change it by hand if it was a mistake: aws sagemaker "
            f"update-model-package --model-approval-status {status} --model-package-arn {arn}"
        )
    sagemaker.update_model_package(
        ModelPackageArn=arn, ModelApprovalStatus=status, ApprovalDescription=note
    )
    print(f"{arn} is {status}", file=sys.stderr)


def figures(aws: Aws, arn: str) -> Iterator[str]:
    """Yield lines with what evaluation found of a package; one that says so where nothing is told.

    Raises
    ------
    DeployError
        There is no such package.
    """
    metrics = _described(aws("sagemaker"), arn).get("ModelMetrics") or {}
    uri = ((metrics.get("ModelQuality") or {}).get("Statistics") or {}).get("S3Uri")
    if not uri:
        yield "the package has no figures: it was registered without model metrics"
        return
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    try:
        document = json.loads(aws("s3").get_object(Bucket=bucket, Key=key)["Body"].read())
        told = document["binary_classification_metrics"]
        for name in _FIGURES:
            yield f"{name} {float(told[name]['value']):.6f}"
    except (ClientError, ValueError, KeyError, TypeError) as error:
        yield f"{uri} cannot be read as the report of an evaluation: {error}"


def _described(sagemaker: Any, arn: str) -> dict[str, Any]:  # noqa: ANN401 - as above
    try:
        told: dict[str, Any] = sagemaker.describe_model_package(ModelPackageName=arn)
    except ClientError as error:
        raise DeployError(
            f"model package {arn} cannot be read: {error.response['Error']['Message']}"
        ) from None
    return told


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status."""
    options = _parser().parse_args(arguments)

    def action() -> None:
        if bool(options.group) == bool(options.package):
            raise DeployError(
                f"--group is {options.group!r} and --package {options.package!r}; expected one of "
                "them: the group whose newest waiting package is meant, or a package's ARN"
            )
        aws = session.connect(options.region)
        arn = options.package or newest_pending(aws("sagemaker"), options.group)
        for line in figures(aws, arn):
            print(line, file=sys.stderr)
        if not options.dry_run:
            decide(aws, arn, "Rejected" if options.reject else "Approved", options.note)
        print(arn)

    return session.run(PROGRAM, action)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(f"python -m {PROGRAM}", description=__doc__)
    session.add_region(parser)
    parser.add_argument("--group", default="", help="its newest waiting package is meant")
    parser.add_argument("--package", default="", help="ARN")
    parser.add_argument("--reject", action="store_true", help="reject instead of approve")
    parser.add_argument("--note", default="decided by cicd.approve", help="kept with the decision")
    parser.add_argument("--dry-run", action="store_true", help="show the package, change nothing")
    return parser


if __name__ == "__main__":
    sys.exit(main())
