"""A script's requirements come from its wheelhouse, and a missing one is named."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import pytest

from .conftest import LayScript

USES = "import told_apart; print(told_apart.WORD)"


def lay_wheel(folder: Path) -> None:
    """Write the smallest wheel there is."""
    folder.mkdir(parents=True)
    about = "told_apart-1.0.dist-info"
    with zipfile.ZipFile(folder / "told_apart-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("told_apart.py", "WORD = 'from the wheel'")
        wheel.writestr(f"{about}/METADATA", "Metadata-Version: 2.1\nName: told-apart\nVersion: 1.0")
        wheel.writestr(
            f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any"
        )
        wheel.writestr(f"{about}/RECORD", "")


@pytest.mark.parametrize("place", ["input/data/code/wheelhouse", "code/wheelhouse"])
def test_a_wheelhouse_takes_the_place_of_the_network(
    lay: LayScript, tmp_path: Path, place: str
) -> None:
    """In the `code` channel or in the code that the image brings, whatever the path holds."""
    job = lay({"train.py": USES, "requirements.txt": "told-apart==1.0"})
    if place.startswith("code"):
        job.code.rename(job.base / "code")
    lay_wheel(job.base / place)
    # Not into the environment the tests run in.
    site = str(tmp_path / "site")

    done = job.run(PIP_TARGET=site, PYTHONPATH=f"{site}:{os.environ.get('PYTHONPATH', '')}")

    assert (done.returncode, done.stdout) == (0, "from the wheel\n"), done.stderr


@pytest.mark.parametrize(
    ("requirements", "named"),
    [
        ("told-apart==2.0", "No matching distribution found for told-apart==2.0. pip looked in "),
        ("told-apart\nnot-in-the-house", "No matching distribution found for not-in-the-house. "),
        ("told apart ==", "Invalid requirement: 'told apart =='"),
    ],
)
def test_what_the_wheelhouse_lacks_is_named(lay: LayScript, requirements: str, named: str) -> None:
    """With what it holds, and the command that fills it; the program is not started."""
    job = lay({"train.py": "raise SystemExit(9)", "requirements.txt": requirements})
    lay_wheel(job.code / "wheelhouse")

    done = job.run()

    assert done.returncode == 1
    assert job.failure.startswith("UserError: requirements.txt cannot be installed: ")
    assert named in job.failure
    assert "told_apart-1.0-py3-none-any.whl. Add what is missing" in job.failure
    assert "pip download -r requirements.txt -d wheelhouse" in job.failure
