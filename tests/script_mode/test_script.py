"""SIGTERM reaches the user's program, which then has its 120 seconds (rule T13)."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from .conftest import Job, LayScript

PATIENCE = 60
SAVES = """\
import os, pathlib, signal, sys, time
asked = []
signal.signal(signal.SIGTERM, lambda *_: asked.append(1))
pathlib.Path(os.environ["SM_MODEL_DIR"], "ready").touch()
while not asked:
    time.sleep(0.01)
time.sleep(float(os.environ["SM_HP_PAUSE"]))
pathlib.Path(os.environ["SM_MODEL_DIR"], "saved").touch()
"""
ENDLESS = """\
import os, pathlib, time
pathlib.Path(os.environ["SM_MODEL_DIR"], "ready").touch()
time.sleep(600)
"""


def stop_when_ready(job: Job) -> tuple[int, bool, str]:
    """Send SIGTERM once the program runs; return the exit code, whether it saved, and stderr."""
    process = job.start()
    end = time.monotonic() + PATIENCE
    while not (job.base / "model/ready").exists():
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < end
        time.sleep(0.02)
    process.terminate()
    code = process.wait(timeout=PATIENCE)
    # Not later: what still runs then is killed with the container.
    saved = (job.base / "model/saved").exists()
    _, errors = process.communicate()
    return code, saved, errors


@pytest.mark.parametrize(
    ("program", "shell", "pause", "expected"),
    [
        ("train.py", None, 0.1, 0),
        ("train.sh", f'#!/bin/sh\n"{sys.executable}" train.py\nexit $?\n', 3, 143),
        ("train.sh", f'#!/bin/sh\nexec "{sys.executable}" train.py\n', 0.1, 0),
    ],
    ids=["python", "under a shell", "in a shell's place"],
)
def test_a_program_hears_sigterm_and_saves(
    lay: LayScript, program: str, shell: str | None, pause: float, expected: int
) -> None:
    """The job lasts until it has saved, also where a shell stands between and is gone first."""
    files = {"train.py": SAVES} | ({"train.sh": shell} if shell else {})
    # Behind a shell, longer than the job waits for streams to close.
    job = lay(files, program, pause=pause)

    code, saved, errors = stop_when_ready(job)

    assert saved, errors
    assert "asked to stop: SIGTERM goes on to" in errors
    assert code == expected, errors


def test_a_program_without_a_handler_is_ended_and_told_so(lay: LayScript) -> None:
    """143 is 128 and SIGTERM, as from a shell."""
    job = lay({"train.py": ENDLESS})

    code, _, errors = stop_when_ready(job)

    assert code == 143, errors
    assert "it has no handler for SIGTERM that saves what it has" in job.failure


def test_a_job_stopped_before_its_program_starts_none(lay: LayScript) -> None:
    """A signal that came while the libraries loaded counts."""
    job = lay({"train.py": ENDLESS})
    program = (
        "import sys; from churn_daal import script_mode; "
        "sys.exit(script_mode.main('train.py', [15]))"
    )

    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"SAGEMAKER_BASE_DIR": str(job.base), "PYTHONPATH": ":".join(sys.path)},
        timeout=PATIENCE,
        check=False,
    )

    assert done.returncode == 143
    assert "the job was stopped before train.py started" in job.failure
    assert not (job.base / "model/ready").exists()


def test_a_process_left_behind_does_not_hold_the_job(lay: LayScript) -> None:
    """It has the program's stderr open still; the job ends with the program."""
    text = (
        "import pathlib, subprocess, sys\n"
        "left = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "pathlib.Path('left').write_text(str(left.pid))\n"
    )
    job = lay({"train.py": text})
    done = job.start()

    try:
        assert done.wait(timeout=PATIENCE) == 0
    finally:
        left = Path(job.base / "code/left")
        subprocess.run(["kill", left.read_text()], check=False)
        done.communicate()
