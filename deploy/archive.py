"""The manifest of a model.tar.gz, wherever the archive lies; nothing of it is unpacked to disk."""

from __future__ import annotations

import tarfile
import zlib
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from churn_daal.artifact import Manifest
from churn_daal.errors import ArtifactError
from deploy.errors import DeployError

MANIFEST = "daal/manifest.json"
MAX_MANIFEST_BYTES = 64 * 2**20


def manifest_of(path: Path) -> Manifest:
    """Read the manifest of an archive or of a model folder.

    Raises
    ------
    DeployError
        It is neither, is damaged, or holds a model that this toolkit did not train.
    """
    if path.is_dir():
        file = path / MANIFEST
        if not file.is_file():
            raise DeployError(_absent(str(path)))
        return _parsed(str(path), file.read_bytes())
    try:
        with path.open("rb") as opened:
            return read_manifest(opened, str(path))
    except OSError as error:
        raise DeployError(
            f"{path}: {error.strerror}; expected the model.tar.gz of a training job, or the folder "
            "it was unpacked to"
        ) from None


def read_manifest(file: BinaryIO, source: str) -> Manifest:
    """Read the manifest of an archive's bytes.

    Parameters
    ----------
    file
        Read once, front to back.
    source
        What messages call it.

    Raises
    ------
    DeployError
        As `manifest_of`.
    """
    try:
        with tarfile.open(fileobj=file, mode="r|*") as archive:
            for member in archive:
                if str(PurePosixPath(member.name)) != MANIFEST:
                    continue
                if not member.isreg() or member.size > MAX_MANIFEST_BYTES:
                    raise DeployError(
                        f"{source}: {MANIFEST} is a link, a folder or over {MAX_MANIFEST_BYTES} "
                        "bytes; expected the archive as training wrote it"
                    )
                content = archive.extractfile(member)
                return _parsed(source, content.read() if content else b"")
    except (tarfile.TarError, EOFError, zlib.error) as error:
        raise DeployError(
            f"{source} is no archive that can be read ({error}); expected the model.tar.gz of a "
            "training job. Copy it again."
        ) from None
    raise DeployError(_absent(source))


def _parsed(source: str, data: bytes) -> Manifest:
    try:
        return Manifest.from_json(data)
    except ArtifactError as error:
        raise DeployError(f"{source}: {error}") from None


def _absent(source: str) -> str:
    return (
        f"{source} holds no {MANIFEST}, so its columns are not known; expected a model that this "
        "toolkit trained, or saved with churn_daal.save"
    )
