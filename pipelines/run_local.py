"""Runs the pipeline on this machine, its jobs in containers: the SDK's local mode.

The rows and the results lie in S3 all the same. Nothing is registered: there is no registry here.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from pipelines import driver
from pipelines.driver import CommandError

PROGRAM: Final = "python -m pipelines.run_local"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code, which tells how the execution ended."""
    parser = argparse.ArgumentParser(PROGRAM, description=__doc__)
    parser.add_argument("--image", default="churn-daal:latest", help="of `make build`")
    parser.add_argument("--kwargs", required=True, help="JSON object: arguments of get_pipeline")
    parser.add_argument("--parameters", default=None, help="JSON object: of this execution")
    parser.add_argument("--container-root", type=Path, required=True, help="a folder to work in")
    parser.add_argument("--report", type=Path, default=None, help="write what came of it there")
    parser.add_argument("--serving-port", type=int, default=8080, help="of batch scoring")
    args = parser.parse_args(arguments)

    def command() -> int:
        kwargs = driver.parse_json("--kwargs", args.kwargs, dict)
        parameters = driver.parse_json("--parameters", args.parameters, dict)
        module = driver.load("pipelines.pipeline")
        args.container_root.mkdir(parents=True, exist_ok=True)
        session = _session(kwargs, args.container_root, args.serving_port)
        kwargs |= {"sagemaker_session": session, "image_uri": args.image, "use_spot": False}
        pipeline = driver.pipeline_of(module, kwargs)
        session.create_pipeline(pipeline, "local")
        execution = session.start_pipeline_execution(
            PipelineName=pipeline.name, PipelineParameters=parameters
        )
        found = execution.describe()
        steps = execution.list_steps()["PipelineExecutionSteps"]
        report = json.dumps({"execution": found, "steps": steps}, indent=2, default=str)
        if args.report is None:
            print(report)
        else:
            args.report.write_text(report + "\n", encoding="utf-8")
        if found["PipelineExecutionStatus"] != "Succeeded":
            raise CommandError(f"the execution failed. {found.get('FailureReason', '')}")
        return 0

    return driver.run(PROGRAM, command)


def _session(kwargs: dict[str, Any], root: Path, port: int) -> Any:  # noqa: ANN401 - the SDK's
    import boto3  # noqa: PLC0415 - what is missing is told by the driver
    from sagemaker.core.workflow import pipeline_context  # noqa: PLC0415
    from sagemaker.mlops.local.local_pipeline_session import LocalPipelineSession  # noqa: PLC0415

    # The SDK (sagemaker-mlops 1.27) has two classes of the name: one makes steps of calls, the
    # other runs pipelines, and a local run needs both.
    class Session(LocalPipelineSession, pipeline_context.LocalPipelineSession):  # type: ignore[misc]
        """A session that makes steps and runs them here."""

    session = Session(
        boto_session=boto3.Session(region_name=kwargs.get("region")),
        default_bucket=kwargs.get("default_bucket"),
    )
    # Set afterwards: what is in the SDK's own files would win otherwise.
    session.config = {"local": {"container_root": str(root.resolve()), "serving_port": port}}
    return session


if __name__ == "__main__":
    sys.exit(main())
