"""Encoded rows back to the raw values that they stand for."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from churn_daal.tabular.encoder import Matrix
from churn_daal.tabular.schema import Column, Schema


def read_back(schema: Schema, X: Matrix) -> list[list[Any]]:
    """Return the raw values that encoded rows stand for, a list for each of the schema's columns.

    They are what the trees saw: a category that training never saw is None, as a missing cell is.

    Parameters
    ----------
    schema
        The columns.
    X
        float32 (n, schema.width), as `Encoder` makes it.

    Returns
    -------
    Numbers as the shortest decimals of their float32, booleans, texts, and None for missing.
    """
    values: list[list[Any]] = []
    offset = 0
    for column in schema.columns:
        values.append(_read_column(column, X[:, offset : offset + column.width]))
        offset += column.width
    return values


def _read_column(column: Column, codes: Matrix) -> list[Any]:
    if column.kind == "number":
        # By way of text, so that 265.1 is not told as 265.1000061035156.
        exact = codes[:, 0].astype(str).astype(np.float64)
        return [None if math.isnan(number) else number for number in exact.tolist()]
    if column.encoding == "onehot":
        if not column.width:
            return [None] * len(codes)
        found = np.where(codes.any(axis=1), codes.argmax(axis=1), -1)
    else:
        found = np.where(np.isnan(codes[:, 0]), -1, codes[:, 0]).astype(np.intp)
    # -1 is the last: no code.
    meanings = (False, True, None) if column.kind == "boolean" else (*column.categories, None)
    return [meanings[code] for code in found.tolist()]
