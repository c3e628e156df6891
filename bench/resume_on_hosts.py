"""Resume jobs of several hosts from their checkpoints, and compare the models' bytes.

    PYTHONPATH=src python bench/resume_on_hosts.py

The hosts are processes of this machine that meet over the loopback. Each job is run twice without
a disturbance, and from the checkpoints of its first, fifth and tenth round. It ends with 1 where
a model differs.
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import xgboost

PROGRAM = Path(__file__).parents[1] / "container" / "train"
# A closed port lingers: each job has loopback addresses of its own.
NETWORKS = itertools.count(1)
ROWS, COLUMNS, ROUNDS = 6000, 5, 12
DRAWS = {"subsample": "0.6", "colsample_bytree": "0.7"}
LOGISTIC = {"objective": "binary:logistic"}
JOBS: tuple[tuple[int, dict[str, str]], ...] = (
    (2, LOGISTIC),
    (2, LOGISTIC | DRAWS | {"colsample_bylevel": "0.8", "colsample_bynode": "0.8"}),
    (2, LOGISTIC | DRAWS | {"tree_method": "approx"}),
    (2, DRAWS | {"objective": "reg:squarederror", "tree_method": "approx"}),
    (2, LOGISTIC | {"booster": "dart", "rate_drop": "0.3", "subsample": "0.7"}),
    (2, LOGISTIC | DRAWS | {"grow_policy": "lossguide", "max_leaves": "9"}),
    (2, LOGISTIC | DRAWS | {"early_stopping_rounds": "3", "eta": "0.9"}),
    (2, {"objective": "reg:absoluteerror", "subsample": "0.6"}),
    (3, LOGISTIC | DRAWS),
)


def lay(base: Path, host: str, hosts: list[str], raw: dict[str, str], lines: list[str]) -> None:
    """Lay one host's files."""
    for folder in ("input/config", "input/data/train", "model", "output/data", "checkpoints"):
        (base / folder).mkdir(parents=True)
    given = {"num_round": str(ROUNDS), "max_depth": "5", "nthread": "2", "checkpoint_rounds": "1"}
    documents = {
        "hyperparameters": given | {"checkpoints_kept": str(ROUNDS)} | raw,
        "inputdataconfig": {"train": {"ContentType": "text/csv"}},
        "resourceconfig": {"current_host": host, "hosts": hosts},
        "checkpointconfig": {"LocalPath": "/opt/ml/checkpoints"},
    }
    for name, document in documents.items():
        (base / f"input/config/{name}.json").write_text(json.dumps(document))
    (base / "input/data/train/rows.csv").write_text("".join(lines))


def model(base: Path, count: int, raw: dict[str, str], source: Path | None, last: int) -> bytes:
    """Run a job, from the checkpoints of another one up to a round where there is one."""
    rng = np.random.default_rng(5)
    X = rng.normal(size=(ROWS, COLUMNS)).round(4)
    y = (X[:, 0] + X[:, 1] * X[:, 2] + rng.normal(size=ROWS) > 0).astype(int)
    lines = [f"{label},{','.join(map(str, x))}\n" for label, x in zip(y, X.tolist(), strict=True)]
    network = f"127.{os.getpid() % 250 + 1}.{next(NETWORKS)}"
    hosts = [f"{network}.{number + 1}" for number in range(count)]
    running = []
    for place, host in enumerate(hosts):
        folder = base / str(place)
        lay(folder, host, hosts, raw, lines[place::count])
        # The first host's folder alone is filled.
        for number in range(last + 1 if source is not None and not place else 0):
            shutil.copy(
                f"{source}/0/checkpoints/xgboost-checkpoint.{number}", folder / "checkpoints"
            )
        environment = os.environ | {"SAGEMAKER_BASE_DIR": str(folder)}
        with (folder / "log").open("w") as log:
            running.append(
                subprocess.Popen(
                    [sys.executable, str(PROGRAM)], env=environment, stdout=log, stderr=log
                )
            )
    codes = [process.wait() for process in running]
    if any(codes):
        sys.exit((base / "0/log").read_text())
    begun = f"going on from the checkpoint of {last + 1} rounds"
    logs = [(base / str(place) / "log").read_text() for place in range(count)]
    if source is not None and not all(begun in text for text in logs):
        sys.exit(f"a host did not go on: {logs}")
    return (base / "0/model/xgboost-model").read_bytes()


def main() -> int:
    """Run all jobs; return the exit code."""
    differing = compared = 0
    for count, raw in JOBS:
        with tempfile.TemporaryDirectory() as temporary:
            base = Path(temporary)
            whole = model(base / "whole", count, raw, None, 0)
            others = {"again": model(base / "again", count, raw, None, 0)}
            # Early stopping may have ended it before.
            end = len(list((base / "whole/0/checkpoints").iterdir())) - 1
            for last in sorted({min(last, end) for last in (0, 4, 9)}):
                others[f"from round {last + 1}"] = model(
                    base / str(last), count, raw, base / "whole", last
                )
        odd = [name for name, data in others.items() if data != whole]
        differing += len(odd)
        compared += len(others)
        print(f"{count} hosts, {raw}: {', '.join(odd) + ' differ' if odd else 'equal bytes'}")
    print(f"XGBoost {xgboost.__version__}: {differing} of {compared} models differ")
    return min(differing, 1)


if __name__ == "__main__":
    sys.exit(main())
