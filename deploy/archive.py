"""The manifest of a model.tar.gz, on this machine or as it comes from S3."""

from __future__ import annotations

from pathlib import Path
from typing import IO

from churn_daal.artifact import Manifest, packed
from churn_daal.errors import UserError
from deploy.errors import DeployError


def manifest_of(path: Path) -> Manifest:
    """Read the manifest of an archive or of a model folder.

    Raises
    ------
    DeployError
        It is neither, is damaged, or holds a model that this toolkit did not train.
    """
    try:
        return packed.manifest_of(path)
    except UserError as error:
        raise DeployError(str(error)) from None


def read_manifest(file: IO[bytes], source: str) -> Manifest | None:
    """Read the manifest of an archive's bytes, called `source` in messages.

    Returns
    -------
    None of a model that was trained elsewhere, which the image serves too.

    Raises
    ------
    DeployError
        The archive is damaged, or its manifest is.
    """
    try:
        return packed.read_manifest(file, source)
    except packed.ManifestAbsentError:
        return None
    except UserError as error:
        raise DeployError(str(error)) from None
