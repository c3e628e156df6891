"""What is asked of a server: which model, how many rows, what type, how many connections."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import xgboost
from bench.serving.models import NAMES, ModelSpec, number_rows

from churn_daal import artifact
from churn_daal.data import churn_csv

CSV: Final = "text/csv"
JSON: Final = "application/json"
NPY: Final = "application/x-npy"
SHORT: Final = {"csv": CSV, "json": JSON, "npy": NPY}


@dataclass(frozen=True)
class Workload:
    """One kind of request.

    Attributes
    ----------
    model
        What is asked.
    rows
        Rows a request.
    format
        `csv`, `json` (a list of records by name) or `npy`.
    connections
        Requests under way at a time, each on a connection that is kept.
    """

    model: ModelSpec
    rows: int = 1
    format: str = "csv"
    connections: int = 16

    @property
    def name(self) -> str:
        """All of it, in words."""
        rows = "1 row" if self.rows == 1 else f"{self.rows:,} rows"
        return f"{self.model.name}, {self.format}, {rows}, {self.connections} connections"


_BASE: Final = ModelSpec("binary", 200, 5)
_CHURN: Final = ModelSpec("churn", 200, 5)


def everything() -> list[Workload]:
    """Return one model's workloads in full, and of the others what differs by the model."""
    wanted = [Workload(_BASE, rows) for rows in (1, 10, 100, 1_000)]
    wanted += [Workload(_BASE, connections=count) for count in (1, 64)]
    wanted += [Workload(_BASE, 1_000, connections=1)]
    wanted += [Workload(_BASE, rows, kind) for kind in ("json", "npy") for rows in (1, 100, 1_000)]
    others = [("binary", 500, 8), ("binary", 2_000, 8), ("classes", 200, 5), ("regression", 200, 5)]
    wanted += [Workload(ModelSpec(*model), rows) for model in others for rows in (1, 1_000)]
    wanted += [Workload(_CHURN, rows, kind) for kind in ("csv", "json") for rows in (1, 1_000)]
    return wanted


def short() -> list[Workload]:
    """Return a few small ones, which show that everything runs."""
    small, raw = ModelSpec("binary", 20, 3), ModelSpec("churn", 20, 3)
    return [
        Workload(small),
        Workload(small, 10, "json", 1),
        Workload(small, 100, "npy", 64),
        Workload(raw, 1, "json"),
    ]


def body(workload: Workload, kind: str) -> bytes:
    """Return the request's body as one of the ways of `WRITERS`."""
    if workload.model.raw:
        names, *rows = csv.reader(io.StringIO(churn_csv().read_text(encoding="utf-8")))
        cells = [row[:-1] for row in rows[: workload.rows]]
        return WRITERS[kind](names[:-1], [[_natural(cell) for cell in row] for row in cells])
    return WRITERS[kind](NAMES, number_rows(workload.rows).tolist())


def _natural(cell: str) -> str | float | int:
    """Return a number where a JSON writer would have one."""
    for number in (int, float):
        try:
            return number(cell)
        except ValueError:
            continue
    return cell


Cells = list[list[float]] | list[list[str | float | int]]


def _csv(_names: Iterable[str], rows: Cells) -> bytes:
    return "".join(",".join(map(str, row)) + "\n" for row in rows).encode()


def _records(names: Iterable[str], rows: Cells) -> bytes:
    names = tuple(names)
    return json.dumps([dict(zip(names, row, strict=True)) for row in rows]).encode()


def _npy(_names: Iterable[str], rows: Cells) -> bytes:
    stream = io.BytesIO()
    np.save(stream, np.array(rows, np.float32))
    return stream.getvalue()


def _inference_protocol(_names: Iterable[str], rows: Cells) -> bytes:
    """Write the Open Inference Protocol's JSON, which is what MLServer takes."""
    data = np.array(rows, np.float32)
    tensor = {
        "name": "rows",
        "shape": data.shape,
        "datatype": "FP32",
        "data": data.ravel().tolist(),
    }
    return json.dumps({"inputs": [tensor]}).encode()


WRITERS: Final[dict[str, Callable[[Iterable[str], Cells], bytes]]] = {
    "csv": _csv,
    "json": _records,
    "npy": _npy,
    "inference protocol": _inference_protocol,
}


def read_answer(content: bytes, kind: str) -> np.ndarray:
    """Return the scores of an answer, (rows,) or (rows, classes)."""
    if kind == "npy":
        return np.load(io.BytesIO(content))
    if kind == "csv":
        lines = content.decode().split()
        scores = np.array([[float(cell) for cell in line.split(",")] for line in lines])
        return scores[:, 0] if scores.shape[1] == 1 else scores
    document = json.loads(content)
    if kind == "inference protocol":
        output = document["outputs"][0]
        scores = np.array(output["data"]).reshape(output["shape"])
        return scores[:, 0] if scores.ndim > 1 and scores.shape[1] == 1 else scores
    return np.array([record["score"] for record in document["predictions"]])


def matrix(workload: Workload, model: Path) -> np.ndarray:
    """Return the workload's rows as the booster sees them, float32 (rows, columns)."""
    if not workload.model.raw:
        return number_rows(workload.rows).astype(np.float32)
    rows = csv.reader(io.StringIO(body(workload, "csv").decode()))
    return artifact.load(model, threads=1).encoder.from_text(list(zip(*rows, strict=True)))


def expected(workload: Workload, model: Path) -> np.ndarray:
    """Return XGBoost's own answers to the workload's rows."""
    stored = bytearray((model / "xgboost-model").read_bytes())
    return xgboost.Booster(model_file=stored).predict(xgboost.DMatrix(matrix(workload, model)))
