"""A booster's file that is read again long after its model was loaded, if ever."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from churn_daal.artifact import foreign
from churn_daal.artifact.manifest import Manifest
from churn_daal.errors import ArtifactError

if TYPE_CHECKING:
    import xgboost

_SHOWN = 16


@dataclass(frozen=True)
class Source:
    """A file, and the SHA-256 of what it held when the model was loaded."""

    path: Path
    sha256: str

    @classmethod
    def of(cls, path: Path, manifest: Manifest) -> Source:
        """Return a file as the manifest has it, or as it is where that has no digests.

        One that is gone is let pass: it was converted before, and may never be asked for.

        Raises
        ------
        ArtifactError
            It cannot be read.
        """
        known = manifest.files.get(path.name)
        return cls(path, known or (digest(path) if path.exists() else "gone"))

    def read(self) -> xgboost.Booster:
        """Read the booster; see `foreign.read_foreign`.

        Raises
        ------
        ArtifactError
            As `check`.
        """
        self.check()
        return foreign.read_foreign(self.path)

    def check(self) -> None:
        """Make sure that the file is the one it was.

        Raises
        ------
        ArtifactError
            It has gone or was replaced: what it holds now is another model.
        """
        came = digest(self.path)
        if came != self.sha256:
            raise ArtifactError(
                f"{self.path} was replaced after the model was loaded: its SHA-256 is "
                f"{came[:_SHOWN]}..., it was {self.sha256[:_SHOWN]}...; put the old file back, or "
                "load the model again (restart the server)"
            )


def digest(path: Path) -> str:
    """Return a file's SHA-256.

    Raises
    ------
    ArtifactError
        It cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ArtifactError(
            f"{path} cannot be read: {error.strerror}; copy the model again"
        ) from error
