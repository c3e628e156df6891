"""Print what shapes of the same machine answer: worker processes, servers, oneDAL's threads.

Usage: python bench/shape.py [--rounds 3] [--seconds 3]

Server and load share all cores, as nothing else is there to do, so figures of few rows are those of
both; compare them with each other. Each shape is started once a round, in turn.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
from bench.serving import load
from bench.serving.environments import compile_sources
from bench.serving.models import ModelSpec, trained
from bench.serving.peers import ours
from bench.serving.servers import megabytes, running
from bench.serving.workloads import SHORT, Workload, body

ROWS = (1, 100, 1_000)
CONNECTIONS = (1, 16)


def shapes(cores: int) -> dict[str, dict[str, str]]:
    """Return settings by what they make."""
    one = {"SAGEMAKER_MODEL_SERVER_WORKERS": "1"}
    each = {"SAGEMAKER_MODEL_SERVER_WORKERS": str(cores)}
    twice = {"SAGEMAKER_MODEL_SERVER_WORKERS": str(2 * cores)}
    threads = {"CHURN_DAAL_SERVER": "threads"}
    return {
        "1 event loop": one,
        f"{cores} event loops": each,
        f"{2 * cores} event loops": twice,
        "1 of 16 threads": one | threads,
        f"{cores} of 16 threads": each | threads,
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=3)
    given = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0))
    compile_sources()
    spec = ModelSpec("binary", 200, 5)
    model = trained(spec)
    rates: dict[tuple[str, int, int], list[float]] = defaultdict(list)
    memory: dict[str, list[float]] = defaultdict(list)
    for _ in range(given.rounds):
        for name, settings in shapes(len(cores)).items():
            peer = ours(name, **settings)
            bodies = {
                rows: body(Workload(model=spec, format="csv", rows=rows, connections=1), "csv")
                for rows in ROWS
            }
            how: dict[str, Any] = {"body": bodies[1], "content_type": SHORT["csv"]}
            everywhere = ",".join(map(str, cores))
            with running(peer, model, core=everywhere, **how) as server:
                for rows, content in bodies.items():
                    for connections in CONNECTIONS:
                        rate = _rate(server.url, content, connections, given.seconds, everywhere)
                        rates[name, rows, connections].append(rate)
                memory[name].append(megabytes(server.process)[1])
    cells = [(rows, connections) for rows in ROWS for connections in CONNECTIONS]
    heads = [f"{rows:,} x {connections}" for rows, connections in cells]
    print(f"| rows x connections | {' | '.join(heads)} | memory, MB |")
    print("| --- " * (len(cells) + 2) + "|")
    for name in shapes(len(cores)):
        figures = [f"{median(rates[name, *cell]):,.0f}" for cell in cells]
        print(f"| {name} | {' | '.join(figures)} | {median(memory[name]):,.0f} |")


def _rate(url: str, content: bytes, connections: int, seconds: int, cores: str) -> float:
    with tempfile.NamedTemporaryFile() as file:
        Path(file.name).write_bytes(content)
        how: dict[str, Any] = {"connections": connections, "core": cores}
        load.run(url, Path(file.name), SHORT["csv"], seconds=1, **how)
        return load.run(url, Path(file.name), SHORT["csv"], seconds=seconds, **how).rate


if __name__ == "__main__":
    main()
