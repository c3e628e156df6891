"""A run that was killed goes on from its checkpoint and ends with the model it would have had."""

from __future__ import annotations

import logging
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from churn_daal.boosting.checkpoints import Checkpoints
from churn_daal.boosting.custom_metrics import CustomMetrics
from churn_daal.boosting.dataset import Dataset
from churn_daal.boosting.fit import Fitted

from .runs import F32, HELD, TRAIN, rows, run, saved

ROUNDS = 9
SAMPLED = {"subsample": "0.6", "colsample_bytree": "0.7", "colsample_bylevel": "0.8", "seed": "9"}


def copies(source: Path, target: Path, last: int) -> Path:
    """Return a folder with the checkpoints up to a round, as a job killed after it leaves it."""
    target.mkdir()
    for number in range(last + 1):
        shutil.copy(source / f"xgboost-checkpoint.{number}", target)
    return target


def each_round(folder: Path) -> Checkpoints:
    """Return checkpoints that are written after each round, and all kept."""
    return Checkpoints(folder, rounds=1, kept=100)


@pytest.mark.parametrize(
    ("raw", "objective"),
    [
        ({}, "binary:logistic"),
        (SAMPLED | {"colsample_bynode": "0.9", "nthread": "2"}, "binary:logistic"),
        (SAMPLED | {"tree_method": "approx"}, "reg:squarederror"),
        (SAMPLED | {"tree_method": "approx"}, "binary:logistic"),
        (SAMPLED | {"tree_method": "approx"}, "reg:absoluteerror"),
        (SAMPLED | {"tree_method": "exact"}, "count:poisson"),
        ({"tree_method": "approx", "max_bin": "16"}, "multi:softprob"),
        (SAMPLED | {"num_parallel_tree": "3"}, "multi:softprob"),
        (SAMPLED | {"grow_policy": "lossguide", "max_leaves": "5"}, "reg:absoluteerror"),
        ({"base_score": "0.3", "max_delta_step": "0.7"}, "binary:logistic"),
        (SAMPLED | {"booster": "dart", "rate_drop": "0.5"}, "binary:logistic"),
        ({"booster": "dart", "one_drop": "1", "sample_type": "weighted"}, "reg:squarederror"),
        ({"booster": "gblinear"}, "binary:logistic"),
    ],
    ids=str,
)
def test_going_on_gives_the_same_bytes(tmp_path: Path, raw: dict[str, str], objective: str) -> None:
    """From each round, the model and its scores equal those of the run that was never stopped."""
    classes = 3 if objective.startswith("multi:") else 2
    train, held = rows(120, 1, classes), rows(60, 2, classes)
    raw = {"num_round": str(ROUNDS), "eval_metric": "rmse,mae", **raw}
    if classes > 2:
        raw["eval_metric"] = "mlogloss,merror"

    def fitted(folder: Path) -> Fitted:
        number = classes if classes > 2 else None
        return run(
            raw,
            objective=objective,
            num_class=number,
            train=train,
            held=held,
            checkpoints=each_round(folder),
        )

    whole = fitted(tmp_path / "whole")

    for last in (0, 4, ROUNDS - 1):
        again = fitted(copies(tmp_path / "whole", tmp_path / str(last), last))
        assert saved(again) == saved(whole), f"after round {last}"
        assert again.history == whole.history


@pytest.mark.parametrize("booster", ["gbtree", "dart"])
@pytest.mark.parametrize("last", [1, 8, 14])
def test_early_stopping_goes_on(tmp_path: Path, booster: str, last: int) -> None:
    """The best round, and the patience already used up, are those of one run."""
    raw = {"num_round": "60", "early_stopping_rounds": "6", "eta": "0.9", "booster": booster}
    raw |= {"rate_drop": "0.3"} if booster == "dart" else SAMPLED
    whole = run(raw, checkpoints=each_round(tmp_path / "whole"))
    done = len(whole.history["train"]["logloss"])
    last = min(last, done - 1)

    again = run(raw, checkpoints=each_round(copies(tmp_path / "whole", tmp_path / "killed", last)))

    assert done < 60
    assert (saved(again), again.best_iteration) == (saved(whole), whole.best_iteration)
    assert again.history == whole.history


def test_without_draws_checkpoints_change_nothing(tmp_path: Path) -> None:
    """The model with checkpoints is the model without, and so is that of a sampled run's kin."""
    checkpoints = Checkpoints(tmp_path / "checkpoints", rounds=2)

    assert saved(run(checkpoints=checkpoints)) == saved(run())
    assert saved(run(SAMPLED, checkpoints=Checkpoints(tmp_path / "more"))) != saved(run(SAMPLED))


