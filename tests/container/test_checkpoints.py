"""Jobs that are killed and started again: `docker kill`, `docker stop`, what lies in the folder."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from churn_daal import artifact

from .conftest import Start, Train
from .drive import (
    AS_CALLER,
    CHURN,
    Container,
    docker,
    failure_of,
    lay_job,
    model_bytes,
    mount,
    poll,
    stock_booster,
)

pytestmark = pytest.mark.container
ROUNDS = 200
EVERY = 10
HP = {
    "label": "Churn?",
    "objective": "binary:logistic",
    "eta": "0.05",
    "max_depth": "7",
    # Rows and columns are drawn: what was drawn before the kill has to be drawn again.
    "subsample": "0.7",
    "colsample_bytree": "0.8",
    "eval_metric": "auc,logloss",
    "nthread": "1",
    "checkpoint_rounds": str(EVERY),
}


def lay(base: Path, rounds: int = ROUNDS) -> Path:
    """Lay a job that has a CheckpointConfig, as SageMaker writes it."""
    opt_ml = lay_job(base, {"train/churn.csv": CHURN.read_bytes()}, num_round=rounds, **HP)
    config = {"LocalPath": "/opt/ml/checkpoints", "S3Uri": "s3://bucket/checkpoints"}
    (opt_ml / "input/config/checkpointconfig.json").write_text(json.dumps(config))
    (opt_ml / "checkpoints").mkdir()
    return opt_ml


def rounds_saved(opt_ml: Path) -> int:
    """Return how many rounds the newest checkpoint holds, by its name."""
    names = (path.name for path in (opt_ml / "checkpoints").glob("xgboost-checkpoint.*"))
    ends = (name.rpartition(".")[2] for name in names)
    return max((int(end) + 1 for end in ends if end.isdecimal()), default=0)


def kill(job: Container) -> None:
    """End it as the loss of its machine does, and be sure that it had not ended before."""
    docker("kill", "--signal", "KILL", job.name)
    assert job.exit_code() == 137, job.logs()


def test_a_job_killed_at_several_points_ends_with_the_model_of_one_that_was_not(
    train: Train, start: Start, tmp_path: Path
) -> None:
    """Byte for byte, with its scores, although the folder holds what is no use as well."""
    whole, killed = lay(tmp_path / "whole"), lay(tmp_path / "killed")
    folder = killed / "checkpoints"
    undisturbed = train(whole)
    assert undisturbed.returncode == 0, undisturbed.stderr

    job = start("train", *AS_CALLER, *mount(killed, "/opt/ml"))
    poll(lambda: "[0]\t" in job.logs(), "the first round", job.logs)
    kill(job)
    for wanted in (2 * EVERY, 6 * EVERY):
        job = start("train", *AS_CALLER, *mount(killed, "/opt/ml"))
        poll(lambda rounds=wanted: rounds_saved(killed) >= rounds, "a checkpoint", job.logs)
        kill(job)
    saved = rounds_saved(killed)
    # What a full disk, another program and another job may leave there.
    newest = folder / f"xgboost-checkpoint.{saved - 1}"
    half = folder / f"xgboost-checkpoint.{saved}"
    half.write_bytes(newest.read_bytes()[:-1000])
    (folder / "xgboost-checkpoint.180").write_bytes(stock_booster(whole / "model").save_raw("ubj"))
    (folder / "notes.txt").write_text("not of this job")
    done = train(killed)

    assert done.returncode == 0, done.stderr
    assert 6 * EVERY <= saved < ROUNDS
    assert done.stdout.splitlines()[0].startswith(f"[{saved}]\t")
    for name in (half.name, "xgboost-checkpoint.180", "notes.txt"):
        assert any(name in line for line in done.stderr.splitlines() if "WARNING" in line), name
    assert half.exists()
    assert (folder / "notes.txt").read_text() == "not of this job"
    assert model_bytes(killed) == model_bytes(whole)
    for name in ("evals.json", "metrics.json"):
        assert (killed / "output/data" / name).read_bytes() == (
            whole / "output/data" / name
        ).read_bytes()


def test_a_stopped_job_leaves_a_model_and_its_last_checkpoint(start: Start, tmp_path: Path) -> None:
    """`docker stop` gives ten seconds; SIGKILL, which would follow, has exit code 137."""
    opt_ml = lay(tmp_path / "ml", rounds=100_000)
    job = start("train", *AS_CALLER, *mount(opt_ml, "/opt/ml"))
    poll(lambda: rounds_saved(opt_ml) >= EVERY, "the first checkpoint", job.logs)

    docker("stop", "--time", "10", job.name)

    assert job.exit_code() == 0, job.logs()
    assert artifact.load(opt_ml / "model").answers()
    assert stock_booster(opt_ml / "model").num_boosted_rounds() == rounds_saved(opt_ml)
    assert json.loads((opt_ml / "output/data/metrics.json").read_text())["stopped"] is True
    assert not (opt_ml / "output/failure").exists()
    left = {path.suffix for path in (opt_ml / "checkpoints").iterdir()}
    assert ".sagemaker-ignore" not in left


def test_another_jobs_checkpoints_are_left_alone(train: Train, tmp_path: Path) -> None:
    """Data that changed makes another job: to go on would mix two models without a word."""
    first, second = lay(tmp_path / "first", rounds=25), lay(tmp_path / "second", rounds=12)
    assert train(first).returncode == 0
    theirs = [first / f"checkpoints/xgboost-checkpoint.{number}" for number in (19, 24)]
    for path in theirs:
        shutil.copy(path, second / "checkpoints")
    file = second / "input/data/train/churn.csv"
    file.write_text("".join(file.read_text().splitlines(keepends=True)[:-100]))

    done = train(second)

    assert done.returncode == 0, done.stderr
    assert done.stderr.count("passed over: it is another job's") == 2
    assert done.stdout.startswith("[0]\t")
    for path in theirs:
        assert (second / "checkpoints" / path.name).read_bytes() == path.read_bytes()


def test_a_checkpoint_folder_that_cannot_be_is_refused_first(train: Train, tmp_path: Path) -> None:
    """A file stands in its place."""
    opt_ml = lay(tmp_path / "ml")
    (opt_ml / "checkpoints").rmdir()
    (opt_ml / "checkpoints").write_text("in the way")
    done = train(opt_ml)

    failure = failure_of(opt_ml, done)

    assert "/opt/ml/checkpoints cannot be used" in failure
    assert "LocalPath" in failure
    assert "[0]" not in done.stdout
