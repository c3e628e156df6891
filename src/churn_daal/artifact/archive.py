"""An earlier model as users hand it over: `model.tar.gz`, its folder, or the booster alone.

An archive comes from outside. Nothing of it is unpacked to disk and nothing in it is run: known
names are read from it into memory, in bounded amounts, and a pickle is refused.
"""

from __future__ import annotations

import hashlib
import logging
import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from churn_daal.artifact.folder import MANIFEST, XGBOOST_MODEL
from churn_daal.artifact.forms import START_BYTES, fault_of, is_pickle
from churn_daal.artifact.manifest import Manifest
from churn_daal.errors import ArtifactError, UserError

log = logging.getLogger(__name__)

MEBIBYTE = 2**20
MAX_MODEL_BYTES = 4096 * MEBIBYTE
MAX_MANIFEST_BYTES = 256 * MEBIBYTE
# All that an archive unpacks to, what is passed over included: a few kilobytes can hold more.
MAX_ARCHIVE_BYTES = 2 * MAX_MODEL_BYTES
MAX_MEMBERS = 10_000
_ARCHIVES = (".tar.gz", ".tgz", ".tar")
_BOOSTERS = (".ubj", ".json")
_REMEDY = "Save it with booster.save_model('model.ubj') and put that file in the channel"


@dataclass(frozen=True)
class Earlier:
    """A model that training goes on from.

    Attributes
    ----------
    booster
        What XGBoost loads, in UBJ or JSON; not yet checked by it.
    manifest
        What this toolkit knew of the model; None for a model it did not make.
    source
        The file it came from.
    """

    booster: bytes
    manifest: Manifest | None
    source: Path


def open_earlier(folder: Path) -> Earlier:
    """Read the one model in a channel's folder, at any depth.

    Raises
    ------
    UserError
        There is no model or more than one; an archive is damaged, too large, or has a link for
        a model; the model is a pickle or of a form XGBoost no longer reads; the manifest
        belongs to another model or cannot be read.
    """
    source = _only(folder, list(_candidates(folder)))
    if source.name.endswith(_ARCHIVES):
        contents = _unpacked(source)
    else:
        contents = {XGBOOST_MODEL: _read(source, MAX_MODEL_BYTES)}
        manifest = source.with_name(XGBOOST_MODEL).parent / MANIFEST
        if source.name == XGBOOST_MODEL and manifest.is_file():
            contents[MANIFEST] = _read(manifest, MAX_MANIFEST_BYTES)
    booster = contents.get(XGBOOST_MODEL)
    if booster is None:
        raise UserError(
            f"{source} holds no {XGBOOST_MODEL} at its top; expected the model.tar.gz of a "
            f"training job. {_REMEDY}."
        )
    fault = fault_of(source, booster[:START_BYTES])
    if fault is not None:
        raise UserError(fault)
    return Earlier(booster, _manifest(source, contents.get(MANIFEST), booster), source)


def _candidates(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        if any(part.startswith(".") for part in inside.parts) or not path.is_file():
            continue
        if inside.parent.name == PurePosixPath(MANIFEST).parent.name:
            continue  # what lies beside an unpacked model
        if path.name == XGBOOST_MODEL or path.name.endswith((*_ARCHIVES, *_BOOSTERS)):
            yield path
        elif is_pickle(path.name, b""):
            raise UserError(fault_of(path, b""))


def _only(folder: Path, found: list[Path]) -> Path:
    if len(found) == 1:
        return found[0]
    came = ", ".join(str(path.relative_to(folder)) for path in found[:5]) or "none"
    held = ", ".join(sorted(path.name for path in folder.glob("*"))[:5]) or "nothing"
    raise UserError(
        f"the channel's folder {folder} has {len(found)} models ({came}; it holds: {held}); "
        "expected one: a model.tar.gz, an unpacked one, or a file such as model.ubj. "
        "Point the channel at that file alone."
    )


def _unpacked(source: Path) -> dict[str, bytes]:
    """Return the known files of an archive."""
    contents: dict[str, bytes] = {}
    total = 0
    try:
        with tarfile.open(source, "r:*") as archive:
            for count, member in enumerate(archive, 1):
                total += member.size
                if count > MAX_MEMBERS or total > MAX_ARCHIVE_BYTES:
                    raise _too_large(source, f"{MAX_MEMBERS} files or {MAX_ARCHIVE_BYTES} bytes")
                name = str(PurePosixPath(member.name))
                if name not in {XGBOOST_MODEL, MANIFEST}:
                    continue
                tarfile.data_filter(member, str(source.parent))
                file = archive.extractfile(member) if member.isreg() else None
                if file is None:
                    raise UserError(
                        f"{source}: {name} is a link or a folder; expected a file. Pack the "
                        "model again with the file itself."
                    )
                if name in contents:
                    raise UserError(f"{source}: {name} is there twice; pack the model again.")
                limit = MAX_MODEL_BYTES if name == XGBOOST_MODEL else MAX_MANIFEST_BYTES
                if member.size > limit:
                    raise _too_large(f"{source}: {name}", f"{limit} bytes")
                contents[name] = file.read()
    except (tarfile.TarError, EOFError, zlib.error, OSError) as error:
        raise UserError(
            f"{source} cannot be unpacked ({error}); expected the model.tar.gz of a training "
            "job. Copy it again."
        ) from None
    return contents


def _read(path: Path, limit: int) -> bytes:
    if path.stat().st_size > limit:
        raise _too_large(path, f"{limit} bytes")
    return path.read_bytes()


def _too_large(what: object, limit: str) -> UserError:
    return UserError(f"{what} is over the limit of {limit} for a model. {_REMEDY}.")


def _manifest(source: Path, data: bytes | None, booster: bytes) -> Manifest | None:
    if data is None:
        log.info("%s has no manifest: the columns are taken as the train channel has them", source)
        return None
    try:
        manifest = Manifest.from_json(data)
    except ArtifactError as error:
        raise UserError(f"{source}: {error}") from None
    if manifest.files.get(XGBOOST_MODEL) != hashlib.sha256(booster).hexdigest():
        raise UserError(
            f"{source}: {XGBOOST_MODEL} is not the file its manifest was written for; copy the "
            "model again, or hand over the booster alone."
        )
    return manifest
