"""SHAP values as an answer: each raw column by name, largest first, and the base they add to.

SHAP values add up, so those of a category's one-hot codes are told as one, under the column's own
name. What is cut by `top_k` is told as its sum: a row's base, contributions and rest are always
its margin.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import orjson
from numpy.typing import NDArray

from churn_daal.artifact import Model
from churn_daal.tabular.encoder import Matrix
from churn_daal.tabular.labels import Class
from churn_daal.tabular.read_back import read_back
from churn_daal.tabular.schema import Schema

# float32 values an engine answers with in one call: 16 MB.
_CELLS: Final = 2**22


def contributions(
    model: Model, X: Matrix, *, top_k: int | None, predicted: NDArray[np.intp] | None
) -> list[Any]:
    """Return what each row's columns add to its margin.

    Parameters
    ----------
    model
        The model.
    X
        float32 (n, schema.width).
    top_k
        How many columns to tell; None for all.
    predicted
        For `multi:*`, each row's class by number: its contributions are the ones told.

    Returns
    -------
    For each row `{"base": b, "features": [{"name", "value", "contribution"}, ...]}`, with `rest`
    where columns were cut and `class` for `multi:*`; a list of such, one an output, where a model
    has several outputs that are no classes.

    Raises
    ------
    UnansweredError
        XGBoost has none of this model.
    """
    schema, classes = model.encoder.schema, model.manifest.labels.classes
    several = max(1, model.engine.n_classes)
    step = max(1, _CELLS // (several * (schema.width + 1)))
    rows: list[Any] = []
    for first in range(0, len(X), step):
        block = X[first : first + step]
        values = model.explainer.contributions(block)
        names: list[Class] | None = None
        if predicted is not None:
            chosen = predicted[first : first + step]
            values = values[np.arange(len(block)), chosen]
            names = [classes[number] for number in chosen.tolist()]
        if values.ndim == 2:
            rows += _told(schema, block, values, top_k, names)
        else:
            outputs = (_told(schema, block, each, top_k, None) for each in values.swapaxes(0, 1))
            rows += map(list, zip(*outputs, strict=True))
    return rows


def _told(
    schema: Schema, X: Matrix, values: Matrix, top_k: int | None, classes: list[Class] | None
) -> Iterator[dict[str, Any]]:
    """Yield a record for each row of values, (n, width + 1) with the base last."""
    grouped = _by_column(schema, values[:, :-1])
    kept = grouped.shape[1] if top_k is None else min(top_k, grouped.shape[1])
    # Stable: of equal ones the first column comes first.
    order = np.argsort(-np.abs(grouped), axis=1, kind="stable")
    told = np.take_along_axis(grouped, order[:, :kept], axis=1)
    rest = np.take_along_axis(grouped, order[:, kept:], axis=1).sum(axis=1)
    seen = read_back(schema, X)
    names = schema.names
    cells = zip(_shortest(values[:, -1]), _shortest(told), _shortest(rest), strict=True)
    for row, (base, amounts, left) in enumerate(cells):
        record: dict[str, Any] = {} if classes is None else {"class": classes[row]}
        record["base"] = base
        record["features"] = [
            {"name": names[place], "value": seen[place][row], "contribution": amount}
            for place, amount in zip(order[row, :kept].tolist(), amounts, strict=True)
        ]
        if kept < len(names):
            record["rest"] = left
        yield record


def _by_column(schema: Schema, values: Matrix) -> NDArray[np.float64]:
    widths = np.asarray([column.width for column in schema.columns], dtype=np.intp)
    kept = np.flatnonzero(widths)  # a category that training never saw takes no column
    grouped = np.zeros((len(values), len(widths)))
    starts = (np.cumsum(widths) - widths)[kept]
    grouped[:, kept] = np.add.reduceat(values.astype(np.float64), starts, axis=1)
    return grouped


def _shortest(values: NDArray[Any]) -> list[Any]:
    """Return float32 values as the shortest decimals that read back to them; null if not finite."""
    exact = np.ascontiguousarray(values, dtype=np.float32)
    parsed: list[Any] = orjson.loads(orjson.dumps(exact, option=orjson.OPT_SERIALIZE_NUMPY))
    return parsed
