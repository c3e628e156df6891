"""`application/x-npy`: a NumPy array, a row of it for each row."""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import Any, Final

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from churn_daal.serving.encoders.numeric import numeric
from churn_daal.serving.predictions import SCORE, Predictions

_TYPE: Final = "application/x-npy"


def encode_npy(blocks: Iterable[Predictions]) -> bytes:
    """Write the score as float32 (n,) or (n, k), or a structured array of what the client chose.

    One column that the client chose is an array of its own. A class that is a word goes as its
    number, see `numeric`. Nothing is pickled.

    Raises
    ------
    NotAcceptableError
        406: a column holds what is no number.
    """
    parts: dict[str, list[NDArray[Any]]] = {}
    for block in blocks:
        names = list(block.columns) if block.selected else [SCORE]
        for name in names:
            parts.setdefault(name, []).append(numeric(block, name, _TYPE))
    columns = {name: np.concatenate(arrays) for name, arrays in parts.items()}
    buffer = io.BytesIO()
    npy.write_array(buffer, _joined(columns), allow_pickle=False)
    return buffer.getvalue()


def _joined(columns: dict[str, NDArray[Any]]) -> NDArray[Any]:
    first = next(iter(columns.values()))
    if len(columns) == 1:
        return first
    kinds = [(name, array.dtype, array.shape[1:]) for name, array in columns.items()]
    rows = np.empty(len(first), dtype=kinds)
    for name, array in columns.items():
        rows[name] = array
    return rows
