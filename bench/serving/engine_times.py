"""Prediction alone, without a server: each engine in a process on one core, rounds in turn."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from bench.serving.checking import TOLERANCE
from bench.serving.environments import environment
from bench.serving.home import APPS, BenchError
from bench.serving.measure import Plan
from bench.serving.models import ModelSpec, trained
from bench.serving.workloads import Workload, expected, matrix

ROW_COUNTS: Final = (1, 10, 100, 1_000)
# Of each engine, whose environment it runs in; None is the product's.
ENGINE_PINS: Final = {
    "onedal": None,
    "xgboost": None,
    "xgboost-dmatrix": None,
    "onnx": "engines",
    "treelite": "engines",
}


def time_engines(
    engines: Sequence[str], models: Sequence[ModelSpec], plan: Plan, left_out: dict[str, str]
) -> list[dict[str, Any]]:
    """Return medians over the rounds, a record a model and engine; say what was left out."""
    found: dict[tuple[ModelSpec, str], list[dict[str, Any]]] = defaultdict(list)
    for spec in models:
        for number in range(plan.rounds):
            for engine in engines:
                what = f"engine {engine} on {spec.name}"
                if what in left_out:
                    continue
                print(f"round {number + 1}: {what}", file=sys.stderr, flush=True)
                try:
                    found[spec, engine].append(_timed(engine, spec, plan))
                except BenchError as fault:
                    left_out[what] = str(fault)
                    print(f"  left out: {fault}", file=sys.stderr, flush=True)
    return [_medians(spec, engine, rounds) for (spec, engine), rounds in found.items()]


def _medians(spec: ModelSpec, engine: str, rounds: list[dict[str, Any]]) -> dict[str, Any]:
    def middle(pick: Any) -> float:  # noqa: ANN401 - one of the lines below
        return statistics.median(pick(one) for one in rounds)

    return {
        "model": spec.name,
        "engine": engine,
        "us": {count: middle(lambda one, c=count: one["us"][c]) for count in rounds[0]["us"]},
        "load_ms": middle(lambda one: one["load_ms"]),
        "difference": max(one["difference"] for one in rounds),
    }


def _timed(engine: str, spec: ModelSpec, plan: Plan) -> dict[str, Any]:
    model = trained(spec)
    pins = ENGINE_PINS[engine]
    python = environment(pins) if pins else Path(sys.executable)
    workload = Workload(spec, ROW_COUNTS[-1])
    environ = os.environ | {"OMP_NUM_THREADS": "1"}
    if pins:
        environ.pop("PYTHONPATH", None)
    with tempfile.TemporaryDirectory() as folder:
        rows, answers, booster = (
            Path(folder) / name for name in ("rows.npy", "answers.npy", "model.ubj")
        )
        np.save(rows, matrix(workload, model))
        np.save(answers, expected(workload, model))
        booster.write_bytes((model / "xgboost-model").read_bytes())
        made = model if engine == "onedal" else model.with_name(f"{model.name}.{engine}")
        at = [engine, str(booster), str(made)]
        _run([str(python), str(APPS / "engines.py"), *at], environ)
        pinned = [
            "taskset",
            "-c",
            str(plan.server_core),
            str(python),
            str(APPS / "engine_times.py"),
        ]
        told = _run([*pinned, *at, str(rows), str(answers), *map(str, ROW_COUNTS)], environ)
    seen: dict[str, Any] = json.loads(told)
    if not seen["difference"] <= TOLERANCE:
        raise BenchError(f"off by {seen['difference']:.1e} from XGBoost's own answers")
    return seen


def _run(command: list[str], environ: dict[str, str]) -> str:
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BenchError(f"{' '.join(command[-6:])}: {done.stderr[-800:]}")
    return done.stdout
