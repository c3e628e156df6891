"""Columns as arrays of numbers, for answers that hold nothing else."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from churn_daal.errors import NotAcceptableError
from churn_daal.serving.predictions import Column


def numeric(column: Column, name: str, media_type: str) -> NDArray[Any]:
    """Return a column as (n,) or (n, k) numbers.

    Parameters
    ----------
    column
        Of an answer.
    name
        Its name.
    media_type
        That of the answer, for the message.

    Raises
    ------
    NotAcceptableError
        406: it holds words or records, or lists of unequal length.
    """
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
