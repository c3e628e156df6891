"""Environments of the peers, each with pins of its own, outside this repository."""

from __future__ import annotations

import compileall
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from bench.serving.home import PINS, ROOT, BenchError, home

import churn_daal

# The newest Python MLServer takes.
_NEWEST: Final = {"mlserver": (3, 12)}
# Published as source alone.
_FROM_SOURCE: Final = {"mms": ("sagemaker-inference",)}


def compile_sources() -> None:
    """Make the bytecode of what runs from a checkout, as images and installed packages have it."""
    for folder in (Path(churn_daal.__file__).parent, Path(__file__).parent / "apps"):
        compileall.compile_dir(folder, quiet=1)


def environment(name: str) -> Path:
    """Return the Python of an environment with what `bench/peers/NAME.txt` pins, made if need be.

    Raises
    ------
    BenchError
        There is no Python it takes, or a package cannot be installed.
    """
    pins = PINS / f"{name}.txt"
    base = _python(name)
    digest = hashlib.sha256(pins.read_bytes() + base.encode()).hexdigest()[:12]
    folder = home() / "environments" / f"{name}-{digest}"
    python = folder / "bin" / "python"
    if not (folder / "made").exists():
        print(f"installing {pins.name} into {folder}", file=sys.stderr, flush=True)
        shutil.rmtree(folder, ignore_errors=True)
        _run([base, "-m", "venv", str(folder)])
        install = [str(python), "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
        install += ["--require-hashes", "--no-deps", "--no-build-isolation", "--only-binary=:all:"]
        source = [f"--no-binary={package}" for package in _FROM_SOURCE.get(name, ())]
        if source:
            _run([*install, "-r", str(ROOT / "locks" / "build.txt")])
        _run([*install, *source, "-r", str(pins)])
        (folder / "made").touch()
    return python


def megabytes(python: Path) -> float:
    """Return the size of an environment's packages on the disk."""
    files = (path for path in python.parent.parent.rglob("*") if path.is_file())
    return sum(path.lstat().st_size for path in files) / 1e6


def versions(python: Path, packages: tuple[str, ...]) -> dict[str, str]:
    """Return the versions of packages in an environment, and of its Python."""
    program = (
        "import importlib.metadata as m, platform, sys\n"
        "print('python', platform.python_version())\n"
        "for name in sys.argv[1:]: print(name, m.version(name))"
    )
    shown = _run([str(python), "-c", program, *packages])
    return dict(line.split() for line in shown.splitlines())


def _python(name: str) -> str:
    newest = _NEWEST.get(name, sys.version_info[:2])
    if sys.version_info[:2] <= newest:
        return sys.executable
    for minor in range(newest[1], 10, -1):
        found = shutil.which(f"python3.{minor}")
        if (
            found
            and not subprocess.run([found, "-c", ""], capture_output=True, check=False).returncode
        ):
            return found
    raise BenchError(f"{name} takes Python 3.{newest[1]} at most, and none is on PATH")


def _run(command: list[str]) -> str:
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env=os.environ | {"PYTHONPATH": ""}
    )
    if done.returncode:
        raise BenchError(f"{' '.join(command[:4])} ...: {done.stderr[-1500:]}")
    return done.stdout
