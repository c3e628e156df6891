"""Print what oneDAL takes for some rows as they are, and with their last block filled.

Usage: python bench/blocks.py [--trees 200] [--depth 5]

Least microseconds of one thread over many calls, on a model of 19 number columns.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[1]
ROWS = (1, 10, 16, 27, 28, 40, 79, 80, 100, 110, 150, 500, 1_000, 4_000)
CALLS = 60


def least(call: Callable[[], object]) -> float:
    """Return the microseconds of the quickest call."""
    best = float("inf")
    for _ in range(CALLS):
        start = time.perf_counter_ns()
        call()
        best = min(best, time.perf_counter_ns() - start)
    return best / 1e3


def main() -> None:
    """Train, then measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trees", type=int, default=200)
    parser.add_argument("--depth", type=int, default=5)
    given = parser.parse_args()
    sys.path.insert(0, str(ROOT))
    from bench.serving.models import ModelSpec, trained

    from churn_daal import artifact
    from churn_daal.engine.onedal import MarginEngine

    model = artifact.load(trained(ModelSpec("binary", given.trees, given.depth)), threads=1)
    engine = model.engine
    assert isinstance(engine, MarginEngine)  # noqa: S101 - binary models are
    X = np.random.default_rng(0).random((max(ROWS), engine.n_features), dtype=np.float32)
    print("| rows | as they are, us | filled, us |\n|---|---|---|")
    for rows in ROWS:
        some = X[:rows]
        bare = least(lambda some=some: engine._algorithm().compute(some, engine._model))
        print(f"| {rows:,} | {bare:,.0f} | {least(lambda some=some: engine.margin(some)):,.0f} |")


if __name__ == "__main__":
    main()
