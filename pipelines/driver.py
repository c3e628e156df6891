"""What the pipeline commands share: a module is imported by name and asked for its pipeline."""

from __future__ import annotations

import argparse
import inspect
import json
import logging
import sys
import warnings
from collections.abc import Callable, Mapping
from importlib import import_module
from types import ModuleType
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, NoRegionError


class CommandError(Exception):
    """What a command ends with, in words for its user."""


def common_parser(program: str, description: str) -> argparse.ArgumentParser:
    """Return a parser with the options that both commands of AWS's template have."""
    parser = argparse.ArgumentParser(program, description=description)
    parser.add_argument(
        *("-n", "--module-name"),
        required=True,
        help="the module with get_pipeline, such as pipelines.pipeline",
    )
    parser.add_argument(
        *("-kwargs", "--kwargs"), default=None, help="JSON object: arguments of get_pipeline"
    )
    return parser


def parse_json(option: str, text: str | None, kind: type) -> Any:  # noqa: ANN401 - JSON
    """Read an option that holds JSON; an empty value of the kind where it was not given.

    Raises
    ------
    CommandError
        It is no JSON, or of another kind.
    """
    if not text:
        return kind()
    expected = "an object" if kind is dict else "a list"
    try:
        value = json.loads(text)
    except ValueError as error:
        raise CommandError(
            f"{option} {text!r:.200} is not JSON ({error}); expected {expected}, its names and "
            "texts in double quotes"
        ) from None
    if not isinstance(value, kind):
        raise CommandError(f"{option} {text!r:.200} is JSON, but not {expected}")
    return value


def load(module_name: str) -> ModuleType:
    """Import a pipeline's module.

    Raises
    ------
    CommandError
        There is none of that name, or it has no get_pipeline.
    """
    try:
        module = import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name and error.name.partition(".")[0] == "sagemaker":
            raise CommandError(
                "AWS's SDK is not installed; install what pipelines need: "
                "pip install 'churn_daal[pipelines]'"
            ) from None
        raise CommandError(
            f"--module-name {module_name}: {error}; expected a module that can be imported from "
            "the current folder, such as pipelines.pipeline"
        ) from None
    if not callable(getattr(module, "get_pipeline", None)):
        raise CommandError(f"--module-name {module_name}: the module has no function get_pipeline")
    return module


def pipeline_of(module: ModuleType, arguments: Mapping[str, Any]) -> Any:  # noqa: ANN401 - SDK's
    """Return the module's pipeline.

    Raises
    ------
    CommandError
        An argument is unknown, missing or wrong.
    """
    known = inspect.signature(module.get_pipeline).parameters
    unknown = sorted(set(arguments) - set(known))
    if unknown:
        raise CommandError(
            f"--kwargs: get_pipeline of {module.__name__} takes no {unknown[0]!r}; it takes: "
            f"{', '.join(known)}"
        )
    needed = [name for name, each in known.items() if each.default is inspect.Parameter.empty]
    missing = [name for name in needed if name not in arguments]
    if missing:
        raise CommandError(
            f"--kwargs lacks {missing[0]!r}; expected such as "
            '{"region": "eu-west-1", "role": "arn:aws:iam::123456789012:role/..."}'
        )
    try:
        return module.get_pipeline(**arguments)
    except (TypeError, ValueError) as error:
        raise CommandError(f"--kwargs: {error}") from error


def run(program: str, command: Callable[[], int]) -> int:
    """Run a command; return its exit code, a fault told in a line."""
    # The SDK tells at length what it does, and warns that calls make steps and start nothing.
    logging.disable(logging.WARNING)
    warnings.filterwarnings("ignore", category=UserWarning, module="sagemaker")
    try:
        return command()
    except CommandError as error:
        message = str(error)
    except NoCredentialsError:
        message = (
            "no AWS credentials were found; set AWS_PROFILE, or AWS_ACCESS_KEY_ID and "
            "AWS_SECRET_ACCESS_KEY, or run where a role is given"
        )
    except NoRegionError:
        message = "no AWS region is set; set AWS_DEFAULT_REGION"
    except ClientError as error:
        message = f"AWS refused the call: {error}; check the account, the region and its rights"
    except BotoCoreError as error:
        message = f"AWS could not be asked: {error}"
    print(f"{program}: {' '.join(message.split())}", file=sys.stderr)
    return 1
