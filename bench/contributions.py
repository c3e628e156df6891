"""Print how far contributions are from exact ones, and on how many boosters oneDAL's are wrong.

Usage: python bench/contributions.py [--boosters 60]

Contributions add up to the margin, which the leaves of a row give exactly, in float64.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import xgboost

from churn_daal.engine import Engine, convert
from churn_daal.engine.extension import extension
from churn_daal.errors import ConversionError

ROWS = 500
WRONG = 1e-4


def exact_margins(booster: xgboost.Booster, X: np.ndarray) -> np.ndarray:
    """Return the margins as float64 sums of leaves."""
    values = {
        (number, node["nodeid"]): node["leaf"]
        for number, tree in enumerate(booster.get_dump(dump_format="json"))
        for node in nodes(json.loads(tree))
        if "leaf" in node
    }
    leaves = booster.predict(xgboost.DMatrix(X), pred_leaf=True).astype(int)
    sums = np.array([sum(values[tree, leaf] for tree, leaf in enumerate(row)) for row in leaves])
    config = json.loads(booster.save_config())
    base = json.loads(config["learner"]["learner_model_param"]["base_score"])
    return sums + float(np.ravel(base)[0])


def nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield a node and all below it."""
    yield node
    for child in node.get("children", ()):
        yield from nodes(child)


def contributions(engine: Engine, X: np.ndarray, fptype: str) -> np.ndarray:
    """Ask oneDAL in one precision."""
    algorithm = extension().gbt_regression_prediction(
        fptype=fptype, resultsToCompute="shapContributions"
    )
    return algorithm.compute(X, engine._model).prediction.reshape(len(X), -1)  # type: ignore[attr-defined]


def print_precision() -> None:
    """Train 300 trees of depth 6 and print each way's largest distance from the exact sum."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(4000, 20)).astype(np.float32)
    X[rng.random(X.shape) < 0.1] = np.nan
    y = np.nan_to_num(X[:, 0] * X[:, 1] + X[:, 2]) + rng.normal(size=len(X))
    booster = xgboost.train({"max_depth": 6}, xgboost.DMatrix(X, y), 300)
    engine = convert(booster)
    exact = exact_margins(booster, X[:ROWS])
    ways = {
        "oneDAL, float32": contributions(engine, X[:ROWS], "float"),
        "oneDAL, float64": contributions(engine, X[:ROWS], "double"),
        "XGBoost": booster.predict(xgboost.DMatrix(X[:ROWS]), pred_contribs=True),
    }
    print(
        "| contributions of 300 trees of depth 6 | largest distance from the exact sum |\n|---|---|"
    )
    for name, values in ways.items():
        print(f"| {name} | {np.abs(values.astype(np.float64).sum(axis=1) - exact).max():.1e} |")


def print_wrong(boosters: int) -> None:
    """Train random boosters and print how many have contributions that are not XGBoost's."""
    worst, wrong, converted = 0.0, 0, 0
    for seed in range(boosters):
        rng = np.random.default_rng(seed)
        X = rng.integers(0, 6, size=(400, 5)).astype(np.float32)
        X[rng.random(X.shape) < 0.3] = np.nan
        y = np.nan_to_num(X).sum(axis=1) + rng.normal(size=len(X))
        settings = {"max_depth": int(rng.integers(2, 9)), "tree_method": "exact", "lambda": 0.1}
        booster = xgboost.train(settings, xgboost.DMatrix(X, y), 20)
        try:
            engine = convert(booster)
        except ConversionError:
            continue
        converted += 1
        theirs = booster.predict(xgboost.DMatrix(X), pred_contribs=True)
        off = float(np.abs(contributions(engine, X, "double") - theirs).max())
        worst, wrong = max(worst, off), wrong + (off > WRONG)
    print(
        f"\n{wrong} of {converted} random boosters are off by more than {WRONG}, the worst by "
        f"{worst:.2g}"
    )


def main() -> None:
    """Print both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--boosters", type=int, default=60)
    options = parser.parse_args()
    print_precision()
    print_wrong(options.boosters)


if __name__ == "__main__":
    main()
