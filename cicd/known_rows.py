"""Rows whose answers are known: raw cells, and what the package's own booster makes of them."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import xgboost
from deploy.errors import DeployError
from numpy.typing import NDArray

from churn_daal.artifact import Model
from churn_daal.errors import ChurnDaalError

# Objectives whose booster answers a class's number, not a probability.
_CLASS_ONLY: Final = frozenset({"binary:hinge", "multi:softmax"})

Record = dict[str, Any]


@dataclass(frozen=True)
class KnownRows:
    """Raw rows of a model's columns.

    Attributes
    ----------
    names
        The model's columns, in its order.
    lines
        Line of the file that each row stands on, the header being line 1.
    cells
        A text for each column, a sequence for each row.
    delimiter
        What the model reads between cells of CSV.
    """

    names: Sequence[str]
    lines: Sequence[int]
    cells: Sequence[Sequence[str]]
    delimiter: str

    def as_csv(self) -> bytes:
        """Return the rows as a body of text/csv, by position and without a header."""
        text = io.StringIO()
        csv.writer(text, delimiter=self.delimiter, lineterminator="\n").writerows(self.cells)
        return text.getvalue().encode()

    def as_json(self) -> bytes:
        """Return the rows as a body of application/json, by name."""
        return json.dumps([dict(zip(self.names, row, strict=True)) for row in self.cells]).encode()


def read_rows(file: Path, model: Model, count: int) -> KnownRows:
    """Read rows spread evenly over a CSV with a header; other columns are passed over.

    Raises
    ------
    DeployError
        There is no such file, it has no rows, or it lacks a column of the model's.
    """
    schema = model.manifest.schema
    try:
        with file.open(encoding="utf-8", newline="") as opened:
            header, *rows = csv.reader(opened, delimiter=schema.delimiter)
    except (OSError, UnicodeDecodeError) as error:
        raise DeployError(f"the known rows {file} cannot be read: {error}") from None
    except ValueError:
        raise DeployError(f"{file} is empty; expected a CSV with a header and raw rows") from None
    if not rows:
        raise DeployError(f"{file} has a header and no rows; expected raw rows below it")
    absent = [name for name in schema.names if name not in header]
    if absent:
        raise DeployError(
            f"{file} has no column {absent[0]!r}, which the model reads; expected a CSV with the "
            "columns the model was trained on: give one with --rows"
        )
    places = [header.index(name) for name in schema.names]
    # Both ends, and evenly in between.
    chosen = np.unique(np.linspace(0, len(rows) - 1, min(count, len(rows))).astype(int)).tolist()
    short = [number for number in chosen if len(rows[number]) != len(header)]
    if short:
        raise DeployError(
            f"{file}, line {short[0] + 2}: {len(rows[short[0]])} cells; the header has "
            f"{len(header)}"
        )
    cells = [[rows[number][place] for place in places] for number in chosen]
    return KnownRows(schema.names, [number + 2 for number in chosen], cells, schema.delimiter)


def expected(model: Model, rows: KnownRows) -> list[Record]:
    """Return what the endpoint has to answer: XGBoost's own word on the rows, not oneDAL's.

    Returns
    -------
    A record a row as application/json has them (docs/http.md): `score`, and `predicted_label` for
    objectives that decide on a class.

    Raises
    ------
    DeployError
        A cell of the rows does not fit its column.
    """
    try:
        matrix = model.encoder.from_text(list(zip(*rows.cells, strict=True)))
    except ChurnDaalError as error:
        raise DeployError(f"the known rows do not fit the model: {error}") from None
    raw = model.booster.predict(xgboost.DMatrix(matrix))
    return [_record(model, answer) for answer in raw]


def _record(model: Model, answer: NDArray[np.float32]) -> Record:
    manifest = model.manifest
    objective, classes = manifest.objective, manifest.labels.classes
    if objective in _CLASS_ONLY:
        label = classes[int(answer)]
        return {"score": label, "predicted_label": label}
    if np.ndim(answer):
        scores = [float(each) for each in answer]
        return {"score": scores, "predicted_label": classes[int(np.argmax(answer))]}
    score = float(answer)
    if objective == "binary:logistic":
        label = classes[int(score >= manifest.threshold)]
        return {"score": score, "predicted_label": label}
    return {"score": score}
