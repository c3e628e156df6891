"""Where the user's code comes from, and how it gets into `/opt/ml/code`."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path

from sagemaker_training import _entry_point_type as entry_point
from sagemaker_training import files

from churn_daal.contract.paths import SageMakerPaths
from churn_daal.errors import UserError
from churn_daal.settings import BASE_DIR

log = logging.getLogger(__name__)
SUBMIT_DIRECTORY = "sagemaker_submit_directory"
CODE_CHANNEL = "code"
# What the SDK calls the archive that it puts into a `code` channel.
ARCHIVE = "sourcedir.tar.gz"
_S3 = "s3://"


def fetch_code(paths: SageMakerPaths, reserved: Mapping[str, object]) -> Path:
    """Lay the user's code in `code` under the prefix, as the toolkit does; return that folder.

    The source is `sagemaker_submit_directory` (an `s3://` address, a folder, an archive or one
    file), else the channel `code`, else what the image brings in that folder. A folder that is
    not empty is left as it is: that is the toolkit's rule, for images that bring their code.

    Raises
    ------
    UserError
        There is no code, or it cannot be fetched or unpacked.
    """
    folder = paths.base / "code"
    source = _source(paths, reserved)
    there = folder.is_dir() and any(folder.iterdir())
    if source is None:
        if there:
            return folder
        raise UserError(
            f"there is no code to run: give {SUBMIT_DIRECTORY} (an s3:// address, a folder or a "
            f"tar.gz), add a channel {CODE_CHANNEL!r}, or build an image with the code in {folder}"
        )
    if there and Path(source) != folder:
        log.warning(
            "%s is not empty: what it holds runs, not %s. Empty it to run the other",
            *(folder, source),
        )
        return folder
    try:
        files.download_and_extract(source, str(folder))
    except Exception as error:
        # Of boto3, tarfile and shutil: whatever it is, the code is not there.
        raise UserError(_unfetched(source, error)) from error
    return folder


def check_program(program: str, folder: Path) -> None:
    """Refuse a program that the code does not hold.

    Raises
    ------
    UserError
        Naming what the folder holds instead.
    """
    # In a package the name is a module's, which Python looks up.
    if entry_point.get(str(folder), program) is entry_point.PYTHON_PACKAGE:
        return
    if (folder / program).is_file():
        return
    held = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    near = get_close_matches(program, held, n=1)
    hint = f"did you mean {near[0]!r}? It" if near else "it"
    more = ", ..." if len(held) > 8 else ""
    raise UserError(
        f"sagemaker_program is {program!r}, which the code does not hold; {hint} holds: "
        f"{', '.join(held[:8]) or 'nothing'}{more}. Name a file relative to the code's top folder"
    )


def _source(paths: SageMakerPaths, reserved: Mapping[str, object]) -> str | None:
    given = str(reserved.get(SUBMIT_DIRECTORY) or "")
    if given.startswith(_S3):
        return given
    if given:
        path = Path(given)
        # A real job's settings also work in a folder that stands in for /opt/ml.
        if path.is_relative_to(BASE_DIR):
            path = paths.base / path.relative_to(BASE_DIR)
        if not path.exists():
            raise UserError(
                f"{SUBMIT_DIRECTORY} is {given!r}, but there is no {path}; expected an s3:// "
                "address, or a folder or tar.gz in the container"
            )
        return str(path)
    channel = paths.channel(CODE_CHANNEL)
    if not channel.is_dir():
        return None
    archive = channel / ARCHIVE
    return str(archive if archive.is_file() else channel)


def _unfetched(source: str, error: Exception) -> str:
    remedy = (
        "the job's role needs s3:GetObject there and the job a way to S3; a job without "
        f"network takes its code from a channel {CODE_CHANNEL!r}"
        if source.startswith(_S3)
        else "expected a folder, a gzipped tar archive or one file that can be read"
    )
    return f"the code at {source} cannot be fetched ({type(error).__name__}: {error}); {remedy}"
