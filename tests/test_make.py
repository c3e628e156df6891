"""The Makefile as its users meet it: help, and a push that shows before it does."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def make(*arguments: str, path: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run make with nothing of this shell's variables but PATH."""
    environment = {"PATH": path or os.environ["PATH"]}
    return subprocess.run(
        ["make", *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


def test_help_lists_every_target() -> None:
    """A target that help does not show is one nobody finds."""
    phony = re.search(r"^\.PHONY: (help .*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert phony

    shown = re.findall(r"^  make ([a-z-]+) +\S", make().stdout, re.MULTILINE)

    assert sorted(shown) == sorted(phony[1].split())


def test_push_dry_run_prints_the_commands_in_order() -> None:
    """Login, create if absent, tag, push, each for the account, region and names given."""
    done = make(
        *("push", "ACCOUNT=123456789012", "REGION=eu-west-1", "DRY_RUN=1"),
        *("REPOSITORY=team/churn", "IMAGE=built", "TAG=1.2"),
    )

    target = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
    assert done.returncode == 0, done.stderr
    login, create, tag, push = done.stdout.splitlines()
    assert "get-login-password --region eu-west-1 | docker login" in login
    assert login.endswith(target)
    assert "--repository-names team/churn || aws ecr create-repository" in create
    assert tag == f"docker tag built:1.2 {target}/team/churn:1.2"
    assert push == f"docker push {target}/team/churn:1.2"


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["REGION=eu-west-1"], "ACCOUNT=''"),
        (["ACCOUNT=123456789012"], "REGION=''"),
        (["ACCOUNT=12345", "REGION=eu-west-1"], "expected 12 digits"),
        (["ACCOUNT=123456789012", "REGION=x y"], "REGION='x y' is not an AWS region"),
        (["ACCOUNT=123456789012", "REGION=eu-west-1", "DRY_RUN=true"], "DRY_RUN='true' is neither"),
    ],
)
def test_push_says_what_it_lacks(arguments: list[str], named: str) -> None:
    """Nothing is tagged or sent under a name with a hole in it."""
    done = make("push", *arguments)

    assert done.returncode != 0
    assert named in done.stderr
    assert "docker" not in done.stdout


def test_a_missing_python_is_told_with_its_remedy(tmp_path: Path) -> None:
    """A pyenv shim answers to a version that cannot run; it is passed over, not tripped over."""
    for name in ("bash", "make", "awk", "cat", "rm", "env"):
        found = next(
            Path(folder) / name
            for folder in os.environ["PATH"].split(os.pathsep)
            if (Path(folder) / name).exists()
        )
        (tmp_path / name).symlink_to(found)
    shim = tmp_path / "python3.13"
    shim.write_text("#!/bin/sh\nexit 127\n")
    shim.chmod(0o755)

    done = make("VENV=.venv-of-no-python", ".venv-of-no-python/.made", path=str(tmp_path))

    assert done.returncode != 0
    assert "No Python 3.11, 3.12 or 3.13" in done.stderr
    assert "make PYTHON=" in done.stderr
    assert not (ROOT / ".venv-of-no-python").exists()
