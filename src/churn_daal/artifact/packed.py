"""The manifest of a model where it lies, unpacked or not; nothing is written to disk."""

from __future__ import annotations

import tarfile
import zlib
from pathlib import Path, PurePosixPath
from typing import IO

from churn_daal.artifact.folder import MANIFEST
from churn_daal.artifact.manifest import Manifest
from churn_daal.errors import ArtifactError, UserError

MAX_MANIFEST_BYTES = 256 * 2**20


class ManifestAbsentError(UserError):
    """The model is whole as far as is known, but not one of this toolkit's."""


def manifest_of(path: Path) -> Manifest:
    """Read the manifest of a model.tar.gz, or of the folder it was unpacked to.

    Raises
    ------
    UserError
        It is neither, is damaged, or holds a model that this toolkit did not train.
    """
    try:
        if path.is_dir():
            file = path / MANIFEST
            if not file.is_file():
                raise ManifestAbsentError(_absent(str(path)))
            return _parsed(str(path), file.read_bytes())
        with path.open("rb") as opened:
            return read_manifest(opened, str(path))
    except OSError as error:
        raise UserError(
            f"{path}: {error.strerror or error}; expected the model.tar.gz of a training job, or "
            "the folder it was unpacked to"
        ) from None


def read_manifest(file: IO[bytes], source: str) -> Manifest:
    """Read the manifest of an archive's bytes.

    Parameters
    ----------
    file
        Read once, front to back, as far as the manifest.
    source
        What messages call it.

    Raises
    ------
    UserError
        As `manifest_of`.
    """
    try:
        with tarfile.open(fileobj=file, mode="r|*") as archive:
            for member in archive:
                if str(PurePosixPath(member.name)) != MANIFEST:
                    continue
                if not member.isreg() or member.size > MAX_MANIFEST_BYTES:
                    raise UserError(
                        f"{source}: {MANIFEST} is a link, a folder or over {MAX_MANIFEST_BYTES} "
                        "bytes; expected the archive as training wrote it"
                    )
                content = archive.extractfile(member)
                return _parsed(source, content.read() if content else b"")
    except (tarfile.TarError, EOFError, zlib.error) as error:
        raise UserError(
            f"{source} is no archive that can be read ({error}); expected the model.tar.gz of a "
            "training job. Copy it again."
        ) from None
    raise ManifestAbsentError(_absent(source))


def _parsed(source: str, data: bytes) -> Manifest:
    try:
        return Manifest.from_json(data)
    except ArtifactError as error:
        raise UserError(f"{source}: {error}") from None


def _absent(source: str) -> str:
    return (
        f"{source} holds no {MANIFEST}, so its columns are not known; expected a model that this "
        "toolkit trained, or saved with churn_daal.save"
    )
