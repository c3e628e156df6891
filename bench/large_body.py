"""Measures the memory of one large request: `python bench/large_body.py text/csv`.

A model is trained on the bundled churn data, its rows are repeated to a body of the size asked for,
mapped from a file as the server maps a large body, and answered in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import mmap
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HYPERPARAMETERS = {"label": "Churn?", "num_round": "200", "max_depth": "5"}


def main() -> None:
    """Train, write the body, and answer it in a fresh process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("type", choices=["text/csv", "application/jsonlines"])
    parser.add_argument("--megabytes", type=int, default=100)
    parser.add_argument("--inner", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.inner:
        answer(given.type, Path(given.inner))
        return
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        train(base)
        write(base / "body", given.type, given.megabytes * 10**6)
        command = [sys.executable, __file__, given.type, "--inner", folder]
        subprocess.run(command, check=True)


def train(base: Path) -> None:
    """Train a model on the churn data."""
    from churn_daal import training
    from churn_daal.contract.paths import SageMakerPaths
    from churn_daal.contract.signals import StopSignal
    from churn_daal.data import churn_csv

    paths = SageMakerPaths(base)
    for path in (paths.config, paths.channel("train"), paths.model, paths.output_data):
        path.mkdir(parents=True)
    paths.hyperparameters.write_text(json.dumps(HYPERPARAMETERS))
    (paths.channel("train") / "churn.csv").write_text(churn_csv().read_text())
    training.run(paths, StopSignal())


def write(path: Path, kind: str, size: int) -> None:
    """Write the features of the churn data again and again."""
    from churn_daal.data import churn_csv

    head, *lines = (line.rpartition(",")[0] for line in churn_csv().read_text().splitlines())
    if kind != "text/csv":
        names = head.split(",")
        rows = (dict(zip(names, line.split(","), strict=True)) for line in lines)
        lines = [json.dumps(row) for row in rows]
    block = "\n".join(lines) + "\n"
    with path.open("w") as file:
        for _ in range(size // len(block) + 1):
            file.write(block)


def answer(kind: str, base: Path) -> None:
    """Answer the body and print what it took."""
    from churn_daal import artifact
    from churn_daal.serving.invocation import ModelService
    from churn_daal.serving.request import Request

    service = ModelService(artifact.load(base / "model", threads=1))
    with (base / "body").open("rb") as file:
        body = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    before, start = peak(), time.perf_counter()
    answered = service.answer(Request(body, content_type=kind))
    seconds = time.perf_counter() - start
    print(
        f"{kind}: a body of {len(body) / 1e6:.0f} MB, an answer of {len(answered.body) / 1e6:.0f} "
        f"MB, {seconds:.1f} s; peak memory {before} MB before and {peak()} MB after, the mapped "
        "body counted"
    )


def peak() -> int:
    """Return the most memory this process has had, in MB."""
    [size] = re.findall(r"VmHWM:\s*(\d+)", Path("/proc/self/status").read_text())
    return int(size) * 1024 // 10**6


if __name__ == "__main__":
    main()
