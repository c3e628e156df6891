"""A model as a job gets it: model.tar.gz, a folder that holds one, or it unpacked."""

from __future__ import annotations

import tarfile
import zlib
from pathlib import Path
from typing import Final

from churn_daal.artifact import Model, load
from churn_daal.artifact.archive import MAX_ARCHIVE_BYTES, MAX_MEMBERS
from churn_daal.errors import UserError

_ENDINGS: Final = (".tar.gz", ".tgz", ".tar")


def open_package(path: Path, scratch: Path, *, threads: int | None = None) -> Model:
    """Load a model, unpacked first where it is an archive.

    Parameters
    ----------
    path
        `model.tar.gz`, a folder with that file at its top, or a model folder.
    scratch
        An empty folder to unpack in.
    threads
        See `artifact.load`.

    Raises
    ------
    UserError
        There is no model, or the archive is damaged, too large, or reaches out of its folder.
    ArtifactError
        The model fails its audit.
    """
    if not path.exists():
        raise UserError(f"there is no model {path}; give the model.tar.gz of a training job")
    archive = path if path.is_file() else _archive_in(path)
    if archive is None:
        return load(path, threads=threads)
    unpack(archive, scratch)
    return load(scratch, threads=threads)


def unpack(archive: Path, folder: Path) -> None:
    """Unpack an archive from outside: bounded, nothing beyond the folder, no special files.

    Raises
    ------
    UserError
        It is damaged, too large, or has a member that is refused.
    """
    total = 0
    try:
        with tarfile.open(archive, "r:*") as tar:
            for count, member in enumerate(tar, 1):
                total += member.size
                if count > MAX_MEMBERS or total > MAX_ARCHIVE_BYTES:
                    raise UserError(
                        f"{archive} unpacks to more than {MAX_MEMBERS} files or "
                        f"{MAX_ARCHIVE_BYTES} bytes; it is no archive of a training job"
                    )
                tar.extract(member, folder, filter="data")
    except (tarfile.TarError, EOFError, zlib.error) as error:
        reason = " ".join(str(error).split())
        raise UserError(
            f"{archive} cannot be unpacked ({reason:.200}); expected an archive that a training "
            "job wrote. Copy it again"
        ) from None


def _archive_in(folder: Path) -> Path | None:
    if (folder / "daal").exists():
        return None
    found = sorted(path for path in folder.iterdir() if path.name.endswith(_ENDINGS))
    named = [path for path in found if path.name == "model.tar.gz"]
    if named:
        return named[0]
    if len(found) > 1:
        listed = ", ".join(path.name for path in found[:5])
        raise UserError(f"{folder} has {len(found)} archives ({listed}); name the model's own")
    return found[0] if found else None