def test_a_finished_run_trains_nothing_more(tmp_path: Path) -> None:
    """Its last checkpoint gives the model, without one line; more rounds go on from there."""
    lines: list[str] = []
    folder = each_round(tmp_path / "checkpoints")
    whole = run(SAMPLED | {"num_round": "8"}, checkpoints=each_round(tmp_path / "whole"))

    run(SAMPLED, checkpoints=folder)
    again = run(SAMPLED, checkpoints=folder, write=lines.append)
    assert (len(again.history["train"]["logloss"]), lines) == (5, [])
    more = run(SAMPLED | {"num_round": "8"}, checkpoints=folder, write=lines.append)

    assert [line.split("\t")[0] for line in lines] == ["[5]", "[6]", "[7]"]
    assert saved(more) == saved(whole)


@pytest.mark.parametrize(
    ("change", "differs"),
    [
        ({"raw": {"eta": "0.1"}}, "eta was not set and is 0.1"),
        ({"raw": {"early_stopping_rounds": "3"}}, "early_stopping_rounds was not set and is 3"),
        ({"raw": {"eval_metric": "auc,logloss"}}, "eval_metric was [] and is ['auc', "),
        ({"train": Dataset(TRAIN.X, 1 - TRAIN.y)}, "the train data is not the same"),
        ({"train": Dataset(TRAIN.X * F32(2), TRAIN.y)}, "the train data is not the same"),
        ({"held": rows(60, 7)}, "the validation data is not the same"),
        ({"data": "other files"}, "the input files are not the same"),
        ({"raw": {"num_round": "3"}}, "it holds 5 rounds, and num_round is 3"),
    ],
    ids=str,
)
def test_another_jobs_checkpoint_is_passed_over(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, change: dict[str, object], differs: str
) -> None:
    """What differs is named, the job starts anew, and the other's file stays where it is."""
    run(checkpoints=Checkpoints(tmp_path))
    other = (tmp_path / "xgboost-checkpoint.4").read_bytes()
    data = str(change.pop("data", ""))
    raw = {"num_round": "4"} | change.pop("raw", {})  # type: ignore[operator]

    with caplog.at_level(logging.WARNING):
        fitted = run(raw, checkpoints=Checkpoints(tmp_path, rounds=1, kept=1, data=data), **change)

    assert f"is passed over: it {'holds' if 'holds' in differs else 'is another'}" in caplog.text
    assert differs in caplog.text
    assert len(fitted.history["train"]["logloss"]) == int(raw["num_round"])
    assert (tmp_path / "xgboost-checkpoint.4").read_bytes() == other


def test_killed_at_any_moment() -> None:
    """Killed between rounds, within them or while writing, jobs end with the same bytes."""
    script = Path(__file__).parents[2] / "bench" / "kill_and_resume.py"
    options = ("--kills", "5", "--rounds", "20", "--rows", "600", "--threads", "1")

    done = subprocess.run(
        [sys.executable, script, *options], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr
    figures = re.search(r"5 kills in (\d+) jobs .*; (\d+) of \1 models bit-equal", done.stdout)
    assert figures is not None
    assert figures[1] == figures[2]


def test_the_scores_are_floats_to_the_last_bit(tmp_path: Path) -> None:
    """Scores that went through a file are the ones that were computed, undefined ones too."""
    raw = {"eval_metric": "auc,logloss"}
    held = Dataset(HELD.X, np.zeros(60, F32))
    whole = run(raw, held=held, checkpoints=each_round(tmp_path / "whole"))

    again = run(
        raw, held=held, checkpoints=each_round(copies(tmp_path / "whole", tmp_path / "killed", 2))
    )

    for name in ("train", "validation"):
        for metric in ("auc", "logloss"):
            np.testing.assert_array_equal(
                again.history[name][metric], whole.history[name][metric], strict=True
            )
    assert np.isnan(again.history["validation"]["auc"]).all()


def test_scores_at_another_threshold_are_another_jobs(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Early stopping would compare the F1 of one threshold with that of another."""
    metric = {"custom_metric": CustomMetrics(("f1_binary",), "binary:logistic", threshold=0.3)}
    run(checkpoints=Checkpoints(tmp_path), **metric)
    metric = {"custom_metric": CustomMetrics(("f1_binary",), "binary:logistic", threshold=0.7)}

    with caplog.at_level(logging.WARNING):
        fitted = run(checkpoints=Checkpoints(tmp_path), **metric)

    assert "threshold was 0.3 and is 0.7" in caplog.text
    assert fitted.history == run(**metric).history
