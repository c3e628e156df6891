"""Times one engine in a process: `engine_times.py ENGINE BOOSTER MADE ROWS ANSWERS COUNT...`.

ROWS is float32 (rows, columns) and ANSWERS what XGBoost predicts for them, both as npy files.
Prints JSON: microseconds of a request by its rows, milliseconds of a load, the largest difference.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable

import numpy as np
from engines import ENGINES

SECONDS = 0.3
FEWEST = 5
LOADS = 3


def seconds_of(call: Callable[[], object], fewest: int, seconds: float) -> float:
    """Return the median time of a call, after one that warms it."""
    call()
    taken: list[float] = []
    while len(taken) < fewest or sum(taken) < seconds:
        start = time.perf_counter()
        call()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def main(engine: str, booster: str, made: str, rows: str, answers: str, *counts: str) -> None:
    """Time an engine."""
    X, wanted = np.load(rows), np.load(answers)
    predict = ENGINES[engine](booster, made)
    off = np.abs(predict(X) - wanted) / np.maximum(1, np.abs(wanted))
    found = {}
    for count in counts:
        block = np.ascontiguousarray(X[: int(count)])
        found[count] = seconds_of(lambda block=block: predict(block), FEWEST, SECONDS) * 1e6
    load = seconds_of(lambda: ENGINES[engine](booster, made), LOADS, 0)
    print(json.dumps({"us": found, "load_ms": load * 1e3, "difference": float(off.max())}))


if __name__ == "__main__":
    main(*sys.argv[1:])
