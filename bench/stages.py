"""Print the budget of a request: microseconds of each stage, of one thread, without HTTP.

Usage: python bench/stages.py [--trees 200] [--depth 5] [--type text/csv] [--numbers] [--quoted]
       [--rounds 15]

A model is trained on the bundled churn data and answers its first rows. Each round measures every
stage once, so that a busy moment does not fall on one of them alone. The time is that which the
thread itself has computed, as other processes may share the cores.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import io
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from churn_daal import artifact, training
from churn_daal.contract.paths import SageMakerPaths
from churn_daal.contract.signals import StopSignal
from churn_daal.data import churn_csv
from churn_daal.serving.decoders import FORMATS
from churn_daal.serving.drift import Ranges
from churn_daal.serving.encoders import ENCODERS, SCORE_ALONE
from churn_daal.serving.invocation import ModelService
from churn_daal.serving.options import USUAL
from churn_daal.serving.outputs import plan
from churn_daal.serving.predictions import predictions
from churn_daal.serving.request import Request

LABEL = "Churn?"
ROWS = (1, 1_000)
SECONDS_A_TURN = 0.02


def main() -> None:
    """Train, then print a table for each number of rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trees", type=int, default=200)
    parser.add_argument("--depth", type=int, default=5)
    parser.add_argument("--type", choices=["text/csv", "application/json"], default="text/csv")
    parser.add_argument("--numbers", action="store_true", help="leave the text columns out")
    parser.add_argument("--quoted", action="store_true", help="put every text of CSV in quotes")
    parser.add_argument("--rounds", type=int, default=15)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        table = churn_table(numbers=given.numbers)
        train(Path(folder), table, {"num_round": str(given.trees), "max_depth": str(given.depth)})
        model = artifact.load(Path(folder) / "model", threads=1)
        for rows in ROWS:
            stages = stages_of(
                model, given.type, body_of(table, given.type, rows, quoted=given.quoted)
            )
            print(f"\n{rows:,} rows of {len(table[0]) - 1} columns, {given.type}\n")
            print("| stage | median us | least us |\n|---|---|---|")
            for name, taken in measured(stages, given.rounds).items():
                print(f"| {name} | {median(taken):,.1f} | {min(taken):,.1f} |")


def churn_table(*, numbers: bool) -> list[list[str]]:
    """Return the churn data, names first and the label last."""
    table = list(csv.reader(io.StringIO(churn_csv().read_text())))
    text = [not cell.replace(".", "").isdigit() for cell in table[1][:-1]] + [False]
    return [
        [cell for cell, word in zip(row, text, strict=True) if not (numbers and word)]
        for row in table
    ]


def train(base: Path, table: list[list[str]], sizes: dict[str, str]) -> None:
    """Train a model below `base`, as a job does."""
    paths = SageMakerPaths(base)
    for path in (paths.config, paths.channel("train"), paths.model, paths.output_data):
        path.mkdir(parents=True)
    parameters = {"label": LABEL, "objective": "binary:logistic", **sizes}
    paths.hyperparameters.write_text(json.dumps(parameters))
    with (paths.channel("train") / "churn.csv").open("w", newline="") as file:
        csv.writer(file).writerows(table)
    # Its log would stand before the tables.
    with contextlib.redirect_stdout(sys.stderr):
        training.run(paths, StopSignal())


def body_of(table: list[list[str]], kind: str, rows: int, *, quoted: bool = False) -> memoryview:
    """Return the first rows' features as a request's body."""
    names, *cells = (row[:-1] for row in table[: rows + 1])
    if quoted:
        cells = [
            [cell if isinstance(natural(cell), float) else f'"{cell}"' for cell in row]
            for row in cells
        ]
    if kind == "text/csv":
        return memoryview("".join(f"{','.join(row)}\n" for row in cells).encode())
    records = [dict(zip(names, map(natural, row), strict=True)) for row in cells]
    return memoryview(json.dumps({"instances": records}).encode())


def natural(cell: str) -> str | float:
    """Return a number where a JSON writer would have one."""
    return float(cell) if cell.replace(".", "").isdigit() else cell


def stages_of(
    model: artifact.Model, kind: str, body: memoryview
) -> dict[str, Callable[[], object]]:
    """Return what is done about a request, stage by stage and as a whole."""
    service, ranges = ModelService(model), Ranges.of(model.manifest)
    planned = plan(model.manifest, USUAL)
    decode, encode = FORMATS[kind].decode, ENCODERS[FORMATS[kind].answer]
    labelled = FORMATS[kind].answer not in SCORE_ALONE
    [X] = decode(body, {}, model.encoder)
    answered = predictions(model, planned, X, labelled=labelled)
    return {
        "decode": lambda: list(decode(body, {}, model.encoder)),
        "compare with the ranges of training": lambda: ranges and ranges.count(X, {}),
        "predict": lambda: model.predict(X),
        "predict, and name what is answered": lambda: predictions(
            model, planned, X, labelled=labelled
        ),
        "encode": lambda: encode([answered]),
        "the whole, `ModelService.answer`": lambda: service.answer(
            Request(body, content_type=kind)
        ),
    }


def measured(stages: dict[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Return the microseconds of each stage in each round, after one that warms it."""
    taken: dict[str, list[float]] = {name: [] for name in stages}
    times = {name: max(1, int(SECONDS_A_TURN / seconds(call, 3))) for name, call in stages.items()}
    for _ in range(rounds):
        for name, call in stages.items():
            taken[name].append(seconds(call, times[name]) * 1e6)
    return taken


def seconds(call: Callable[[], object], times: int) -> float:
    """Return the thread's time of one call."""
    start = time.thread_time_ns()
    for _ in range(times):
        call()
    return max(1, time.thread_time_ns() - start) / times / 1e9


if __name__ == "__main__":
    main()
