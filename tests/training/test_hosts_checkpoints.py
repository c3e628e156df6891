"""A job on two hosts that was killed goes on, on both, from what the first host has written."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from churn_daal import training
from churn_daal.contract.paths import SageMakerPaths
from churn_daal.contract.signals import StopSignal

from .conftest import LayJob, Run

RNG = np.random.default_rng(7)
X = RNG.normal(size=(400, 3)).round(3)
Y = (X[:, 0] + 0.5 * RNG.normal(size=400) > 0).astype(int)
LINES = [f"{y},{','.join(map(str, x))}\n" for y, x in zip(Y, X.tolist(), strict=True)]
SHARDS = ("".join(LINES[::2]), "".join(LINES[1::2]))
ALL = range(10**6)
# Rows and columns are drawn: what was drawn before the kill has to be drawn again.
HP = {
    "objective": "binary:logistic",
    "subsample": 0.7,
    "colsample_bynode": 0.7,
    "checkpoint_rounds": 1,
    "checkpoints_kept": 1000,
}
Prepare = Callable[[int, SageMakerPaths], None]


def folders(*sources: Path | None, rounds: range = ALL) -> Prepare:
    """Return what gives each host a checkpoint configuration and the files of a folder."""

    def prepare(host: int, paths: SageMakerPaths) -> None:
        paths.checkpoint_config.write_text(json.dumps({"LocalPath": "/opt/ml/checkpoints"}))
        paths.checkpoints.mkdir()
        source = sources[host] if sources else None
        for path in [] if source is None else source.glob("xgboost-checkpoint.*"):
            if path.name.endswith(".sagemaker-ignore") or int(path.suffix[1:]) in rounds:
                shutil.copy(path, paths.checkpoints)

    return prepare


def went_on_from(log: str) -> int:
    """Return the rounds of the checkpoint that a host says it goes on from; 0 where none."""
    found = re.search(r"going on from the checkpoint of (\d+) rounds", log)
    return int(found[1]) if found else 0


def model(paths: SageMakerPaths) -> bytes:
    """Return the model as it was saved."""
    return (paths.model / "xgboost-model").read_bytes()


def first_line(paths: SageMakerPaths) -> str:
    """Return the number of the first round that was run."""
    return (paths.base / "stdout").read_text().partition("\t")[0]


def kill_second_in(round_: int) -> Callable[..., None]:
    """Return what ends the second host by SIGKILL once the first has written a round."""

    def disturb(
        processes: tuple[subprocess.Popen[str], ...], jobs: tuple[SageMakerPaths, ...]
    ) -> None:
        file = jobs[0].checkpoints / f"xgboost-checkpoint.{round_}"
        end = time.monotonic() + 60
        while not file.exists() and processes[0].poll() is None and time.monotonic() < end:
            time.sleep(0.005)
        processes[1].kill()

    return disturb


@pytest.mark.parametrize("second", ["empty", "mirrored", "of another job"])
def test_a_killed_job_goes_on_on_both_hosts(
    run: Run, lay_job: LayJob, tmp_path: Path, second: str
) -> None:
    """The model is that of a job never killed, to the bit, whatever the second folder has."""
    given = {**HP, "num_round": 150}
    whole = run(*SHARDS, prepare=folders(), **given)
    assert [code for code, _, _ in whole] == [0, 0], whole[0][1]

    killed = run(*SHARDS, prepare=folders(), disturb=kill_second_in(9), **given)
    assert [code for code, _, _ in killed] == [1, -9]
    left = killed[0][2].checkpoints
    assert list(killed[1][2].checkpoints.iterdir()) == []
    if second == "of another job":
        other = lay_job(tmp_path / "other", "".join(LINES), **{**HP, "num_round": 140})
        folders()(0, other)
        training.run(other, StopSignal())
        sources = left, other.checkpoints
    else:
        sources = left, left if second == "mirrored" else None
    again = run(*SHARDS, prepare=folders(*sources), **given)

    assert [code for code, _, _ in again] == [0, 0], again[0][1] + again[1][1]
    rounds = went_on_from(again[0][1])
    assert 10 <= rounds < 150
    assert went_on_from(again[1][1]) == rounds
    assert first_line(again[0][2]) == f"[{rounds}]"
    assert model(again[0][2]) == model(whole[0][2])
    assert list(again[1][2].model.iterdir()) == []


@pytest.mark.parametrize(
    "more",
    [
        {"tree_method": "approx"},
        {"booster": "dart", "rate_drop": 0.3},
        {"early_stopping_rounds": 3, "eta": 0.9, "num_round": 60},
    ],
    ids=str,
)
def test_what_is_kept_beside_the_trees_is_sent_too(run: Run, more: dict[str, object]) -> None:
    """Cuts, dropped trees and the best round so far are those of one run."""
    given = {**HP, "num_round": 8, **more}
    whole = run(*SHARDS, prepare=folders(), **given)[0][2]

    again = run(*SHARDS, prepare=folders(whole.checkpoints, None, rounds=range(4)), **given)

    assert [went_on_from(log) for _, log, _ in again] == [4, 4]
    assert model(again[0][2]) == model(whole)


def test_the_first_hosts_folder_decides(run: Run) -> None:
    """What lies in the second one's alone is not gone on from: it may be of any age."""
    done = run(*SHARDS, prepare=folders(), **HP)[0][2]

    again = run(*SHARDS, prepare=folders(None, done.checkpoints), **HP)

    assert [(code, went_on_from(log)) for code, log, _ in again] == [(0, 0), (0, 0)]
    assert first_line(again[0][2]) == "[0]"


