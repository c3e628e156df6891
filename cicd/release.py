"""`python -m cicd.release`: deploys a stage from the files of `cicd.build`, as CodePipeline would.

For a workflow that has no CodePipeline: the same template, parameters, tags and stack policy, and
CloudFormation's own role, so that the workflow's role needs no rights to what the stack holds.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from deploy.checks import stack_state
from deploy.errors import DeployError, NotReadyError
from deploy.preflight import Plan
from deploy.stack import apply
from deploy.stage import load_stage

from cicd import session
from cicd.build import TEMPLATE

PROGRAM: Final = "cicd.release"


def read_plan(configuration: Path, *, bucket: str, role: str) -> Plan:
    """Read what `cicd.build` wrote of a stage; whether its stack is there is not known yet.

    Raises
    ------
    DeployError
        A file is missing or was not written by it.
    """
    stage = load_stage(configuration.stem, configuration.parent)
    service = stage.parameters.get("ServiceName")
    if not service or "ModelPackageArn" not in stage.parameters:
        raise DeployError(
            f"{configuration} has no ServiceName or no ModelPackageArn; expected a configuration "
            "that make stage-configs wrote, not the stage's own file"
        )
    template = configuration.with_name(TEMPLATE)
    try:
        body = template.read_text(encoding="utf-8")
    except OSError as error:
        raise DeployError(
            f"{template} cannot be read ({error.strerror}); make stage-configs writes it"
        ) from None
    name = f"{service}-{stage.name}"
    return Plan(name, exists=False, body=body.rstrip("\n"), parameters=stage.parameters,
                bucket=bucket, stage=stage, role=role)  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status."""
    options = _parser().parse_args(arguments)

    def action() -> None:
        planned = read_plan(options.configuration, bucket=options.bucket, role=options.role)
        aws = session.connect(options.region)
        exists, problem = stack_state(aws, planned.stack)
        if problem:
            raise NotReadyError([problem])
        made = apply(replace(planned, exists=exists), aws, minutes=options.minutes)
        for name, value in made.items():
            print(f"{name}: {value}")

    return session.run(PROGRAM, action)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(f"python -m {PROGRAM}", description=__doc__)
    session.add_region(parser)
    parser.add_argument(
        "--configuration", type=Path, required=True, help="STAGE.json of cicd.build"
    )
    parser.add_argument("--bucket", default="", help="for a template over CloudFormation's limit")
    parser.add_argument("--role", default="", help="ARN of the role CloudFormation works with")
    parser.add_argument("--minutes", type=float, default=120, help="how long to wait")
    return parser


if __name__ == "__main__":
    sys.exit(main())
