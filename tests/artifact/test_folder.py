"""A model folder is written whole, and audited before anything is built from it."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from churn_daal.artifact import audit, check_writable, save
from churn_daal.artifact.manifest import EngineChoice, Manifest
from churn_daal.errors import ArtifactError, UserError
from churn_daal.tabular.labels import Labels
from churn_daal.tabular.schema import Column, Schema

MANIFEST = Manifest(
    schema=Schema((Column("x", "number"),)),
    labels=Labels("y", (0, 1)),
    objective="binary:logistic",
    num_class=0,
    threshold=0.5,
    engine=EngineChoice("onedal"),
)


@pytest.fixture
def model(tmp_path: Path, churn_model: Path) -> Path:
    """Return a copy of a trained model that a test may spoil."""
    return Path(shutil.copytree(churn_model, tmp_path / "model"))


def names(folder: Path) -> list[str]:
    """Return the files of a folder, hidden ones too."""
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def test_the_layout(churn_model: Path) -> None:
    """One file at the top, ours in daal/, and nothing left over."""
    assert names(churn_model) == ["daal/manifest.json", "daal/onedal.bin", "xgboost-model"]
    assert audit(churn_model).engine.name == "onedal"


def test_saving_again_replaces(tmp_path: Path) -> None:
    """A model without oneDAL bytes leaves none of the one before."""
    save(tmp_path, MANIFEST, xgboost=b"one", onedal=b"two")

    manifest = save(tmp_path, MANIFEST, xgboost=b"three", onedal=None)

    assert names(tmp_path) == ["daal/manifest.json", "xgboost-model"]
    assert audit(tmp_path) == manifest


def test_half_a_save_is_no_model(tmp_path: Path) -> None:
    """Where the last step did not happen the error says so, and no file of a model is left."""
    save(tmp_path, MANIFEST, xgboost=b"one", onedal=b"two")
    # A directory in the way of the last file's rename stops the save half way.
    (tmp_path / "daal" / ".manifest.json.partial").mkdir()

    with pytest.raises(UserError, match=r"model of .* MB cannot be written to .*Is a directory"):
        save(tmp_path, MANIFEST, xgboost=b"three", onedal=b"four")
    assert names(tmp_path) == []
    with pytest.raises(ArtifactError, match=r"has no daal/manifest\.json"):
        audit(tmp_path)


def test_what_else_is_there_stays(tmp_path: Path) -> None:
    """A save that fails takes away its own files alone."""
    (tmp_path / "daal" / ".onedal.bin.partial").mkdir(parents=True)
    (tmp_path / "notes.txt").touch()

    with pytest.raises(UserError, match="cannot be written"):
        save(tmp_path, MANIFEST, xgboost=b"one", onedal=b"two")
    assert names(tmp_path) == ["notes.txt"]


def test_a_manifest_that_is_no_json_touches_nothing(tmp_path: Path) -> None:
    """What cannot be written is found out before the model there is removed."""
    save(tmp_path, MANIFEST, xgboost=b"one", onedal=None)

    with pytest.raises(ValueError, match="not JSON compliant"):
        save(tmp_path, replace(MANIFEST, metrics={"auc": float("nan")}), xgboost=b"", onedal=None)
    assert audit(tmp_path).metrics == {}


@pytest.mark.parametrize("name", ["xgboost-model", "daal/onedal.bin"])
@pytest.mark.parametrize("damage", ["cut", "flip"])
def test_damage_is_found(model: Path, name: str, damage: str) -> None:
    """A truncated or altered file is named, with its size."""
    data = bytearray((model / name).read_bytes())
    if damage == "cut":
        del data[len(data) // 2 :]
    else:
        data[len(data) // 2] ^= 1
    (model / name).write_bytes(data)

    with pytest.raises(ArtifactError, match=rf"{name} \({len(data)} bytes\) is damaged"):
        audit(model)


def test_a_folder_that_cannot_be_written_to_is_found_out_early(tmp_path: Path) -> None:
    """Before the fit, not after it; here a file stands where the folder should be."""
    (tmp_path / "ml").touch()

    with pytest.raises(UserError, match="ml/model cannot be written to by user"):
        check_writable(tmp_path / "ml" / "model")


def test_missing_files_are_named(model: Path, tmp_path: Path) -> None:
    """No folder, no manifest and no booster are three different messages."""
    with pytest.raises(ArtifactError, match="no model folder"):
        audit(tmp_path / "nowhere")
    (model / "xgboost-model").unlink()
    with pytest.raises(ArtifactError, match="xgboost-model is missing, but the manifest lists it"):
        audit(model)
    (model / "daal" / "manifest.json").unlink()
    with pytest.raises(ArtifactError, match=r"has no daal/manifest\.json \(it holds: daal\)"):
        audit(model)


def test_the_manifest_cannot_point_elsewhere(model: Path) -> None:
    """A file name in the manifest that is none of the format's is refused, not read."""
    path = model / "daal" / "manifest.json"
    data = json.loads(path.read_bytes())
    data["files"]["../../etc/passwd"] = "0"
    path.write_text(json.dumps(data))

    with pytest.raises(ArtifactError, match="which is no file of this format"):
        audit(model)
