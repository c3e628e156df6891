"""What has to be made before a model can be built: done once, for however many workers.

Converting takes seconds, and brings XGBoost, scikit-learn and threads that do not outlive a fork.
So a server has it done in a process of its own, and hands its workers the oneDAL bytes.
"""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from churn_daal import engine
from churn_daal.artifact import folder, foreign
from churn_daal.artifact.folder import ONEDAL, XGBOOST_MODEL
from churn_daal.artifact.manifest import EngineChoice, Manifest
from churn_daal.artifact.source import Source, digest
from churn_daal.errors import ArtifactError, ChurnDaalError, UserError

log = logging.getLogger(__name__)
_CHILD: Final = "from churn_daal.artifact.prepared import main; main()"
_LENGTH_BYTES: Final = 8


@dataclass(frozen=True)
class Member:
    """A booster, and the oneDAL bytes made of it; None where XGBoost answers."""

    booster: Path
    onedal: bytes | None


@dataclass(frozen=True)
class Prepared:
    """A model ready to be built.

    Attributes
    ----------
    manifest
        The folder's own, or what was found out about a model from elsewhere.
    members
        What was converted; several answer together. None where the folder has all it takes.
    """

    manifest: Manifest
    members: tuple[Member, ...] = ()


def audit(model_dir: Path, *, ensemble: bool = True) -> Manifest:
    """Check a model folder without building anything from it.

    Of a model from elsewhere the boosters are read, which loads XGBoost; which engine answers for
    it shows when it is converted.

    Raises
    ------
    ArtifactError
        As `folder.audit`, or there is no booster from elsewhere that can be read.
    UserError
        The objective is unknown to this release.
    """
    if not foreign.is_foreign(model_dir):
        return folder.audit(model_dir)
    paths = foreign.boosters_in(model_dir, ensemble=ensemble)
    manifests = [foreign.describe(foreign.read_foreign(path)) for path in paths]
    foreign.check_alike(manifests, paths)
    return manifests[0]


def prepare(model_dir: Path, *, ensemble: bool = True) -> Prepared:
    """Audit a model folder, and convert what has no usable oneDAL bytes.

    Parameters
    ----------
    model_dir
        `/opt/ml/model` in a container: of this toolkit, or with boosters from elsewhere.
    ensemble
        Whether several boosters from elsewhere answer together.

    Raises
    ------
    ArtifactError
        The folder fails its audit, or holds no booster that can be read.
    UserError
        The objective is unknown to this release.
    """
    if foreign.is_foreign(model_dir):
        return _prepare_foreign(foreign.boosters_in(model_dir, ensemble=ensemble))
    manifest = folder.audit(model_dir)
    if manifest.engine.name == "xgboost":
        return Prepared(manifest)
    why = _unusable(model_dir / ONEDAL)
    if why is None:
        return Prepared(manifest)
    log.warning("converting the booster again: %s Train again to spare this at each start.", why)
    path = model_dir / XGBOOST_MODEL
    built = engine.rebuild(engine.read_booster(path))
    return Prepared(manifest, (Member(path, built.onedal),))


def prepare_apart(model_dir: Path, *, ensemble: bool = True) -> Prepared:
    """Do the same in a process of its own where there is something to convert.

    Raises
    ------
    ArtifactError, UserError
        As `prepare`; also where XGBoost ends that process, as some damaged files make it.
    """
    if not foreign.is_foreign(model_dir):
        manifest = folder.audit(model_dir)
        if _is_current(model_dir, manifest):
            return Prepared(manifest)
    done = subprocess.run(  # noqa: S603 - this package, by the interpreter that runs it
        [sys.executable, "-c", _CHILD, str(model_dir), "ensemble" if ensemble else "first"],
        stdout=subprocess.PIPE,
        check=False,
    )
    if not done.stdout:
        raise ArtifactError(
            f"the model in {model_dir} ended the process that converts it (exit code "
            f"{done.returncode}): the file is damaged, or memory ran out; copy the model again"
        )
    return unpack(done.stdout)


def main() -> None:
    """Prepare the folder that the arguments name; write what is made to stdout."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s", stream=sys.stderr)
    try:
        packed = pack(prepare(Path(sys.argv[1]), ensemble=sys.argv[2] == "ensemble"))
    except ChurnDaalError as error:
        packed = _framed({"fault": str(error), "user": isinstance(error, UserError)})
    sys.stdout.buffer.write(packed)


def pack(prepared: Prepared) -> bytes:
    """Return what `unpack` reads, in this process or another: JSON, and the oneDAL bytes."""
    head = {
        "manifest": prepared.manifest.to_json().decode(),
        "members": [
            {"booster": str(m.booster), "size": None if m.onedal is None else len(m.onedal)}
            for m in prepared.members
        ],
    }
    return _framed(head) + b"".join(m.onedal or b"" for m in prepared.members)


def unpack(data: bytes) -> Prepared:
    """Return what was packed.

    Raises
    ------
    ArtifactError, UserError
        What was packed is the fault that the other process met.
    """
    end = _LENGTH_BYTES + int.from_bytes(data[:_LENGTH_BYTES], "little")
    head = json.loads(data[_LENGTH_BYTES:end])
    if "fault" in head:
        raise (UserError if head["user"] else ArtifactError)(head["fault"])
    members = []
    for entry in head["members"]:
        size = entry["size"]
        members.append(
            Member(Path(entry["booster"]), None if size is None else data[end : end + size])
        )
        end += size or 0
    return Prepared(Manifest.from_json(head["manifest"].encode()), tuple(members))


def check_unchanged(model_dir: Path, prepared: Prepared) -> None:
    """Make sure that a folder is still the one that was prepared.

    A booster from elsewhere that is gone is let pass: it was converted.

    Raises
    ------
    ArtifactError
        A file is missing, or another one than the manifest says.
    """
    ours = not foreign.is_foreign(model_dir)
    for name, expected in prepared.manifest.files.items():
        if ours:
            folder.audit_file(model_dir, name, expected)
        elif (model_dir / name).exists():
            Source(model_dir / name, expected).check()


def _prepare_foreign(paths: tuple[Path, ...]) -> Prepared:
    manifests, members, reasons = [], [], []
    # Before they are read: one that is replaced meanwhile is found out.
    files = {path.name: digest(path) for path in paths}
    for path in paths:
        booster = foreign.read_foreign(path)
        manifests.append(foreign.describe(booster))
        foreign.check_alike(manifests, paths[: len(manifests)])
        built = engine.rebuild(booster)
        members.append(Member(path, built.onedal))
        reasons.append(built.reason)
    reason = next(filter(None, reasons), None)
    choice = EngineChoice("onedal" if reason is None else "xgboost", reason)
    return Prepared(replace(manifests[0], engine=choice, files=files), tuple(members))


def _unusable(path: Path) -> str | None:
    if not path.is_file():
        return f"there is no {ONEDAL}"
    return engine.outdated(path.read_bytes())


def _is_current(model_dir: Path, manifest: Manifest) -> bool:
    """Tell whether nothing has to be converted, without loading oneDAL to ask for its version."""
    if manifest.engine.name == "xgboost":
        return True
    package = "scikit-learn-intelex"
    return (model_dir / ONEDAL).is_file() and manifest.versions.get(package) == (
        engine.package_version(package)
    )


def _framed(head: dict[str, Any]) -> bytes:
    text = json.dumps(head).encode()
    return len(text).to_bytes(_LENGTH_BYTES, "little") + text
