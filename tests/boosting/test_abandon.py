"""A request to stop ends training with the best model so far, however long a round takes."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import xgboost
from numpy.typing import NDArray

from churn_daal.boosting.abandon import run_or_abandon
from churn_daal.boosting.checkpoints import Checkpoints
from churn_daal.boosting.fit import StoppedError, fit
from churn_daal.boosting.hyperparameters import parse
from churn_daal.contract.signals import StopSignal

from .runs import HELD, TRAIN, run, saved


def test_a_request_to_stop_ends_after_the_round() -> None:
    """A job told to stop before its first round still has a model of one round."""
    stop = StopSignal()
    stop.request()

    fitted = run({"num_round": "50"}, stop=stop)

    assert fitted.stopped
    assert fitted.booster.num_boosted_rounds() == 1
    assert fitted.best_iteration == 0


def test_a_request_to_stop_keeps_the_best_model() -> None:
    """Stopped on the way down, the model is that of the best round so far."""
    stop = StopSignal()
    lines: list[str] = []

    def write(line: str) -> None:
        lines.append(line)
        if len(lines) == 30:
            stop.request()

    raw = {"num_round": "200", "early_stopping_rounds": "150", "eta": "0.9", "nthread": "1"}
    fitted = fit(TRAIN, HELD, parse(raw), objective="binary:logistic", stop=stop, write=write)

    assert (len(lines), fitted.stopped) == (30, True)
    assert fitted.best_iteration == np.argmin(fitted.history["validation"]["logloss"]) < 29
    assert fitted.booster.num_boosted_rounds() == fitted.best_iteration + 1


def test_sigterm_in_the_middle_leaves_a_model() -> None:
    """A process that is told to stop ends its round, and has a model of the rounds it printed."""
    code = (
        "import numpy as np\n"
        "from churn_daal.boosting.dataset import Dataset\n"
        "from churn_daal.boosting.fit import fit\n"
        "from churn_daal.boosting.hyperparameters import parse\n"
        "from churn_daal.contract.signals import StopSignal\n"
        "X = np.arange(40, dtype=np.float32).reshape(20, 2)\n"
        "data = Dataset(X, (np.arange(20) % 3 == 0).astype(np.float32))\n"
        "with StopSignal() as stop:\n"
        "    hp = parse({'num_round': '2000000000', 'nthread': '1'})\n"
        "    fitted = fit(data, data, hp, objective='binary:logistic', stop=stop)\n"
        "print('rounds', fitted.booster.num_boosted_rounds(), fitted.stopped)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        process.terminate()
        out, err = process.communicate(timeout=60)

    assert first.startswith("[0]\ttrain-logloss:"), err
    *_, last_round, summary = (first + out).splitlines()
    assert process.returncode == 0, err
    assert summary == f"rounds {int(last_round[1 : last_round.index(']')]) + 1} True"


class Stuck:
    """A metric that never ends in one round, in which the job is asked to stop."""

    def __init__(self, stop: StopSignal, calls: int) -> None:
        self.stop, self.left = stop, calls
        self.end = threading.Event()

    def __call__(self, _: NDArray[np.float32], __: xgboost.DMatrix) -> tuple[str, float]:
        """Score a data set: two calls a round."""
        self.left -= 1
        if self.left < 0:
            self.stop.request()
            self.end.wait()
        return "calls", float(self.left)


@pytest.fixture
def stuck() -> Iterator[Stuck]:
    """Return a metric that gets stuck in the second round, and let it go at the end."""
    metric = Stuck(StopSignal(), calls=2)
    yield metric
    metric.end.set()
    for thread in threading.enumerate():
        if thread.name == "boosting":
            thread.join()


def test_a_round_that_takes_too_long_is_left_behind(tmp_path: Path, stuck: Stuck) -> None:
    """The model is that of the rounds before it, and so is the last checkpoint."""
    fitted = run(
        {"num_round": "50", "early_stopping_rounds": "9"},
        stop=stuck.stop,
        custom_metric=stuck,
        patience=0.2,
        checkpoints=Checkpoints(tmp_path),
    )

    assert (fitted.abandoned, fitted.stopped, fitted.best_iteration) == (True, True, 0)
    assert fitted.booster.num_boosted_rounds() == 1
    assert len(fitted.history["validation"]["calls"]) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["xgboost-checkpoint.0"]
    np.testing.assert_array_equal(
        fitted.booster.inplace_predict(HELD.X),
        run({"num_round": "1"}).booster.inplace_predict(HELD.X),
    )


def test_what_is_left_behind_says_and_writes_nothing(tmp_path: Path, stuck: Stuck) -> None:
    """When its round ends after all, the thread ends without a line or a file."""
    lines: list[str] = []
    run(
        {"num_round": "50"},
        stop=stuck.stop,
        custom_metric=stuck,
        patience=0.2,
        checkpoints=Checkpoints(tmp_path, rounds=1),
        write=lines.append,
    )
    stuck.end.set()
    while any(thread.name == "boosting" for thread in threading.enumerate()):
        time.sleep(0.01)

    assert [path.name for path in tmp_path.iterdir()] == ["xgboost-checkpoint.0"]
    assert [line.split("\t")[0] for line in lines] == ["[0]"]


def test_stopped_before_there_is_a_model(stuck: Stuck) -> None:
    """Where the first round is not over in time there is nothing to save, and that is said."""
    stuck.left = 0

    with pytest.raises(StoppedError, match="stopped before the first round was over"):
        run({"num_round": "50"}, stop=stuck.stop, custom_metric=stuck, patience=0.2)


def test_a_resumed_job_stopped_in_its_first_round_has_its_checkpoint(
    tmp_path: Path, stuck: Stuck
) -> None:
    """The model it went on from is the best it has."""
    lines: list[str] = []

    def stop_at_three(line: str) -> None:
        lines.append(line)
        if len(lines) == 3:
            first.request()

    first = StopSignal()
    stuck.left = 2 * 3
    before = run(
        {"num_round": "50"},
        stop=first,
        custom_metric=stuck,
        write=stop_at_three,
        checkpoints=Checkpoints(tmp_path),
    )
    stuck.left = 0
    fitted = run(
        {"num_round": "50"},
        stop=stuck.stop,
        custom_metric=stuck,
        patience=0.2,
        checkpoints=Checkpoints(tmp_path),
    )

    assert (fitted.abandoned, fitted.booster.num_boosted_rounds()) == (True, 3)
    assert saved(fitted) == saved(before)


def test_without_patience_the_callers_thread_trains() -> None:
    """A collective of XGBoost's is bound to the thread that entered it."""
    threads: list[str] = []

    fitted = run(write=lambda _: threads.append(threading.current_thread().name), patience=None)

    assert set(threads) == {threading.current_thread().name}
    assert saved(fitted) == saved(run())


