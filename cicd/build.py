"""`python -m cicd.build`: what CloudFormation is given for each stage, of the approved model.

Writes the template, filled in for the model, and `STAGE.json` for each stage: a template
configuration as CodePipeline's CloudFormation action reads it. Both stages get the same package,
by its name, so that what was tested in one is what is served in the other.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from deploy.aws import Aws
from deploy.errors import DeployError, NotReadyError
from deploy.preflight import Plan, Wish, plan
from deploy.registry import latest_approved
from deploy.stage import FOLDER, load_stage

from cicd import session

PROGRAM: Final = "cicd.build"
TEMPLATE: Final = "template.json"
STAGES: Final = ("staging", "production")


@dataclass(frozen=True)
class Request:
    """What is to be configured.

    Attributes
    ----------
    group
        Model package group.
    service, bucket
        First part of every name; where captured data goes.
    stages, folder
        Stages in the order in which they are deployed, and where their files are.
    function
        Address of the Lambda's image, "" for no REST API.
    tags
        Put over those of the stages' files; those of the SageMaker project, for one.
    """

    group: str
    service: str
    bucket: str
    stages: Sequence[str] = STAGES
    folder: Path = FOLDER
    function: str = ""
    tags: Mapping[str, str] | None = None


def configure(request: Request, aws: Aws) -> dict[str, str]:
    """Return the files by name, `template.json` and `STAGE.json`; nothing is written.

    Raises
    ------
    NotReadyError
        Naming everything, of all stages, that is not as it has to be.
    DeployError
        A stage's file is missing or wrong, or no package is approved.
    """
    stages = [load_stage(name, request.folder) for name in request.stages]
    try:
        package = latest_approved(aws("sagemaker"), request.group)
    except DeployError as error:
        raise DeployError(f"{error} (in region {aws.region})") from None
    plans: list[Plan] = []
    problems: dict[str, None] = {}
    for stage in stages:
        wish = Wish(
            stage=replace(stage, tags={**stage.tags, **(request.tags or {})}),
            region=aws.region,
            service=request.service,
            bucket=request.bucket,
            package=package,
            function=request.function,
        )
        try:
            plans.append(plan(wish, aws))
        except NotReadyError as error:
            # What is wrong with the package is wrong in each stage, and told once.
            problems |= dict.fromkeys(error.problems)
    if problems:
        raise NotReadyError(list(problems))
    files = {f"{each.stage.name}.json": each.stage.to_json(each.parameters) for each in plans}
    return {TEMPLATE: plans[0].body + "\n", **files}


def write(files: Mapping[str, str], folder: Path) -> list[Path]:
    """Write files, all of them or none; return their paths.

    Raises
    ------
    DeployError
        The folder cannot be written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # Beside where they will be, so that each is moved there whole.
        with tempfile.TemporaryDirectory(dir=folder, prefix=".partial-") as partial:
            for name, text in files.items():
                (Path(partial) / name).write_text(text, encoding="utf-8")
            for name in files:
                os.replace(Path(partial) / name, folder / name)  # noqa: PTH105 - says what it does
    except OSError as error:
        raise DeployError(f"{folder} cannot be written to: {error.strerror}") from None
    return [folder / name for name in files]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status."""
    options = _parser().parse_args(arguments)

    def action() -> None:
        for name in ("group", "bucket"):
            if not getattr(options, name):
                raise DeployError(f"--{name} is not given or empty; expected its name")
        request = Request(
            group=options.group,
            service=options.service,
            bucket=options.bucket,
            stages=options.stages,
            folder=options.stages_folder,
            function=options.lambda_image,
            tags=dict(map(_tag, options.tag)),
        )
        files = configure(request, session.connect(options.region))
        for path in write(files, options.output):
            print(path)

    return session.run(PROGRAM, action)


def _tag(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise DeployError(f"--tag has {text!r}; expected KEY=VALUE")
    return name, value


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(f"python -m {PROGRAM}", description=__doc__)
    session.add_region(parser)
    parser.add_argument("--group", required=True, help="model package group")
    parser.add_argument("--bucket", required=True, help="for captured data")
    parser.add_argument("--service", default="churn-daal", help="first part of every name")
    parser.add_argument("--stages", nargs="+", default=STAGES, metavar="STAGE")
    parser.add_argument("--stages-folder", type=Path, default=FOLDER)
    parser.add_argument("--lambda-image", default="", help="without it there is no REST API")
    parser.add_argument("--tag", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--output", type=Path, default=Path("build/deploy"))
    return parser


if __name__ == "__main__":
    sys.exit(main())