def test_a_half_written_file_is_passed_over_for_the_one_before(run: Run) -> None:
    """On both hosts; the log names the file."""
    done = run(*SHARDS, prepare=folders(), **HP)[0][2]
    newest = done.checkpoints / "xgboost-checkpoint.4"
    newest.write_bytes(newest.read_bytes()[:-100])

    again = run(*SHARDS, prepare=folders(done.checkpoints, done.checkpoints), **HP)

    assert [(code, went_on_from(log)) for code, log, _ in again] == [(0, 4), (0, 4)]
    assert "xgboost-checkpoint.4 is passed over: it is half-written" in again[0][1]


def test_other_data_on_the_second_host_is_another_job(run: Run) -> None:
    """The first host has no other rows, and yet starts over; the log says where they differ."""
    done = run(*SHARDS, prepare=folders(), **HP)[0][2]

    changed = SHARDS[1].replace("1,", "0,", 1)
    again = run(SHARDS[0], changed, prepare=folders(done.checkpoints, None), **HP)

    assert [(code, went_on_from(log)) for code, log, _ in again] == [(0, 0), (0, 0)]
    assert "another job's" in again[0][1]
    assert "the input files are not the same on host(s) 2 of 2" in again[0][1]


def test_another_number_of_hosts_is_another_job(run: Run, lay_job: LayJob, tmp_path: Path) -> None:
    """From one host to two and back."""
    alone = lay_job(tmp_path / "alone", SHARDS[0], **{**HP, "num_round": 5, "max_depth": 3})
    folders()(0, alone)
    training.run(alone, StopSignal())

    again = run(*SHARDS, prepare=folders(alone.checkpoints, None), **HP)

    assert [(code, went_on_from(log)) for code, log, _ in again] == [(0, 0), (0, 0)]
    assert "it is of 1 host(s), and the job has 2" in again[0][1]


@pytest.mark.parametrize("without", [0, 1])
def test_hosts_of_which_one_has_no_configuration(run: Run, without: int) -> None:
    """The first one's counts; a warning where that leaves the others' without effect."""

    def prepare(host: int, paths: SageMakerPaths) -> None:
        folders()(host, paths)
        if host == without:
            paths.checkpoint_config.unlink()

    first, second = run(*SHARDS, prepare=prepare, **HP)

    assert (first[0], second[0]) == (0, 0), first[1] + second[1]
    assert any(first[2].checkpoints.iterdir()) == (without == 1)
    assert list(second[2].checkpoints.iterdir()) == []
    assert ("has no checkpointconfig.json" in second[1]) == (without == 0)


def test_a_folder_the_first_host_cannot_use_ends_both(run: Run) -> None:
    """Before the first round, and with the first host's reason on the second."""

    def prepare(host: int, paths: SageMakerPaths) -> None:
        paths.checkpoint_config.write_text("{}")
        if host == 0:
            paths.checkpoints.write_text("in the way")

    for code, _, paths in run(*SHARDS, prepare=prepare, **HP):
        assert code == 1
        assert "cannot be used" in paths.failure.read_text()
        assert (paths.base / "stdout").read_text() == ""


def test_a_host_without_rows_goes_on_too(run: Run) -> None:
    """It has no files, and no rows to hold against the checkpoint."""
    done = run("".join(LINES), None, prepare=folders(), **HP)[0][2]

    again = run(
        "".join(LINES), None, prepare=folders(done.checkpoints, None), **{**HP, "num_round": 7}
    )

    assert [(code, went_on_from(log)) for code, log, _ in again] == [(0, 5), (0, 5)]
