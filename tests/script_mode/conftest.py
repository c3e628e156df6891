"""Jobs in script mode, run by the program that SageMaker runs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

DOOR = Path(__file__).parents[2] / "container" / "train"


@dataclass(frozen=True)
class Job:
    """The files of one job under a prefix."""

    base: Path

    @property
    def code(self) -> Path:
        """The folder of the channel `code`."""
        return self.base / "input/data/code"

    def start(self, **variables: str) -> subprocess.Popen[str]:
        """Start `train` on it."""
        return subprocess.Popen(
            [sys.executable, "-W", "error", str(DOOR)],
            env=os.environ | {"SAGEMAKER_BASE_DIR": str(self.base)} | variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run `train` on it to its end."""
        process = self.start(**variables)
        out, errors = process.communicate(timeout=120)
        return subprocess.CompletedProcess(process.args, process.returncode, out, errors)

    @property
    def failure(self) -> str:
        """What the failure file says."""
        return (self.base / "output/failure").read_text(encoding="utf-8")


LayScript = Callable[..., Job]


@pytest.fixture
def lay(tmp_path: Path) -> LayScript:
    """Return the function that lays a job with files in its channel `code`."""

    def lay_files(
        files: dict[str, str], program: str = "train.py", **hyperparameters: object
    ) -> Job:
        job = Job(tmp_path / "a job")
        for folder in ("input/config", "input/data/train", "model", "output/data"):
            (job.base / folder).mkdir(parents=True)
        config = job.base / "input/config"
        asked = {"sagemaker_program": program} | hyperparameters
        (config / "hyperparameters.json").write_text(json.dumps(asked))
        for name, text in files.items():
            (job.code / name).parent.mkdir(parents=True, exist_ok=True)
            (job.code / name).write_text(text)
        return job

    return lay_files
