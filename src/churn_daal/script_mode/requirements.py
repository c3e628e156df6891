"""Installs what the user's code asks for, from its own wheels where it brings them."""

from __future__ import annotations

import logging
import shlex
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sagemaker_training import _entry_point_type as entry_point
from sagemaker_training import environment, errors, modules

from churn_daal.contract.paths import SageMakerPaths
from churn_daal.errors import UserError
from churn_daal.script_mode.source import CODE_CHANNEL
from churn_daal.wheelhouse import REQUIREMENTS, first_wheelhouse, pip_options, refusal

log = logging.getLogger(__name__)


def install_requirements(paths: SageMakerPaths, folder: Path, program: str) -> None:
    """Install `requirements.txt`, and the code itself where it is a package (has a `setup.py`).

    With a folder `wheelhouse` in the code or in the channel `code`, pip takes packages from
    there and makes no connection.

    Raises
    ------
    UserError
        pip failed; the message has its errors and the remedy.
    """
    kind = entry_point.get(str(folder), program)
    package = kind is entry_point.PYTHON_PACKAGE
    listed = kind is entry_point.PYTHON_PROGRAM and (folder / REQUIREMENTS).is_file()
    if not (package or listed):
        return
    wheels = first_wheelhouse(folder, paths.channel(CODE_CHANNEL))
    with tempfile.TemporaryDirectory() as scratch:
        record = Path(scratch) / "pip.log"
        # In pip's environment, since the toolkit starts it without any option of its own.
        environment.write_env_vars(
            {
                f"PIP_{name.upper().replace('-', '_')}": value
                for name, value in pip_options(record, wheels).items()
            }
        )
        what = "the code as a package" if package else REQUIREMENTS
        log.info("installing %s from %s", what, wheels or "the package index")
        try:
            with _without_blanks(Path(scratch)):
                (modules.install if package else modules.install_requirements)(str(folder))
        except errors.ClientError as error:
            raise UserError(refusal(what, record, wheels)) from error
        finally:
            # The record goes with its folder, and the script's own pip is the script's.
            environment.write_env_vars({"PIP_LOG": "/dev/null", "PIP_QUIET": "0"})


@contextmanager
def _without_blanks(scratch: Path) -> Iterator[None]:
    """Let the toolkit call this interpreter: it splits the command at blanks, path and all."""
    interpreter = sys.executable
    if not any(map(str.isspace, interpreter)):
        yield
        return
    called = scratch / "python"
    called.write_text(f'#!/bin/sh\nexec {shlex.quote(interpreter)} "$@"\n', encoding="utf-8")
    called.chmod(0o700)
    sys.executable = str(called)
    try:
        yield
    finally:
        sys.executable = interpreter
