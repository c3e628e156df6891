"""Kill training jobs at random moments, resume them, and compare their models with unkilled ones.

    PYTHONPATH=src python bench/kill_and_resume.py --kills 50

Each job is a process of its own, ended by SIGKILL at a moment drawn from the time the whole job
takes, once or several times, and then run to its end. It ends with 1 where a model differs.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import tempfile
import time
import traceback
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xgboost

from churn_daal.boosting.checkpoints import Checkpoints
from churn_daal.boosting.dataset import Dataset
from churn_daal.boosting.fit import fit
from churn_daal.boosting.hyperparameters import parse
from churn_daal.contract.signals import StopSignal

DRAWS = {"subsample": "0.7", "colsample_bytree": "0.8", "colsample_bylevel": "0.8"}
JOBS: tuple[tuple[str, dict[str, str]], ...] = (
    ("binary:logistic", DRAWS | {"colsample_bynode": "0.8", "early_stopping_rounds": "200"}),
    ("reg:squarederror", DRAWS | {"tree_method": "approx"}),
    ("count:poisson", DRAWS | {"tree_method": "exact", "subsample": "0.5"}),
    ("multi:softprob", DRAWS | {"num_parallel_tree": "2"}),
    ("binary:logistic", DRAWS | {"booster": "dart", "rate_drop": "0.3"}),
    ("reg:absoluteerror", {"grow_policy": "lossguide", "max_leaves": "12"}),
)
CLASSES = 3


@dataclass(frozen=True)
class Size:
    """How large the jobs are."""

    rows: int
    rounds: int
    threads: int


def train(job: int, size: Size, folder: Path, model: Path) -> None:
    """Run one job to its end."""
    objective, raw = JOBS[job]
    rng = np.random.default_rng(job)
    X = rng.normal(size=(size.rows, 12)).astype(np.float32)
    score = X[:, 0] + X[:, 1] * X[:, 2] + rng.normal(size=size.rows)
    y = np.digitize(score, np.quantile(score, [1 / 3, 2 / 3])).astype(np.float32)
    if objective.startswith("binary:"):
        y = np.minimum(y, 1)
    data = Dataset(X, y)
    cut = size.rows * 4 // 5
    hp = parse(raw | {"num_round": str(size.rounds), "nthread": str(size.threads)})
    with model.with_suffix(".lines").open("a") as lines, StopSignal() as stop:
        fitted = fit(
            data.take(np.arange(cut)),
            data.take(np.arange(cut, size.rows)),
            hp,
            objective=objective,
            num_class=CLASSES if objective.startswith("multi:") else None,
            stop=stop,
            write=lines.write,
            checkpoints=Checkpoints(folder, rounds=3, seconds=0.2),
        )
    model.write_bytes(fitted.booster.save_raw("ubj"))


def in_a_process(
    job: int, size: Size, folder: Path, model: Path, *, kill: float | None = None
) -> bool:
    """Run a job in a process of its own; kill it after so many seconds; tell whether it was."""
    child = os.fork()
    if child == 0:
        try:
            train(job, size, folder, model)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    if kill is not None:
        time.sleep(kill)
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return True
    if os.WEXITSTATUS(status):
        sys.exit("a job failed; its trace is above")
    return False


def main() -> int:
    """Kill, resume, compare; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--rows", type=int, default=3000)
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    size = Size(options.rows, options.rounds, options.threads)
    draw = random.Random(options.seed)  # noqa: S311 - only when to kill
    kills = resumed = jobs = equal = 0
    with tempfile.TemporaryDirectory() as temporary:
        base = Path(temporary)
        whole: dict[int, tuple[bytes, float]] = {}
        while kills < options.kills:
            job = jobs % len(JOBS)
            if job not in whole:
                start, model = time.monotonic(), base / f"{job}.ubj"
                in_a_process(job, size, base / f"whole{job}", model)
                whole[job] = model.read_bytes(), time.monotonic() - start
            expected, seconds = whole[job]
            folder, model = base / f"killed{jobs}", base / f"killed{jobs}.ubj"
            wanted = min(draw.choice((1, 1, 2)), options.kills - kills)
            for _ in range(wanted):
                if not in_a_process(job, size, folder, model, kill=draw.uniform(0, seconds)):
                    break
                kills += 1
                resumed += any(folder.glob("xgboost-checkpoint.*"))
            in_a_process(job, size, folder, model)
            same = model.read_bytes() == expected
            jobs, equal = jobs + 1, equal + same
            if not same:
                print(f"job {job} {JOBS[job]} differs", flush=True)
    print(
        f"XGBoost {xgboost.__version__}: {kills} kills in {jobs} jobs of {size.rounds} rounds, "
        f"{resumed} of them with a checkpoint to go on from; {equal} of {jobs} models bit-equal"
    )
    return 0 if equal == jobs else 1


if __name__ == "__main__":
    sys.exit(main())
