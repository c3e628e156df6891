"""`run-pipeline`: creates the pipeline or updates it, starts it and waits for its end.

The options are those of AWS's MLOps project template, whose build project calls it.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from typing import Any, Final

import boto3
from botocore.exceptions import ClientError

from pipelines import driver
from pipelines.driver import CommandError

PROGRAM: Final = "run-pipeline"
_PAUSE_SECONDS: Final = 30
_ENDED: Final = {"Succeeded", "Failed", "Stopped"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code, which tells how the execution ended."""
    parser = driver.common_parser(PROGRAM, "Create or update a pipeline, and run it.")
    parser.add_argument(
        *("-role-arn", "--role-arn"), required=True, help="the pipeline's role, which starts jobs"
    )
    parser.add_argument("-description", "--description", default=None)
    parser.add_argument(
        *("-tags", "--tags"), default=None, help='JSON list: [{"Key": "...", "Value": "..."}]'
    )
    parser.add_argument(
        "--parameters", default=None, help="JSON object: parameters of this execution"
    )
    parser.add_argument(
        "--no-wait", action="store_true", help="return when the execution has started"
    )
    args = parser.parse_args(arguments)

    def command() -> int:
        kwargs = driver.parse_json("--kwargs", args.kwargs, dict)
        tags = driver.parse_json("--tags", args.tags, list)
        parameters = driver.parse_json("--parameters", args.parameters, dict)
        _check_tags(tags)
        pipeline = driver.pipeline_of(driver.load(args.module_name), kwargs)
        _check_parameters(pipeline, parameters)
        region = kwargs.get("region")
        tags += _project_tags(region, kwargs, tags)
        pipeline.upsert(role_arn=args.role_arn, description=args.description, tags=tags or None)
        print(f"{pipeline.name} is created or updated")
        execution = pipeline.start(parameters=parameters or None)
        print(f"started {execution.arn}", flush=True)
        return 0 if args.no_wait else _wait(boto3.client("sagemaker", region), execution.arn)

    return driver.run(PROGRAM, command)


def _check_tags(tags: Sequence[Any]) -> None:
    for tag in tags:
        if not isinstance(tag, dict) or set(tag) != {"Key", "Value"}:
            raise CommandError(
                f"--tags has {tag!r}; expected objects with Key and Value: "
                '[{"Key": "team", "Value": "churn"}]'
            )


def _check_parameters(pipeline: Any, parameters: dict[str, Any]) -> None:  # noqa: ANN401 - SDK's
    known = [parameter.name for parameter in pipeline.parameters]
    unknown = sorted(set(parameters) - set(known))
    if unknown:
        raise CommandError(
            f"--parameters: the pipeline has no {unknown[0]!r}; it has: {', '.join(known)}"
        )


def _project_tags(region: str | None, kwargs: dict[str, Any], own: list[Any]) -> list[Any]:
    """Return the tags of the SageMaker project, which link the pipeline to it.

    Raises
    ------
    CommandError
        The project is named, and not to be found.
    """
    arn, name = kwargs.get("sagemaker_project_arn"), kwargs.get("sagemaker_project_name")
    if not (arn or name):
        return []
    client = boto3.client("sagemaker", region)
    try:
        if arn is None:
            arn = client.describe_project(ProjectName=name)["ProjectArn"]
        tags = client.list_tags(ResourceArn=arn)["Tags"]
    except ClientError as error:
        raise CommandError(
            f"the tags of the project {arn or name} cannot be read: {error}"
        ) from error
    given = {tag["Key"] for tag in own}
    return [tag for tag in tags if tag["Key"] not in given and not tag["Key"].startswith("aws:")]


def _wait(client: Any, arn: str) -> int:  # noqa: ANN401 - boto3's
    while True:
        found = client.describe_pipeline_execution(PipelineExecutionArn=arn)
        status = found["PipelineExecutionStatus"]
        if status in _ENDED:
            break
        time.sleep(_PAUSE_SECONDS)
    print(f"{status}: {arn}")
    if status == "Succeeded":
        return 0
    reasons = [found.get("FailureReason", "")]
    for page in client.get_paginator("list_pipeline_execution_steps").paginate(
        PipelineExecutionArn=arn
    ):
        reasons += [
            f"{step['StepName']}: {step['FailureReason']}"
            for step in page["PipelineExecutionSteps"]
            if step.get("FailureReason")
        ]
    raise CommandError(f"the execution ended as {status}. {' '.join(filter(None, reasons))}")


if __name__ == "__main__":
    sys.exit(main())
