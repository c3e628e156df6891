"""Installs what inference code asks for: once for all workers, from its wheels, nothing else."""

from __future__ import annotations

import errno
import json
import logging
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from importlib.metadata import distributions
from pathlib import Path
from typing import Any, Final

from churn_daal.errors import UserError
from churn_daal.wheelhouse import REQUIREMENTS, first_wheelhouse, pip_options, refusal

log = logging.getLogger(__name__)
# What the system says where a disk, a quota or a limit of a file's size is used up.
FULL: Final = tuple(map(os.strerror, (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)))
# Where the server's own packages are: this is before any model's code adds its folders.
_OWN: Final = tuple(sys.path)


def install_packages(folder: Path, place: Path | None = None) -> Path | None:
    """Install `requirements.txt` of a code folder into a new folder, and return that.

    What the image has already is not installed again. The rest comes from the folder's
    `wheelhouse`; no connection is made.

    Parameters
    ----------
    folder
        The code's, which may be read only.
    place
        Where the new folder is made; the folder for temporary files by default.

    Returns
    -------
    The new folder, the caller's to remove; None where nothing had to be installed.

    Raises
    ------
    UserError
        A package is not there, or is one the image runs on, in another version. No folder is left.
    """
    requirements = folder / REQUIREMENTS
    if not requirements.is_file():
        return None
    target = _temporary(place)
    try:
        installed = _install(requirements, target)
    except BaseException:
        shutil.rmtree(target, ignore_errors=True)
        raise
    if not installed:
        shutil.rmtree(target)
        return None
    return target


def _install(requirements: Path, target: Path) -> bool:
    """Fill a folder; tell whether there was anything to install."""
    wheels = first_wheelhouse(requirements.parent)
    record = target / "pip.log"
    report = target / "report.json"
    # To a folder pip would install everything anew, numpy too: so it is first asked what lacks.
    wanted = ["--dry-run", "--report", str(report), "--requirement", str(requirements)]
    _pip(wanted, record, wheels, str(requirements))
    missing = [_chosen(entry) for entry in json.loads(report.read_bytes())["install"]]
    report.unlink()
    if not missing:
        return False
    for name, wheel_version, _ in missing:
        _refuse_replacement(name, wheel_version, requirements)
    log.info("installing %s", ", ".join(f"{name} {number}" for name, number, _ in missing))
    urls = [url for _, _, url in missing]
    _pip(["--no-deps", "--target", str(target), *urls], record, wheels, str(requirements))
    record.unlink(missing_ok=True)
    return True


def _temporary(place: Path | None) -> Path:
    try:
        return Path(tempfile.mkdtemp(prefix="churn-daal-packages-", dir=place))
    except OSError as error:
        raise UserError(
            f"{REQUIREMENTS} of the inference code cannot be installed: there is no folder for it "
            f"({error}). Give the container one (docker run --tmpfs /tmp), or lay the packages "
            "unpacked in code/lib: pip install -r requirements.txt --target code/lib"
        ) from error


def _pip(arguments: Sequence[str], record: Path, wheels: Path | None, what: str) -> None:
    options = dict(pip_options(record, wheels)) | {"no-index": "1"}
    flags = [
        f"--{name}" if value == "1" else f"--{name}={value}" for name, value in options.items()
    ]
    # -P: nor are packages of the folder this happens to run in.
    command = [sys.executable, "-P", "-m", "pip", "--isolated", "install", "--no-cache-dir", *flags]
    done = subprocess.run(  # noqa: S603 - pip, on the user's own list
        [*command, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        check=False,
    )
    sys.stderr.write(done.stderr)
    if not done.returncode:
        return
    # Its log cannot tell: it lies on the same disk.
    full = next((text for text in FULL if text in done.stderr), None)
    if full is None:
        raise UserError(refusal(what, record, wheels))
    raise UserError(
        f"{what} cannot be installed: {full}, in {record.parent}; give the container's folder for "
        "temporary files more room (docker run --tmpfs /tmp:size=1g)"
    )


def _chosen(entry: dict[str, Any]) -> tuple[str, str, str]:
    about = entry["metadata"]
    return about["name"], about["version"], entry["download_info"]["url"]


def _refuse_replacement(name: str, wanted: str, requirements: Path) -> None:
    # Not the whole path: packages of other models are no part of the server.
    held = next((own.version for own in distributions(name=name, path=list(_OWN))), None)
    if held is None:
        return
    raise UserError(
        f"{requirements} asks for {name} {wanted}, and the server itself runs on {name} {held}, "
        f"which is loaded before your code; allow {held}, or leave {name} out"
    )
