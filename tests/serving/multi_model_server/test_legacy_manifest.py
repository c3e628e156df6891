"""One name in one class of multi-model-server is another, or nothing starts."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from churn_daal.errors import UserError
from churn_daal.serving.multi_model_server.legacy_manifest import CLASS, without_legacy_manifests


def archive(folder: Path, code: bytes) -> Path:
    """Return an archive that holds the class."""
    with zipfile.ZipFile(folder / "model-server.jar", "w") as jar:
        jar.writestr(CLASS, code)
    return folder / "model-server.jar"


def test_only_the_name_by_itself_is_changed(tmp_path: Path) -> None:
    """The name below MAR-INF is that of archives as they are now."""
    code = b"..\x01\x00\x15MAR-INF/MANIFEST.json\x01\x00\x0dMANIFEST.json.."

    classes = without_legacy_manifests(archive(tmp_path, code), tmp_path)

    changed = (classes / CLASS).read_bytes()
    assert changed == b"..\x01\x00\x15MAR-INF/MANIFEST.json\x01\x00\x0dMANIFEST.none.."


def test_an_unknown_release_is_refused(tmp_path: Path) -> None:
    """Rather than patched in the dark."""
    with pytest.raises(UserError, match="not of a known release"):
        without_legacy_manifests(archive(tmp_path, b"other"), tmp_path)
