"""The two programs hear SIGTERM from their first moment, before the libraries have loaded."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from churn_daal import artifact
from churn_daal.contract.paths import SageMakerPaths

DOORS = Path(__file__).parent.parent / "container"
ROWS = "y,x\n" + "0,1\n1,2\n" * 30
PATIENCE = 60


def catches_sigterm(process: subprocess.Popen[str]) -> bool:
    """Tell from the kernel's list whether a process has a handler for SIGTERM."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    caught = next(line for line in status.splitlines() if line.startswith("SigCgt:"))
    return bool(int(caught.split()[1], 16) >> (signal.SIGTERM - 1) & 1)


def start_and_stop(program: str, base: Path) -> tuple[int, str]:
    """Send SIGTERM as soon as it is caught; return the exit code and stderr."""
    process = subprocess.Popen(
        [sys.executable, str(DOORS / program)],
        env=os.environ | {"SAGEMAKER_BASE_DIR": str(base)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    end = time.monotonic() + PATIENCE
    while not catches_sigterm(process):
        assert process.poll() is None
        assert time.monotonic() < end
        threading.Event().wait(0.001)
    process.terminate()
    _, errors = process.communicate(timeout=PATIENCE)
    return process.returncode, errors


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's /proc")
def test_train_stopped_at_once_keeps_a_model(
    lay_job: Callable[..., SageMakerPaths], tmp_path: Path
) -> None:
    """The job ends after its first round, long before the rounds it was to do."""
    paths = lay_job(tmp_path, ROWS, num_round=1_000_000)

    code, errors = start_and_stop("train", tmp_path)

    assert code == 0, errors
    assert "stopped by a signal" in errors
    assert artifact.load(paths.model).answers()


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's /proc")
def test_serve_stopped_at_once_ends(churn_model: Path) -> None:
    """With nothing to drain, there is nothing to wait for."""
    code, errors = start_and_stop("serve", churn_model.parent)

    assert code == 0, errors
    assert "Traceback" not in errors
