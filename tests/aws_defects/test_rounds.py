"""What AWS's image does wrong between rounds: resuming, folds, early stopping (X1, X4, X6)."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from churn_daal.contract.paths import SageMakerPaths

from .jobs import RunJob, StartJob, contents, csv_text

RNG = np.random.default_rng(11)
X = RNG.normal(size=(300, 3)).round(3)
Y = (X[:, 0] + RNG.normal(size=300) > 0).astype(int)
NAMES = "y,a,b,c"
TEXT = csv_text(Y, *X.T, names=NAMES)
TRAIN, HELD = (
    csv_text(Y[:200], *X[:200].T, names=NAMES),
    csv_text(Y[200:], *X[200:].T, names=NAMES),
)
ROUNDS = 150


def rounds_of(printed: str) -> list[int]:
    """Return the numbers of the rounds that were printed."""
    return [int(number) for number in re.findall(r"^\[(\d+)\]\t", printed, re.MULTILINE)]


def test_x1_a_killed_job_goes_on_where_it_was(
    lay_job: Callable[..., SageMakerPaths], start: StartJob, tmp_path: Path
) -> None:
    """X1: after kill -9 the rounds before the checkpoint are not done again; equal bytes."""
    given = {"num_round": ROUNDS, "max_depth": 4, "subsample": 0.6, "objective": "binary:logistic"}
    jobs = []
    for name in ("whole", "killed"):
        paths = lay_job(tmp_path / name, TEXT, **given, nthread=1, checkpoint_rounds=5)
        paths.checkpoint_config.write_text(json.dumps({"LocalPath": "/opt/ml/checkpoints"}))
        jobs.append(paths)
    whole, killed = jobs
    process = start(whole)
    printed, errors = process.communicate(timeout=120)
    assert (process.returncode, rounds_of(printed)) == (0, list(range(ROUNDS))), errors

    # Its lines fill the small pipe nobody reads, so it cannot be over before it is killed.
    process = start(killed, pipesize=4096)
    end = time.monotonic() + 120
    while not list((killed.base / "checkpoints").glob("xgboost-checkpoint.??")):
        assert process.poll() is None
        assert time.monotonic() < end
        threading.Event().wait(0.005)
    process.kill()
    before = rounds_of(process.communicate(timeout=120)[0])
    assert before[-1] < ROUNDS - 1
    again = start(killed)
    printed, errors = again.communicate(timeout=120)

    after = rounds_of(printed)
    assert again.returncode == 0, errors
    assert 10 <= after[0] <= before[-1] + 1
    assert after == list(range(after[0], ROUNDS))
    assert contents(killed.model) == contents(whole.model)


def test_x4_folds_without_an_objective_are_scored_on_rows_they_did_not_see(run: RunJob) -> None:
    """X4: the printed AUC is that of out-of-fold answers, and no objective need be named."""
    words = np.where(RNG.integers(0, 2, 300), "stay", "go")

    job = run(
        csv_text(words, *X.T, names=NAMES), _kfold=5, eval_metric="auc", num_round=25, max_depth=6
    )

    out = np.array([
        row.split(",") for row in (job.paths.output_data / "predictions.csv").read_text().split()
    ])  # fmt: skip
    of_all = roc_auc_score(out[:, 0] == "stay", out[:, 1].astype(float))
    scores = job.last_printed()
    assert scores["train-auc"] > 0.95
    assert scores["validation-auc"] == pytest.approx(of_all, abs=0.08)
    assert scores["validation-auc"] < 0.65
    assert contents(job.paths.model).keys() == {
        *("xgboost-model", "daal/manifest.json", "daal/onedal.bin")
    }


@pytest.mark.parametrize(
    ("validation", "given"),
    [(HELD, {}), (None, {}), (None, {"eval_metric": "auc"}), (HELD, {"eval_metric": "auc"})],
    ids=["no metric", "neither", "no validation", "both"],
)
def test_x6_early_stopping_is_never_ignored(
    run: RunJob, validation: str | None, given: dict[str, object]
) -> None:
    """X6: without eval_metric the objective's own decides, without validation rows are held out."""
    text = TEXT if validation is None else TRAIN

    job = run(
        text,
        validation,
        objective="binary:logistic",
        num_round=200,
        eta=0.9,
        early_stopping_rounds=5,
        **given,
    )

    metric = given.get("eval_metric", "logloss")
    scores = np.array(job.scores(str(metric)))
    best = int(scores.argmax() if metric == "auc" else scores.argmin())
    assert len(job.printed) == best + 1 + 5 < 200
    assert job.booster.num_boosted_rounds() == best + 1
    held_out = "no validation channel: 60 of 300 rows are held out"
    assert (held_out in job.log) == (validation is None)


@pytest.mark.parametrize("metric", ["ndcg@3", "map@3", "ndcg@3-", "map"])
def test_x6_ranking_metrics_with_a_cut_are_maximised(run: RunJob, metric: str) -> None:
    """X6: early stopping keeps the round with the highest ndcg@k or map@k, not the lowest."""
    query = np.repeat(np.arange(30), 10)

    job = run(
        csv_text(Y[:200], query[:200], *X[:200].T, names="y,q,a,b,c"),
        csv_text(Y[200:], query[200:], *X[200:].T, names="y,q,a,b,c"),
        objective="rank:ndcg",
        group="q",
        eval_metric=metric,
        eta=0.5,
        num_round=200,
        early_stopping_rounds=6,
    )

    scores = np.array(job.scores(metric))
    assert scores.max() > scores.min(), "equal scores have no direction"
    assert job.booster.num_boosted_rounds() == scores.argmax() + 1
    assert len(scores) == scores.argmax() + 1 + 6
