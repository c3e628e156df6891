"""Fixtures that run a job in this process, or start one of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from churn_daal import training
from churn_daal.contract.paths import SageMakerPaths
from churn_daal.contract.signals import StopSignal

from .jobs import Job, RunJob, StartJob, put

TRAIN_PROGRAM = Path(__file__).parents[2] / "container" / "train"


@pytest.fixture(name="run")
def _run(
    lay_job: Callable[..., SageMakerPaths],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> RunJob:
    caplog.set_level("INFO")
    laid: list[SageMakerPaths] = []

    def run(
        train: str | Mapping[str, str | bytes],
        validation: str | Mapping[str, str | bytes] | None = None,
        *,
        types: Mapping[str, str] | None = None,
        **given: object,
    ) -> Job:
        """Train on channels of one CSV, or of the files given; `types` are their ContentTypes."""
        hp = {"num_round": 5, "max_depth": 3, "nthread": 1} | given
        paths = lay_job(tmp_path / f"job{len(laid)}", **hp)
        laid.append(paths)
        for channel, files in (("train", train), ("validation", validation)):
            if files is not None:
                put(paths, channel, {"rows.csv": files} if isinstance(files, str) else files)
        if types is not None:
            document = {name: {"ContentType": kind} for name, kind in types.items()}
            paths.input_data_config.write_text(json.dumps(document))
        capsys.readouterr()
        caplog.clear()
        training.run(paths, StopSignal())
        return Job(paths, tuple(capsys.readouterr().out.splitlines()), caplog.text)

    return run


@pytest.fixture(name="start")
def _start() -> Iterator[StartJob]:
    started: list[subprocess.Popen[str]] = []

    def start(
        paths: SageMakerPaths, *, pipesize: int = -1, **environ: str
    ) -> subprocess.Popen[str]:
        """Start the image's `train` on a job's files, in a process of its own."""
        of_job = {"SAGEMAKER_BASE_DIR": str(paths.base), "OMP_NUM_THREADS": "1"}
        process = subprocess.Popen(
            [sys.executable, str(TRAIN_PROGRAM)],
            env=os.environ | of_job | environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            pipesize=pipesize,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
            process.communicate()
