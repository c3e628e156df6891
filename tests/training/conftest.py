"""Jobs of several hosts: processes of this machine, each with its own `/opt/ml`."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from churn_daal.contract.paths import SageMakerPaths

LayJob = Callable[..., SageMakerPaths]
Run = Callable[..., list[tuple[int, str, SageMakerPaths]]]
# A closed port lingers: each job has loopback addresses of its own.
NETWORKS = itertools.count(1)
PROGRAM = Path(__file__).parents[2] / "container" / "train"


def nothing(*_: object) -> None:
    """Do nothing."""


@pytest.fixture(name="run")
def _run(lay_job: LayJob, tmp_path: Path) -> Iterator[Run]:
    processes: list[subprocess.Popen[str]] = []

    def run(
        *texts: str | None,
        prepare: Callable[..., None] = nothing,
        disturb: Callable[..., None] = nothing,
        **given: object,
    ) -> list[tuple[int, str, SageMakerPaths]]:
        """Run the program on each host; return exit code, stderr and folders of each.

        `prepare` changes a host's folders, by its number; `disturb` is called with the processes
        and the folders while they run. What went to stdout is in a file of that name.
        """
        jobs = []
        network = f"127.{os.getpid() % 250 + 1}.{next(NETWORKS)}"
        hosts = [f"{network}.{number}" for number in range(1, len(texts) + 1)]
        for host, text in zip(hosts, texts, strict=True):
            paths = lay_job(
                tmp_path / host, text, **{"num_round": 5, "max_depth": 3, "nthread": 1, **given}
            )
            config = {"current_host": host, "hosts": hosts}
            paths.resource_config.write_text(json.dumps(config))
            prepare(len(jobs), paths)
            with (paths.base / "stdout").open("w") as out:
                process = subprocess.Popen(
                    [sys.executable, str(PROGRAM)],
                    env=os.environ | {"SAGEMAKER_BASE_DIR": str(paths.base)},
                    stdout=out,
                    stderr=subprocess.PIPE,
                    text=True,
                )
            jobs.append((process, paths))
            processes.append(process)
        disturb(*zip(*jobs, strict=True))
        return [
            (p.returncode, e, paths) for p, paths in jobs for _, e in [p.communicate(timeout=90)]
        ]

    yield run
    for process in processes:
        process.kill()
        process.wait()
