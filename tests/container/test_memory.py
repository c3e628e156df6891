"""Jobs on much data: four times the memory their container may have; stopped while it is read."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from churn_daal import artifact

from .conftest import Start
from .drive import AS_CALLER, Container, docker, lay_job, mount, poll

pytestmark = pytest.mark.container
MEMORY_MB = 280
COLUMNS = 100
FILE_MB = 40
SPILLS = "the data is over the memory budget and goes to the disk"


def block(rows: int) -> bytes:
    """Return CSV lines with numbers as pandas and NumPy write them."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(rows, COLUMNS))
    y = (X[:, 0] + X[:, 1] > 0).astype(int)
    lines = zip(y.tolist(), X.tolist(), strict=True)
    return "".join(f"{label},{','.join(map(repr, row))}\n" for label, row in lines).encode()


@pytest.fixture(scope="module", name="lay")
def _lay(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Path]:
    """Return the function that lays an /opt/ml with so many times the memory to train on."""
    base = tmp_path_factory.mktemp("large")
    lines = block(4000)
    return lambda times: lay(base / f"{times} times", lines, times)


def lay(opt_ml: Path, lines: bytes, times: int) -> Path:
    """Lay the job's files."""
    lay_job(
        opt_ml,
        {"train/part-000.csv": lines * ((FILE_MB << 20) // len(lines))},
        objective="binary:logistic",
        num_round="2",
        max_depth="3",
        max_bin="64",
    )
    # One file under many names: the job cannot tell, and the disk of a CI machine is spared.
    first = opt_ml / "input/data/train/part-000.csv"
    for number in range(1, times * (MEMORY_MB << 20) // first.stat().st_size + 1):
        os.link(first, first.with_name(f"part-{number:03d}.csv"))
    return opt_ml


def start_limited(start: Start, opt_ml: Path) -> Container:
    """Start the job in a container with no more memory than that."""
    limits = ("--memory", f"{MEMORY_MB}m", "--memory-swap", f"{MEMORY_MB}m")
    return start("train", *AS_CALLER, *mount(opt_ml, "/opt/ml"), *limits)


def test_sigterm_while_data_is_read_ends_the_job_well(
    start: Start, lay: Callable[[int], Path]
) -> None:
    """Within the ten seconds `docker stop` gives; there is no model yet, and nothing failed.

    A reading that is about to end may end, and gives a model: so there is a minute's reading left.
    """
    opt_ml = lay(40)
    job = start_limited(start, opt_ml)
    poll(lambda: SPILLS in job.logs(), "the reading of more than memory holds", job.logs)

    docker("stop", "--time", "10", job.name)

    assert job.exit_code() == 0, job.logs()
    assert "stopped" in job.logs()
    assert not any((opt_ml / "model").iterdir())
    assert not (opt_ml / "output/failure").exists()


def test_data_four_times_the_memory_is_trained_on(start: Start, lay: Callable[[int], Path]) -> None:
    """The rows go to the local disk and are read in pieces; the kernel has nothing to kill for."""
    opt_ml = lay(4)
    job = start_limited(start, opt_ml)

    assert job.exit_code() == 0, job.logs()
    killed = docker("inspect", "--format", "{{.State.OOMKilled}}", job.name).stdout
    assert killed == "false\n"
    assert SPILLS in job.logs()
    manifest = artifact.audit(opt_ml / "model")
    assert manifest.metrics["rows"] > 100_000
    assert manifest.metrics["auc"] > 0.9
