"""The fixture that runs a job in this process."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from churn_daal import training
from churn_daal.contract.paths import SageMakerPaths
from churn_daal.contract.signals import StopSignal

from .jobs import Job, RunJob, put


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
