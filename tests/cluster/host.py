"""One host of a job of several, as a program: the tests start two or three of these.

The first argument is a JSON object, see `main`; what the host saw goes to `<folder>/seen.json`.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import socket
import sys
from pathlib import Path
from typing import Any

import numpy as np
import xgboost

from churn_daal.cluster import Network, World, check_limits, cluster
from churn_daal.cluster import world as world_module
from churn_daal.contract.failure import write_failure
from churn_daal.contract.paths import SageMakerPaths
from churn_daal.contract.signals import StopSignal
from churn_daal.errors import ChurnDaalError, UserError

ROWS, WIDTH = 20_000, 6
Spec = dict[str, Any]


def rows(spec: Spec, world: World, *, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return this host's share of rows that are the same whoever shares them."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(ROWS, WIDTH)).astype(np.float32)
    noise = rng.normal(scale=0.5, size=ROWS)
    y = (X[:, 0] + 0.7 * X[:, 1] + 0.5 * (X[:, 2] > 0) * X[:, 3] + noise > 0).astype(np.float32)
    if seed:
        return X, y
    sharers = [rank for rank in range(world.size) if rank not in spec.get("empty", ())]
    if world.rank not in sharers:
        return X[:0], y[:0]
    part = slice(sharers.index(world.rank), None, len(sharers))
    return X[part], y[part]


class EachRound(xgboost.callback.TrainingCallback):
    """What a host does between two rounds, and what happens to it there."""

    def __init__(self, spec: Spec, world: World, stop: StopSignal) -> None:
        super().__init__()
        self.spec, self.world, self.stop = spec, world, stop

    def after_iteration(self, _model: object, epoch: int, _log: object) -> bool:
        """Say where it is; return whether all stop."""
        (Path(self.spec["folder"]) / "round").write_text(str(epoch))
        if self.spec.get("dies_in") == epoch:
            os.kill(os.getpid(), self.spec.get("by", signal.SIGKILL))
        if self.spec.get("fails_in") == epoch:
            raise UserError("label.csv, row 7: 'yes' is no number.")
        return self.world.any(self.stop.requested)


def train(spec: Spec, world: World, stop: StopSignal) -> dict[str, Any]:
    """Fit on the shares of all hosts; score on rows that each of them has."""
    X, y = rows(spec, world)
    matrix = xgboost.QuantileDMatrix(X, y, nthread=1)
    held_X, held_y = rows(spec, world, seed=1)
    held = xgboost.QuantileDMatrix(held_X, held_y, ref=matrix, nthread=1)
    history: dict[str, Any] = {}
    booster = xgboost.train(
        {
            "objective": "binary:logistic",
            "eval_metric": "auc",
            "max_depth": 4,
            "nthread": 1,
            "seed": 3,
        }
        | spec.get("params", {}),
        matrix,
        spec.get("rounds", 30),
        evals=[(held, "validation")],
        evals_result=history,
        verbose_eval=False,
        callbacks=[EachRound(spec, world, stop)],
    )
    return {
        "model": hashlib.sha256(booster.save_raw("ubj")).hexdigest(),
        "auc": history["validation"]["auc"][-1],
        "rounds": booster.num_boosted_rounds(),
    }


def exchange(spec: Spec, world: World, _stop: StopSignal) -> dict[str, Any]:
    """Try each way of telling the others something, in many pieces."""
    rank = world.rank
    world_module.MAX_CHUNK = 1_000
    long = [f"category {rank} {number}" for number in range(spec.get("long", 10))]
    told = world.gather({"rank": rank, "long": long, "half": 0.5, "text": "é\n"})
    share = np.full((rank, 2), rank, np.float32) if rank else np.empty((0, 0))
    stacked = world.concatenate(share)
    return {
        "ranks": [each["rank"] for each in told],
        "long": [len(each["long"]) for each in told],
        "text": [each["text"] for each in told],
        "stacked": stacked.tolist(),
        "dtype": stacked.dtype.str,
        "nothing": world.concatenate(np.empty((0, 3))).shape,
        "any": [world.any(rank == world.size - 1), world.any(flag=False)],
    }


def disagree(spec: Spec, world: World, stop: StopSignal) -> dict[str, Any]:
    """Have other columns than the rest on the last host."""
    columns = ["age", "plan"] if world.rank < world.size - 1 else ["age", "plane"]
    world.agree("the columns", columns)
    return train(spec, world, stop)


def limits(spec: Spec, world: World, _stop: StopSignal) -> dict[str, Any]:
    """Ask for each case what is refused; a case is of parameters and each host's rows."""
    messages = []
    for params, counts, weighted in spec["cases"]:
        try:
            check_limits(world, params, rows=counts[world.rank], weighted=weighted[world.rank])
        except UserError as error:
            messages.append(str(error))
        else:
            messages.append("")
    return {"messages": messages}


def late(after: int) -> Any:  # noqa: ANN401 - as socket.getaddrinfo
    """Return a resolver that finds every host here, but no one before it was asked often."""
    asked = 0

    def resolve(_host: str, *_args: object, **_options: object) -> list[Any]:
        nonlocal asked
        asked += 1
        if asked <= after:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 0))]

    return resolve


def main(spec: Spec) -> int:
    """Run one host; `action` is a function of this module."""
    folder = Path(spec["folder"])
    paths = SageMakerPaths(folder)
    network = Network(**spec["network"], resolver=late(spec.get("late", 0)))
    try:
        with StopSignal() as stop:
            (folder / "ready").write_text("yes")
            with cluster(
                *(spec["hosts"], spec["host"]),
                stop=stop,
                on_failure=lambda error: write_failure(paths, error),
                network=network,
            ) as world:
                seen = globals()[spec["action"]](spec, world, stop)
                (folder / "seen.json").write_text(json.dumps({"rank": world.rank, **seen}))
    except ChurnDaalError as error:
        write_failure(paths, error)
        return 1
    print("done")
    return 0


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1])))
