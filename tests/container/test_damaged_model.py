"""`serve` ends at once on a model folder it cannot trust, and says which file and why."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import Start
from .drive import AS_CALLER, mount

pytestmark = pytest.mark.container


def truncate(path: Path) -> None:
    """Cut a file in half, as a broken download does."""
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def flip(path: Path) -> None:
    """Change one bit in the middle, which no length check sees."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("file", "damage"),
    [
        ("daal/onedal.bin", truncate),
        ("xgboost-model", flip),
        ("daal/manifest.json", truncate),
        ("daal/manifest.json", Path.unlink),
        ("xgboost-model", Path.unlink),
    ],
    ids=["onedal-cut", "booster-bit", "manifest-cut", "manifest-gone", "booster-gone"],
)
def test_serve_refuses(
    start: Start, model: Path, tmp_path: Path, file: str, damage: Callable[[Path], None]
) -> None:
    """A wrong answer is worse than none: exit code, one line that names the file, no traceback."""
    damaged = tmp_path / "model"
    shutil.copytree(model, damaged)
    damage(damaged / file)

    server = start("serve", *AS_CALLER, *mount(damaged, "/opt/ml/model", readonly=True))

    assert server.exit_code() != 0
    assert Path(file).stem in server.logs()
    assert "Traceback" not in server.logs()
