"""The models that are served, made by this project's own `train`: what is measured is real."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import numpy as np
from bench.serving.home import ROOT, BenchError, home

from churn_daal.artifact.manifest import FORMAT_VERSION
from churn_daal.data import churn_csv
from churn_daal.engine import engine_versions

COLUMNS: Final = 19
ROWS: Final = 20_000
CLASSES: Final = 10
NAMES: Final = tuple(f"f{place}" for place in range(COLUMNS))
_OBJECTIVES: Final = {
    "binary": {"objective": "binary:logistic"},
    "classes": {"objective": "multi:softprob", "num_class": str(CLASSES)},
    "regression": {"objective": "reg:squarederror"},
    "churn": {"objective": "binary:logistic"},
}


@dataclass(frozen=True)
class ModelSpec:
    """A model: its task, its rounds, and the depth of its trees.

    `churn` is the bundled data with its text columns; the other tasks have 19 number columns.
    """

    task: str
    trees: int
    depth: int

    @property
    def name(self) -> str:
        """The task and size."""
        return f"{self.task} {self.trees} x {self.depth}"

    @property
    def raw(self) -> bool:
        """Whether requests hold text, which only a server with a schema takes."""
        return self.task == "churn"

    @property
    def hyperparameters(self) -> dict[str, str]:
        """What `train` is asked for; trees as deep as they may be."""
        size = {"num_round": str(self.trees), "max_depth": str(self.depth)}
        label = "Churn?" if self.raw else "y"
        return _OBJECTIVES[self.task] | size | {"label": label, "eta": "0.05"}


def number_rows(count: int) -> np.ndarray:
    """Return (count, 19) float64 of three decimals, so that text and array hold the same."""
    return np.round(np.random.default_rng(0).normal(size=(ROWS, COLUMNS)), 3)[:count]


def training_text(spec: ModelSpec) -> str:
    """Return the CSV file a model is trained on."""
    if spec.raw:
        return churn_csv().read_text(encoding="utf-8")
    X = number_rows(ROWS)
    rng = np.random.default_rng(1)
    value = X @ rng.normal(size=COLUMNS) + 2 * np.sin(2 * X[:, 0]) * X[:, 1] + X[:, 2] * X[:, 3]
    # Noise no tree can explain keeps late trees as large as early ones.
    value += rng.normal(scale=value.std() / 2, size=ROWS)
    if spec.task == "binary":
        label = (value > 0).astype(int).tolist()
    elif spec.task == "classes":
        edges = np.quantile(value, np.arange(1, CLASSES) / CLASSES)
        label = np.digitize(value, edges).tolist()
    else:
        label = np.round(value, 4).tolist()
    lines = [",".join((*NAMES, "y"))]
    lines += [",".join(map(repr, row)) + f",{y}" for row, y in zip(X.tolist(), label, strict=True)]
    return "\n".join(lines) + "\n"


def trained(spec: ModelSpec) -> Path:
    """Return the model folder, trained now unless the same was before.

    Raises
    ------
    BenchError
        `train` failed.
    """
    text = training_text(spec)
    made_of = [asdict(spec), spec.hyperparameters, text, engine_versions(), FORMAT_VERSION]
    digest = hashlib.sha256(json.dumps(made_of, default=str).encode()).hexdigest()[:12]
    folder = home() / "models" / f"{spec.name.replace(' ', '')}-{digest}"
    if not folder.exists():
        print(f"training {spec.name}", file=sys.stderr, flush=True)
        folder.parent.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as base:
            shutil.move(_train(Path(base), text, spec.hyperparameters), folder)
    return folder


def _train(base: Path, text: str, hyperparameters: dict[str, str]) -> Path:
    config, channel = base / "input" / "config", base / "input" / "data" / "train"
    for made in (config, channel, base / "model", base / "output" / "data"):
        made.mkdir(parents=True)
    (config / "hyperparameters.json").write_text(json.dumps(hyperparameters))
    (channel / "train.csv").write_text(text, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(ROOT / "container" / "train")],
        env=os.environ | {"SAGEMAKER_BASE_DIR": str(base)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise BenchError(f"train ended with {done.returncode}: {done.stderr[-2000:]}")
    return base / "model"
