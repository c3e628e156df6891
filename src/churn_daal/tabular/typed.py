"""Cells whose format knows their type, Arrow's or JSON's, as the pieces a table is read from.

Numbers stay numbers and everything else becomes the text a CSV would hold, so that the same
data in another format gives the same model.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import NoneType
from typing import Any, Final

import numpy as np
import pyarrow as pa

from churn_daal.tabular import cells
from churn_daal.tabular.columns import Numbers, as_texts, typed_numbers

_TEMPORAL: Final = (pa.types.is_date, pa.types.is_timestamp, pa.types.is_time, pa.types.is_duration)
_PLAIN: Final = (
    pa.types.is_null,
    pa.types.is_boolean,
    pa.types.is_integer,
    pa.types.is_floating,
    pa.types.is_decimal,
    pa.types.is_string,
    pa.types.is_large_string,
    pa.types.is_string_view,
)


def refusal(kind: pa.DataType, *, text: bool) -> str | None:
    """Say why a column of an Arrow type is not read; None where it is.

    Parameters
    ----------
    kind
        The type.
    text
        Whether the column is asked for as text, which dates can be.
    """
    inner = kind.value_type if pa.types.is_dictionary(kind) else kind
    if any(check(inner) for check in _PLAIN):
        return None
    if any(check(inner) for check in _TEMPORAL):
        if text:
            return None
        return (
            f"the type {kind} holds dates or times, and trees need numbers; turn it into them "
            "(such as days since a fixed day), or list the column in drop_columns or "
            "categorical_columns"
        )
    return (
        f"the type {kind!s:.80} is neither numbers, booleans nor text; write its parts as columns "
        "of their own (bytes as text), or list the column in drop_columns"
    )


def arrow_piece(array: pa.Array, *, text: bool) -> Numbers | pa.Array:
    """Return a column of a type that `refusal` lets pass as numbers or texts.

    Parameters
    ----------
    array
        The cells; null is missing.
    text
        Whether to give numbers as texts too.

    Returns
    -------
    float32 with NaN for missing where the type is a number and every cell within float32's
    range, else an Arrow array of texts.
    """
    numbers = None if text else typed_numbers(array)
    return as_texts(array) if numbers is None else numbers


def json_piece(values: Sequence[Any], *, text: bool) -> Numbers | pa.Array:
    """Return a column of JSON values as numbers or texts; see `arrow_piece`.

    Raises
    ------
    CellError
        A value is an array or an object.
    """
    kinds = set(map(type, values))
    for index, value in enumerate(values if kinds & {list, dict} else ()):
        if isinstance(value, list | dict):
            what = "a list" if isinstance(value, list) else "an object"
            raise cells.CellError(
                index,
                f"{what}, but a cell is a number, a text, true, false or null; write its parts as "
                "values of their own, or list the column in drop_columns",
            )
    if not text and kinds <= {int, float, NoneType}:
        with np.errstate(over="ignore"):
            read = np.array(values, dtype=np.float64).astype(np.float32)
        if not np.isinf(read).any():
            return read
    if kinds <= {str, NoneType}:
        return pa.array(values, pa.string())
    return pa.array(cells.json_categories(values), pa.string())
