"""Requirements come from the wheelhouse alone, and never replace what the server runs on."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import markupsafe
import numpy as np
import pytest

from churn_daal.errors import UserError
from churn_daal.serving.hooks.packages import install_packages
from churn_daal.serving.loading import load_service, provide

from .conftest import Lay


def lay_wheel(
    folder: Path,
    name: str = "told_apart",
    version: str = "1.0",
    word: str = "from the wheel",
    *,
    compiled: bool = False,
) -> None:
    """Write the smallest wheel there is, or one with a compiled module beside."""
    folder.mkdir(parents=True, exist_ok=True)
    about = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{name}.py", f"WORD = {word!r}")
        if compiled:
            path = compiled_module()
            wheel.write(path, path.name)
        metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}"
        wheel.writestr(f"{about}/METADATA", metadata)
        wheel.writestr(
            f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any"
        )
        wheel.writestr(f"{about}/RECORD", "")


def compiled_module() -> Path:
    """Return a small compiled module, `_speedups`, of a library that is there."""
    [path] = Path(str(markupsafe.__file__)).parent.glob("_speedups*.so")
    return path


def test_what_the_code_asks_for_is_there_for_it(lay: Lay) -> None:
    """Installed once, into a folder apart, though the model's own can not be written to."""
    folder = lay("import told_apart\ndef transform_fn(m, d, c, a): return told_apart.WORD\n")
    (folder / "code" / "requirements.txt").write_text("told-apart==1.0\nnumpy\n")
    lay_wheel(folder / "code" / "wheelhouse")
    before = sorted(folder.rglob("*"))
    for place in (folder / "code", folder):
        place.chmod(0o555)

    provision = provide(folder)
    service = load_service(folder, threads=1, provision=provision)

    assert service.ready()
    assert provision.packages is not None
    assert [path.name for path in provision.packages.glob("*.py")] == ["told_apart.py"]
    assert sorted(path for path in folder.rglob("*") if "__pycache__" not in path.parts) == before
    subprocess.run(["rm", "-r", str(provision.packages)], check=True)


def test_what_the_image_has_needs_no_wheel(tmp_path: Path) -> None:
    """Nothing is installed, and no folder is left behind."""
    (tmp_path / "requirements.txt").write_text("numpy\nxgboost-cpu>=3\n")
    left = set(Path(tempfile.gettempdir()).glob("churn-daal-packages-*"))

    assert install_packages(tmp_path) is None
    assert set(Path(tempfile.gettempdir()).glob("churn-daal-packages-*")) == left


def test_no_requirements(tmp_path: Path) -> None:
    """No pip is started."""
    assert install_packages(tmp_path) is None


@pytest.mark.parametrize(
    ("requirements", "wheels", "message"),
    [
        ("told-apart", False, "No matching distribution found for told-apart. Without a network"),
        ("not-in-the-house", True, r"pip looked in .* alone, which holds: told_apart-1.0-py3"),
        ("told apart ==", True, "Invalid requirement"),
    ],
)
def test_what_is_not_there_is_named(
    tmp_path: Path, requirements: str, wheels: bool, message: str
) -> None:
    """With the command that fills the wheelhouse; the index is not asked."""
    (tmp_path / "requirements.txt").write_text(requirements)
    if wheels:
        lay_wheel(tmp_path / "wheelhouse")

    place = tmp_path / "place"
    place.mkdir()
    with pytest.raises(UserError, match=message) as caught:
        install_packages(tmp_path, place)
    assert list(place.iterdir()) == []
    assert "pip download -r requirements.txt -d wheelhouse" in str(caught.value)


def test_the_servers_own_packages_stay(tmp_path: Path) -> None:
    """Two versions of numpy in one process are none."""
    (tmp_path / "requirements.txt").write_text("numpy==99.0\n")
    lay_wheel(tmp_path / "wheelhouse", "numpy", "99.0")

    place = tmp_path / "place"
    place.mkdir()
    with pytest.raises(UserError, match=f"server itself runs on numpy {np.__version__}"):
        install_packages(tmp_path, place)
    assert list(place.iterdir()) == []


def test_no_folder_to_install_into(tmp_path: Path) -> None:
    """A read-only container without /tmp is told of both ways out."""
    (tmp_path / "requirements.txt").write_text("told-apart")
    program = (
        "import sys, tempfile; tempfile.tempdir = '/proc/none'\n"
        "from pathlib import Path\n"
        "from churn_daal.serving.hooks.packages import install_packages\n"
        "install_packages(Path(sys.argv[1]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=False
    )

    assert "docker run --tmpfs /tmp" in done.stderr
    assert "code/lib" in done.stderr
