"""Training on a large CSV: this package's path against XGBoost's own text parser, side by side.

    python bench/larger_data.py [--rows 300000] [--columns 100] [--turns 3] [--folder /tmp]

Each turn runs both, one after the other, each in a process of its own, and prints wall time,
processor time (which tells more on a machine that others use) and peak memory; the last lines are
the medians. Both sides fit 30 rounds with XGBoost's defaults.
`ours` reads the channel, holds 20 % of the rows out and prints metrics each round, as a job does;
`whole job` is the program `train` itself, with conversion, gate, report and model folder.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ROUNDS = 30
ROOT = Path(__file__).parents[1]
SIDES = ("xgboost", "ours", "whole job")


def generate(path: Path, rows: int, columns: int) -> None:
    """Write a CSV of a 0/1 label and normal numbers with 17 digits, as NumPy prints them."""
    rng = np.random.default_rng(0)
    weights = rng.normal(size=columns)
    with path.open("w") as file:
        for start in range(0, rows, 10_000):
            X = rng.normal(size=(min(10_000, rows - start), columns))
            y = (X @ weights + rng.normal(size=len(X)) * 5 > 0).astype(int)
            for label, row in zip(y, X, strict=True):
                file.write(f"{label},{','.join(map(repr, row.tolist()))}\n")


def fit_with_xgboost(base: Path) -> None:
    """Fit as XGBoost's documentation does from a text file."""
    import xgboost

    file = base / "input" / "data" / "train" / "train.csv"
    rows = xgboost.DMatrix(f"{file}?format=csv&label_column=0")
    xgboost.train({"objective": "binary:logistic", "tree_method": "hist"}, rows, ROUNDS)


def fit_with_ours(base: Path) -> None:
    """Read the channel and fit, as a job does."""
    from churn_daal.boosting.fit import fit
    from churn_daal.boosting.hyperparameters import parse
    from churn_daal.cluster import World
    from churn_daal.contract.job import read_job
    from churn_daal.contract.paths import SageMakerPaths
    from churn_daal.contract.signals import StopSignal
    from churn_daal.training.budget import memory_budget
    from churn_daal.training.data import read_data

    job = read_job(SageMakerPaths(base))
    hp = parse(job.hyperparameters)
    data = read_data(job, hp, StopSignal(), world=World(("here",), 0))
    fit(
        data.train,
        data.held_out,
        hp,
        objective=data.objective,
        stop=StopSignal(),
        write=lambda _: None,
        budget=memory_budget(hp),
    )


def run_job(base: Path) -> None:
    """Run the program."""
    from churn_daal.contract.paths import SageMakerPaths
    from churn_daal.contract.signals import StopSignal
    from churn_daal.training import run

    run(SageMakerPaths(base), StopSignal())


def measure(side: str, base: Path) -> dict[str, float]:
    """Run one side in a process of its own; return seconds and peak megabytes."""
    start = time.monotonic()
    done = subprocess.run(
        [sys.executable, __file__, "--side", side, "--folder", str(base)],
        check=True,
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT / "src")},
    )
    peak, processor = map(float, done.stdout.split()[-2:])
    return {"seconds": time.monotonic() - start, "processor": processor, "peak_mb": peak}


def told(figures: dict[str, float]) -> str:
    """Return figures as one line has them."""
    seconds, processor, peak = figures["seconds"], figures["processor"], figures["peak_mb"]
    return f"{seconds:6.2f} s  {processor:6.2f} s of processor  {peak:5.0f} MB"


def lay(base: Path, rows: int, columns: int) -> None:
    """Lay the job's files."""
    for folder in ("input/config", "input/data/train", "model", "output/data"):
        (base / folder).mkdir(parents=True)
    settings = {"num_round": str(ROUNDS), "objective": "binary:logistic", "tree_method": "hist"}
    (base / "input/config/hyperparameters.json").write_text(json.dumps(settings))
    generate(base / "input/data/train/train.csv", rows, columns)


def main() -> None:
    """Measure all sides in turn."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=300_000)
    parser.add_argument("--columns", type=int, default=100)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--folder", default=None, help="where the data goes; a new folder")
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.side:
        {"xgboost": fit_with_xgboost, "ours": fit_with_ours, "whole job": run_job}[options.side](
            Path(options.folder)
        )
        used = resource.getrusage(resource.RUSAGE_SELF)
        print(used.ru_maxrss / 1024, used.ru_utime + used.ru_stime)
        return
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        lay(Path(folder), options.rows, options.columns)
        size = (Path(folder) / "input/data/train/train.csv").stat().st_size
        print(f"{size / 1e6:.0f} MB, {options.rows} x {options.columns}, {ROUNDS} rounds")
        found: dict[str, list[dict[str, float]]] = {side: [] for side in SIDES}
        for _ in range(options.turns):
            for side in SIDES:
                found[side].append(measure(side, Path(folder)))
                print(f"{side:10} {told(found[side][-1])}", flush=True)
        for side, figures in found.items():
            middle = {
                name: statistics.median(figure[name] for figure in figures) for name in figures[0]
            }
            print(f"median {side:10} {told(middle)}")


if __name__ == "__main__":
    main()
