"""Print the tables of docs/engine.md: parity of each objective, conversion, load and prediction.

Usage: python bench/engine_figures.py [CHURN_CSV] [--trees 500] [--depth 8]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from statistics import median

import numpy as np
import pyarrow.csv
import xgboost

from churn_daal.engine import build, convert, engine_versions, load_onedal
from churn_daal.engine.native import XGBoostEngine
from churn_daal.engine.objectives import objective_names

HELD_OUT = 1_000
REPEATS = 5
ALPHAS = {
    "reg:quantileerror": {"quantile_alpha": 0.5},
    "reg:expectileerror": {"expectile_alpha": 0.5},
}


def read_churn(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows, text columns as one-hot codes, and the label as 0 and 1."""
    table = pyarrow.csv.read_csv(path)
    columns = []
    for name in table.column_names[:-1]:
        values = table[name].to_numpy()
        if values.dtype == object:
            columns += [values == word for word in sorted(set(values))]
        else:
            columns.append(values)
    churned = table[table.column_names[-1]].to_numpy() == "True."
    return np.stack(columns, axis=1).astype(np.float32), churned.astype(np.float32)


def matrix_for(objective: str, X: np.ndarray, y: np.ndarray) -> xgboost.DMatrix:
    """Return a training set with a label the objective takes, made of the churn data."""
    noise = np.random.default_rng(1).gamma(4, 0.25, len(X))
    minutes = (X[:, X.var(axis=0).argmax()] / 100 + 0.1) * noise
    matrix = xgboost.DMatrix(X)
    if objective.startswith("multi:"):
        matrix.set_label(np.digitize(minutes, np.quantile(minutes, [0.33, 0.66])))
    elif objective == "survival:aft":
        matrix.set_float_info("label_lower_bound", minutes)
        matrix.set_float_info("label_upper_bound", np.where(y > 0, minutes, np.inf))
    elif objective == "survival:cox":
        matrix.set_label(np.where(y > 0, minutes, -minutes))
    elif objective.startswith(("binary:", "rank:")) or objective == "reg:logistic":
        matrix.set_label(y)
    else:
        matrix.set_label(minutes + y)
    if objective.startswith("rank:"):
        matrix.set_group([len(X) // 50] * 50)
    return matrix


def microseconds(call: Callable[[], object], times: int) -> float:
    """Return the median time of a call after one that warms it."""
    call()
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        call()
        taken.append(time.perf_counter() - start)
    return median(taken) * 1e6


def print_parity(X: np.ndarray, y: np.ndarray) -> None:
    """Train 100 rounds of each objective and print what the gate found."""
    print("| objective | splits | rows | largest difference | engine |\n|---|---|---|---|---|")
    # The template's settings but for gamma=4, which leaves some objectives single leaves.
    template = {"max_depth": 5, "min_child_weight": 6, "subsample": 0.7, "eta": 0.2}
    train, held_out = slice(0, -HELD_OUT), slice(-HELD_OUT, None)
    for objective in objective_names():
        params = {"objective": objective, "seed": 0} | template | ALPHAS.get(objective, {})
        if objective.startswith("multi:"):
            params["num_class"] = 3
        try:
            booster = xgboost.train(params, matrix_for(objective, X[train], y[train]), 100)
        except xgboost.core.XGBoostError as error:
            cause = str(error).splitlines()[0].rpartition(": ")[0].rpartition(": ")[2]
            print(f"| {objective} | - | - | {cause} | - |")
            continue
        built = build(booster, X[held_out], seed=0)
        found = built.parity
        shown = f"{found.max_difference:.1e} ({found.quantity})" if found else built.reason
        splits = sum(dump.count("yes=") for dump in booster.get_dump())
        rows = found.rows if found else "-"
        print(f"| {objective} | {splits:,} | {rows} | {shown} | {built.engine.name} |")


def print_speed(X: np.ndarray, y: np.ndarray, trees: int, depth: int) -> None:
    """Print the times of one large model, both engines in this one run."""
    rng = np.random.default_rng(0)
    noisy = np.where(rng.random(len(y)) < 0.2, 1 - y, y)
    params = {
        "objective": "binary:logistic",
        "max_depth": depth,
        "eta": 0.05,
        "min_child_weight": 0,
    }
    booster = xgboost.train(params, xgboost.DMatrix(X, noisy), trees)
    native, onedal = XGBoostEngine(booster), convert(booster)
    data = onedal.to_bytes()

    def load() -> object:
        width = X.shape[1]
        return load_onedal(data, objective="binary:logistic", n_features=width, n_classes=2)

    print(f"\n{trees} trees of depth {depth}, {X.shape[1]} columns, {len(data):,} bytes")
    print(f"convert: {microseconds(lambda: convert(booster), REPEATS) / 1e6:.2f} s")
    print(f"load: {microseconds(load, REPEATS) / 1e3:.1f} ms")
    print("\n| rows | oneDAL us | XGBoost us | ratio |\n|---|---|---|---|")
    for rows, times in ((1, 2_000), (100, 300), (1_000, 50)):
        block = np.ascontiguousarray(X[:rows])
        ours, theirs = (
            microseconds(lambda engine=engine, block=block: engine.predict(block), times)
            for engine in (onedal, native)
        )
        print(f"| {rows:,} | {ours:,.0f} | {theirs:,.0f} | {theirs / ours:.1f} |")


def main() -> None:
    """Print every table."""
    parser = argparse.ArgumentParser(description=__doc__)
    default = Path(str(files("churn_daal.data") / "churn.csv"))
    parser.add_argument("csv", nargs="?", type=Path, default=default)
    parser.add_argument("--trees", type=int, default=500)
    parser.add_argument("--depth", type=int, default=8)
    options = parser.parse_args()
    X, y = read_churn(options.csv)
    print(engine_versions(), "\n")
    print_parity(X, y)
    print_speed(X, y, options.trees, options.depth)


if __name__ == "__main__":
    main()
