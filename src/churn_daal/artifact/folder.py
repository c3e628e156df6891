"""The model folder on disk: written atomically, audited before anything is built from it.

Nothing but `xgboost-model` stands at the top, since AWS's XGBoost image takes every top-level
file of a model for a model (docs/artifact.md).
"""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

from churn_daal.artifact.manifest import Manifest
from churn_daal.errors import ArtifactError, UserError

XGBOOST_MODEL: Final = "xgboost-model"
MANIFEST: Final = "daal/manifest.json"
ONEDAL: Final = "daal/onedal.bin"


def save(model_dir: Path, manifest: Manifest, *, xgboost: bytes, onedal: bytes | None) -> Manifest:
    """Write a model; a reader finds it whole or finds no manifest.

    Parameters
    ----------
    model_dir
        `/opt/ml/model` in a container. A model that is already there is replaced.
    manifest
        Its `files` are filled in here.
    xgboost
        The booster in UBJ.
    onedal
        The oneDAL model's bytes; None where XGBoost answers.

    Returns
    -------
    The manifest as written.

    Raises
    ------
    UserError
        The disk is full or the folder cannot be written to; nothing of the model is left there.
    """
    contents = {XGBOOST_MODEL: xgboost}
    if onedal is not None:
        contents[ONEDAL] = onedal
    manifest = replace(manifest, files={name: _sha256(data) for name, data in contents.items()})
    written = manifest.to_json()
    (model_dir / "daal").mkdir(parents=True, exist_ok=True)
    # Last written, first removed: what has no manifest is no model.
    (model_dir / MANIFEST).unlink(missing_ok=True)
    (model_dir / ONEDAL).unlink(missing_ok=True)
    try:
        for name, data in (*contents.items(), (MANIFEST, written)):
            _write(model_dir, name, data)
    except OSError as error:
        _remove(model_dir)
        size = sum(map(len, (*contents.values(), written)))
        raise UserError(
            f"the model of {size / 1e6:.1f} MB cannot be written to {model_dir}: "
            f"{error.strerror}; give the job a larger volume, or train fewer or shallower trees"
        ) from error
    return manifest


def check_writable(model_dir: Path) -> None:
    """Find out before hours of training whether the model can be saved after them.

    Raises
    ------
    UserError
        The folder, or the one it would be made in, cannot be written to.
    """
    there = next(folder for folder in (model_dir, *model_dir.parents) if folder.exists())
    if not os.access(there, os.W_OK | os.X_OK):
        raise UserError(
            f"the model folder {model_dir} cannot be written to by user {os.getuid()}, who has "
            f"no right to {there}; change its owner or mode, or run the container as root, as "
            "SageMaker does"
        )


def audit(model_dir: Path) -> Manifest:
    """Check a model folder without building anything from it.

    Raises
    ------
    ArtifactError
        No folder, no manifest, a wrong format version, a file that is missing, truncated or
        changed. An absent oneDAL file is let pass: it can be made again from the booster.
    """
    if not model_dir.is_dir():
        raise ArtifactError(
            f"there is no model folder {model_dir}; mount or unpack model.tar.gz there"
        )
    path = model_dir / MANIFEST
    if not path.is_file():
        held = ", ".join(sorted(entry.name for entry in model_dir.iterdir())[:10]) or "nothing"
        raise ArtifactError(
            f"{model_dir} has no {MANIFEST} (it holds: {held}); the training job did not finish, "
            "or the model was not trained by this image"
        )
    manifest = Manifest.from_json(path.read_bytes())
    if XGBOOST_MODEL not in manifest.files:
        raise ArtifactError(
            f"daal/manifest.json: files does not list {XGBOOST_MODEL}; copy the model again"
        )
    for name, expected in manifest.files.items():
        audit_file(model_dir, name, expected)
    return manifest


def audit_file(model_dir: Path, name: str, expected: str) -> None:
    """Check one file of a model folder against the SHA-256 that its manifest has.

    Raises
    ------
    ArtifactError
        It is none of this format's, missing, damaged or replaced. An absent oneDAL file passes.
    """
    if name not in {XGBOOST_MODEL, ONEDAL}:
        raise ArtifactError(
            f"daal/manifest.json: files lists {name!r}, which is no file of this format"
        )
    path = model_dir / name
    if not path.is_file():
        if name == ONEDAL:
            return
        raise ArtifactError(f"{path} is missing, but the manifest lists it; copy the model again")
    with path.open("rb") as file:
        # Piece by piece: a server's threads would each keep the room for a whole file.
        came = hashlib.file_digest(file, "sha256").hexdigest()
        size = file.tell()
    if came != expected:
        raise ArtifactError(
            f"{path} ({size} bytes) is damaged or was replaced: its SHA-256 is "
            f"{came[:16]}..., the manifest says {expected[:16]}...; copy the model again"
        )


def _write(model_dir: Path, name: str, data: bytes) -> None:
    partial = _partial(model_dir, name)
    with partial.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(model_dir / name)


def _partial(model_dir: Path, name: str) -> Path:
    # Beside the manifest, so that even a killed job leaves no stray file at the top.
    return model_dir / "daal" / f".{Path(name).name}.partial"


def _remove(model_dir: Path) -> None:
    """Leave nothing of a model that could not be written whole."""
    for name in (MANIFEST, ONEDAL, XGBOOST_MODEL):
        for path in (_partial(model_dir, name), model_dir / name):
            with suppress(OSError):
                path.unlink(missing_ok=True)
    with suppress(OSError):  # what else is in it is not ours
        (model_dir / "daal").rmdir()


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