def test_what_the_work_raises_is_raised() -> None:
    """The error comes as it was, in the thread that waits."""

    def work() -> int:
        raise KeyError("x")

    with pytest.raises(KeyError, match="x"):
        run_or_abandon(work, lambda: 1, StopSignal(), patience=1)


def test_messages_of_the_training_thread_are_logged(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """XGBoost's own go to the log and not to stdout, which the metric lines have alone."""
    with caplog.at_level(logging.INFO):
        run({"verbosity": "3", "num_round": "1"})

    out, _ = capfd.readouterr()
    assert "XGBoost: [" in caplog.text
    assert out.startswith("[0]\ttrain-logloss:")
    assert out.count("\n") == 1


BUSY = """
import os, sys
import numpy as np
from churn_daal.boosting.dataset import Dataset
from churn_daal.boosting.fit import StoppedError, fit
from churn_daal.boosting.hyperparameters import parse
from churn_daal.contract.signals import StopSignal
X = np.random.default_rng(0).normal(size=(5000, 4)).astype(np.float32)
data = Dataset(X, (X[:, 0] > 0).astype(np.float32))
hp = parse({"num_parallel_tree": "1000000", "nthread": "1", "subsample": "0.5"})
with StopSignal() as stop:
    print("ready", flush=True)
    try:
        fit(data, data, hp, objective="binary:logistic", stop=stop, patience=0.5)
    except StoppedError:
        print("stopped", flush=True)
        os._exit(0)
"""


def test_sigterm_in_the_middle_of_a_call_into_xgboost() -> None:
    """The library is at work on a round of a million trees; the process ends all the same."""
    with subprocess.Popen(
        [sys.executable, "-c", BUSY], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.terminate()
        out, err = process.communicate(timeout=60)

    assert (process.returncode, out) == (0, "stopped\n"), err
