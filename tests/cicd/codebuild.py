"""What CodeBuild does with a build spec, as far as its commands can tell."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from tests.container.drive import REPOSITORY

FOLDER = REPOSITORY / "cicd"
# CodeBuild project of the template -> its build spec.
SPECS = {
    "ModelBuild": "model_build.buildspec.yml",
    "ModelDeploy": "model_deploy.buildspec.yml",
    "IntegrationTest": "integration_test.buildspec.yml",
}
# What CodeBuild sets by itself (its guide, "Environment variables in build environments").
GIVEN = {
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_REGION": "eu-west-1",
    "CODEBUILD_BUILD_NUMBER": "7",
    "CODEBUILD_RESOLVED_SOURCE_VERSION": "0123456789abcdef0123456789abcdef01234567",
}
TAG = "0123456789ab-7"
# `make` with the environments of these tests in place of those the targets would make.
_MAKE = """
make() {
    command make -o mlops-venv -o .venv/.deploy RUN="$TEST_PYTHON -m" MLOPS_VENV="$TEST_PREFIX" "$@"
}
"""


def read(name: str) -> dict[str, Any]:
    """Return a build spec."""
    spec: dict[str, Any] = yaml.safe_load((FOLDER / name).read_text())
    return spec


def commands(spec: Mapping[str, Any]) -> list[str]:
    """Return the commands of all phases, in order."""
    return [command for phase in spec["phases"].values() for command in phase["commands"]]


def checkout(folder: Path) -> Path:
    """Copy what the repository has, without what runs leave behind."""
    done = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=REPOSITORY, capture_output=True, text=True, check=True,
    )  # fmt: skip
    for name in filter(None, done.stdout.split("\0")):
        if (REPOSITORY / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(REPOSITORY / name, folder / name)
    return folder


def build(
    project: str, source: Path, variables: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run a build spec's phases in one shell, as its `shell: bash` and version 0.2 ask for.

    Nothing of this process's environment is there but PATH, HOME and AWS's stand-in.
    """
    spec = read(SPECS[project])
    environment = {
        **{name: os.environ[name] for name in os.environ if name.startswith("AWS_")},
        "PATH": os.environ["PATH"],
        "HOME": os.environ.get("HOME", "/"),
        "TEST_PYTHON": sys.executable,
        "TEST_PREFIX": sys.prefix,
        "PYTHONPATH": f"{source}:{source / 'src'}",
        "CODEBUILD_SRC_DIR": str(source),
        **GIVEN,
        **variables,
    }
    script = "set -e\n" + _MAKE + "\n".join(commands(spec))
    return subprocess.run(
        [spec["env"]["shell"], "-c", script],
        cwd=source, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip


def used(spec: Mapping[str, Any]) -> set[str]:
    """Return the variables that a build spec's commands need; not those asked for with `:-`."""
    text = "\n".join(commands(spec))
    own = set(re.findall(r"export (\w+)=", text)) | set(re.findall(r"\$\{(\w+):-", text))
    return set(re.findall(r"\$\{?(\w+)", text)) - own


def targets(text: str) -> set[str]:
    """Return the targets of make that a text calls."""
    return set(re.findall(r"\bmake (?:--silent )?([a-z./-]+)", text))
