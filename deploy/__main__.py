"""`python -m deploy up|down|package`, behind `make deploy`, `undeploy`, `package-template`."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from deploy import template as templates
from deploy.archive import manifest_of
from deploy.aws import Aws
from deploy.errors import DeployError
from deploy.parameters import complete
from deploy.preflight import Plan, Wish, plan
from deploy.schema import request_model
from deploy.stack import apply, remove
from deploy.stage import load_stage


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return 0, 1 where it could not be done, 2 for a command that is none."""
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
    except DeployError as error:
        print(f"deploy {options.command}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(
            "deploy: no longer waiting; CloudFormation goes on with what it began", file=sys.stderr
        )
        return 130
    return 0


def _up(options: argparse.Namespace) -> None:
    stage = load_stage(options.stage)
    if bool(options.group) == bool(options.package):
        raise DeployError(
            f"GROUP={options.group!r} and PACKAGE={options.package!r}; expected one of them: the "
            "model package group whose newest approved package is taken, or a package's ARN"
        )
    wish = Wish(
        stage=stage,
        region=_needed(options.region, "REGION", "eu-west-1"),
        service=options.service,
        bucket=_needed(options.bucket, "BUCKET", "the bucket for captured data"),
        group=options.group,
        package=options.package,
        canary=options.canary,
        shadow=options.shadow,
        function=options.lambda_image,
        settings=dict(map(_setting, options.set)),
    )
    aws = Aws(wish.region)
    planned = plan(wish, aws)
    if options.output:
        _write(planned, options.output)
    if options.dry_run:
        _show(planned)
        return
    for name, value in apply(planned, aws, minutes=options.minutes).items():
        print(f"{name}: {value}")


def _down(options: argparse.Namespace) -> None:
    stage = load_stage(options.stage)
    name = f"{options.service}-{stage.name}"
    region = _needed(options.region, "REGION", "eu-west-1")
    aws = Aws(region)
    if options.dry_run:
        print(f"would delete the stack {name} in {region}; nothing was changed")
    elif remove(name, aws, minutes=options.minutes):
        print(f"{name} is deleted; captured data stays in its bucket")
    else:
        print(f"there is no stack {name} in {region}; nothing was changed")


def _package(options: argparse.Namespace) -> None:
    manifest = manifest_of(Path(_needed(options.model, "MODEL", "model.tar.gz")))
    made = templates.filled(templates.load(), request_model(manifest.schema))
    _save(options.output, json.dumps(made, indent=1, ensure_ascii=False) + "\n")
    print(options.output)


def _write(planned: Plan, folder: Path) -> None:
    _save(folder / "template.json", planned.body + "\n")
    _save(folder / f"{planned.stage.name}.json", planned.stage.to_json(planned.parameters))


def _save(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise DeployError(f"{path} cannot be written: {error.strerror}") from None


def _show(planned: Plan) -> None:
    print(f"would {'update' if planned.exists else 'create'} the stack {planned.stack} with")
    for name, value in sorted(complete(templates.load(), planned.parameters).items()):
        print(f"  {name} = {value}")
    print(f"a template of {len(planned.body.encode())} bytes; nothing was changed")


def _needed(value: str, name: str, example: str) -> str:
    if not value:
        raise DeployError(f"{name} is not given; expected {name}=... ({example})")
    return value


def _setting(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise DeployError(f"SET has {text!r}; expected PARAMETER=VALUE, with blanks between pairs")
    return name, value


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m deploy", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    up = commands.add_parser("up", help="make or update a stage's stack")
    down = commands.add_parser("down", help="remove a stage's stack")
    for command in (up, down):
        command.add_argument("--stage", required=True)
        region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION", "")
        command.add_argument("--region", default=region)
        command.add_argument("--service", default="churn-daal", help="first part of every name")
        command.add_argument("--minutes", type=float, default=120, help="how long to wait")
        command.add_argument(
            "--dry-run", action="store_true", help="look at everything, make nothing"
        )
    for name, told in {
        "bucket": "for captured data",
        "group": "model package group; its newest approved package is taken",
        "package": "ARN of a model package",
        "canary": "ARN of a package that answers a share of the requests",
        "shadow": "ARN of a package that gets copies of the requests",
        "lambda-image": "ECR address of the function's image; without it there is no REST API",
    }.items():
        up.add_argument(f"--{name}", default="", help=told)
    up.add_argument("--set", nargs="*", default=[], metavar="PARAMETER=VALUE")
    up.add_argument("--output", type=Path, help="folder for template and configuration files")
    package = commands.add_parser("package", help="write the template for one model")
    package.add_argument("model", help="model.tar.gz, or the folder it was unpacked to")
    package.add_argument("--output", type=Path, default=Path("build/deploy/template.json"))
    up.set_defaults(run=_up)
    down.set_defaults(run=_down)
    package.set_defaults(run=_package)
    return parser


if __name__ == "__main__":
    sys.exit(main())
