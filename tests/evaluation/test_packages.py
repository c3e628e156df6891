"""A model is found in whatever a job hands over, and nothing leaves its folder."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from churn_daal.errors import ArtifactError, UserError
from churn_daal.evaluation import open_package


def pack(model: Path, archive: Path) -> Path:
    """Pack a model folder as SageMaker does."""
    archive.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(archive, "w:gz") as tar:
        for path in sorted(model.rglob("*")):
            tar.add(path, path.relative_to(model), recursive=False)
    return archive


def test_archive_folder_and_model_folder_are_one_model(tmp_path: Path, churn_model: Path) -> None:
    """model.tar.gz, the folder it lies in, and it unpacked."""
    archive = pack(churn_model, tmp_path / "in" / "model.tar.gz")

    found = [
        open_package(path, tmp_path / name)
        for name, path in (("a", archive), ("b", archive.parent), ("c", churn_model))
    ]

    assert len({model.manifest.to_json() for model in found}) == 1


def test_beside_the_output_the_model_is_taken(tmp_path: Path, churn_model: Path) -> None:
    """Local mode leaves output.tar.gz next to it."""
    archive = pack(churn_model, tmp_path / "in" / "model.tar.gz")
    (archive.parent / "output.tar.gz").write_bytes(archive.read_bytes())

    assert open_package(archive.parent, tmp_path / "a").manifest.labels.name == "Churn?"


@pytest.mark.parametrize("name", ["../beyond", "/tmp/beyond"])  # noqa: S108 - not written
def test_nothing_is_unpacked_beyond_the_folder(tmp_path: Path, name: str) -> None:
    """An archive that reaches out of its folder is refused."""
    archive = tmp_path / "model.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        member = tarfile.TarInfo(name)
        member.size = 2
        tar.addfile(member, io.BytesIO(b"no"))

    try:
        open_package(archive, tmp_path / "scratch")
    except (UserError, ArtifactError):
        pass
    else:
        pytest.fail("it was taken for a model")
    assert not (tmp_path / "beyond").exists()
    assert not Path("/tmp/beyond").exists()  # noqa: S108


@pytest.mark.parametrize(
    ("data", "named"), [(b"no archive", "cannot be unpacked"), (b"", "cannot be unpacked")]
)
def test_a_damaged_archive_is_told(tmp_path: Path, data: bytes, named: str) -> None:
    """Cut off or something else: the file is named, and the remedy."""
    archive = tmp_path / "model.tar.gz"
    archive.write_bytes(data)

    with pytest.raises(UserError, match=rf"model.tar.gz {named}.*Copy it again"):
        open_package(archive, tmp_path / "scratch")


def test_a_missing_model_is_told(tmp_path: Path) -> None:
    """Where it was looked for, and what to give."""
    with pytest.raises(UserError, match=r"there is no model .*model\.tar\.gz"):
        open_package(tmp_path / "none", tmp_path / "scratch")
