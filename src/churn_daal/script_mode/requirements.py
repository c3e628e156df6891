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

log = logging.getLogger(__name__)
WHEELHOUSE = "wheelhouse"
REQUIREMENTS = "requirements.txt"
_LISTED = 12


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
    wheels = _wheelhouse(paths, folder)
    with tempfile.TemporaryDirectory() as scratch:
        record = Path(scratch) / "pip.log"
        # Settings of pip, which the toolkit starts without any of its own.
        settings = {
            "PIP_LOG": str(record),
            "PIP_QUIET": "1",
            "PIP_NO_INPUT": "1",
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "PIP_ROOT_USER_ACTION": "ignore",
        }
        if wheels is not None:
            # As an address: pip splits the list at blanks, which a path may hold.
            settings |= {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": wheels.resolve().as_uri()}
        environment.write_env_vars(settings)
        what = "the code as a package" if package else REQUIREMENTS
        log.info("installing %s from %s", what, wheels or "the package index")
        try:
            with _without_blanks(Path(scratch)):
                (modules.install if package else modules.install_requirements)(str(folder))
        except errors.ClientError as error:
            raise UserError(_refusal(what, record, wheels)) from error
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


def _wheelhouse(paths: SageMakerPaths, folder: Path) -> Path | None:
    places = (folder / WHEELHOUSE, paths.channel(CODE_CHANNEL) / WHEELHOUSE)
    return next((place for place in places if place.is_dir()), None)


def _refusal(what: str, record: Path, wheels: Path | None) -> str:
    text = record.read_text(encoding="utf-8", errors="replace") if record.is_file() else ""
    told = [line.partition("ERROR: ")[2].strip() for line in text.splitlines() if "ERROR: " in line]
    # The last is the short one; the one before it lists every version pip met.
    why = told[-1] if told else "pip's lines in the log say why"
    if wheels is None:
        remedy = (
            f"A job without network takes packages from a folder {WHEELHOUSE!r} beside "
            f"{REQUIREMENTS}: pip download -r {REQUIREMENTS} -d {WHEELHOUSE}"
        )
    else:
        held = sorted(path.name for path in wheels.iterdir())
        more = ", ..." if len(held) > _LISTED else ""
        remedy = (
            f"pip looked in {wheels} alone, which holds: "
            f"{', '.join(held[:_LISTED]) or 'nothing'}{more}. Add what is missing, with what it "
            f"needs itself: pip download -r {REQUIREMENTS} -d {WHEELHOUSE}"
        )
    return f"{what} cannot be installed: {why}. {remedy}"
