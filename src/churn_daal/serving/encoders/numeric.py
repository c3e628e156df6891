"""Columns as arrays of numbers, for answers that hold nothing else."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from churn_daal.errors import NotAcceptableError
from churn_daal.serving.predictions import Column, Predictions


def numeric(block: Predictions, name: str, media_type: str) -> NDArray[Any]:
    """Return a column as (n,) or (n, k) numbers.

    Where some of the model's classes are words, a class goes as its number: its place among them,
    in XGBoost's order, which is what AWS's image has for every class.

    Parameters
    ----------
    block
        Of an answer.
    name
        The column's.
    media_type
        That of the answer, for the message.

    Raises
    ------
    NotAcceptableError
        406: it holds what is neither number nor class, or lists of unequal length.
    """
    column = block.columns[name]
    if any(isinstance(value, str) for value in block.classes):
        column = _numbered(column, {value: place for place, value in enumerate(block.classes)})
    if isinstance(column, np.ndarray) and column.dtype.kind in "fiub":
        return column
    if all(isinstance(value, int | float) for value in column):
        return np.asarray(column)
    if all(_is_numbers(value) for value in column) and len(set(map(len, column))) == 1:
        return np.asarray(column)
    raise NotAcceptableError(
        f"{name!r} holds what is no number, and {media_type} holds numbers alone; ask for "
        "application/json, application/jsonlines, text/csv or application/vnd.apache.arrow.stream"
    )


def _is_numbers(value: Any) -> bool:  # noqa: ANN401 - whatever JSON holds
    if isinstance(value, np.ndarray):
        return value.ndim == 1 and value.dtype.kind in "fiub"
    return isinstance(value, list | tuple) and all(isinstance(part, int | float) for part in value)


def _numbered(column: Column, numbers: dict[Any, int]) -> Column:
    """Return a column of classes, or of lists of them, as their numbers; any other as it is."""
    if isinstance(column, np.ndarray):
        return column
    if any(isinstance(value, str) for value in column):
        return [numbers.get(value, value) for value in column]
    if all(isinstance(value, list | tuple) for value in column):
        return [
            [numbers.get(part, part) for part in value]
            if any(isinstance(part, str) for part in value)
            else value
            for value in column
        ]
    return column
