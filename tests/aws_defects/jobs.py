"""Jobs as SageMaker lays them, and what they leave, for the tests of AWS's defects."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xgboost

from churn_daal import artifact
from churn_daal.artifact import Manifest
from churn_daal.contract.paths import SageMakerPaths


@dataclass(frozen=True)
class Job:
    """A job that is over.

    Attributes
    ----------
    paths
        Its files.
    printed
        The lines it wrote to stdout.
    log
        What it logged.
    """

    paths: SageMakerPaths
    printed: tuple[str, ...]
    log: str

    @property
    def manifest(self) -> Manifest:
        """The audited manifest of its model."""
        return artifact.audit(self.paths.model)

    @property
    def booster(self) -> xgboost.Booster:
        """Its model in stock XGBoost."""
        return xgboost.Booster(
            model_file=bytearray((self.paths.model / "xgboost-model").read_bytes())
        )

    def scores(self, metric: str, rows: str = "validation") -> list[float]:
        """Return a metric's figures of all rounds, from evals.json."""
        evals = json.loads((self.paths.output_data / "evals.json").read_text())
        scores: list[float] = evals["scores"][rows][metric]
        return scores

    def last_printed(self) -> dict[str, float]:
        """Return the figures of the last line, by the names SageMaker's expressions look for."""
        return {
            name: float(value)
            for name, _, value in (
                part.rpartition(":") for part in self.printed[-1].split("\t")[1:]
            )
        }


RunJob = Callable[..., Job]
StartJob = Callable[..., "subprocess.Popen[str]"]


def csv_text(*columns: Sequence[object] | np.ndarray, names: str = "") -> str:
    """Return columns side by side as CSV, under a header if there are names."""
    rows = (",".join(map(str, row)) + "\n" for row in zip(*columns, strict=True))
    return (f"{names}\n" if names else "") + "".join(rows)


def put(paths: SageMakerPaths, channel: str, files: Mapping[str, str | bytes]) -> None:
    """Write a channel's files."""
    for name, data in files.items():
        file = paths.channel(channel) / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data.encode() if isinstance(data, str) else data)


def contents(folder: Path) -> dict[str, bytes]:
    """Return every file below a folder."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def strict_json(text: bytes) -> Any:  # noqa: ANN401 - JSON of any shape
    """Read JSON as a strict client does: NaN and Infinity are no numbers."""

    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is not JSON")

    return json.loads(text, parse_constant=refuse)
