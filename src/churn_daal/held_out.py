"""Held-out rows as users have them (numpy, pandas, Arrow) turned into what the engines read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from churn_daal.errors import UserError

Matrix = NDArray[np.float32]
# numpy's kinds: boolean, signed, unsigned, float.
_NUMBERS = "biuf"


def names_of(X: object) -> list[str] | None:
    """Return the column names of a pandas frame or an Arrow table; None of anything else."""
    # Neither library is imported for this: pandas need not even be installed.
    named: Any = getattr(X, "column_names", None)
    if named is None and hasattr(X, "iloc"):
        named = getattr(X, "columns", None)
    return None if named is None else [str(name) for name in named]


def as_matrix(X: object, names: Sequence[str], *, what: str = "X") -> Matrix:
    """Return rows as a float32 (n, len(names)) matrix; none, (0, len(names)), for None.

    Parameters
    ----------
    X
        A two-dimensional array, or a frame or table whose columns are taken by name.
    names
        The model's features in order.
    what
        Its name in a refusal.

    Raises
    ------
    UserError
        Another width, other names, a column that is no number, or an infinite value.
    """
    width = len(names)
    if X is None:
        return np.empty((0, width), dtype=np.float32)
    came = names_of(X)
    if came is None:
        matrix = _numbers(np.asarray(X), what)
        if matrix.ndim != 2 or matrix.shape[1] != width:
            raise UserError(
                f"{what} has the shape {matrix.shape}; the booster was trained on {width} "
                f"features, so (rows, {width}) is expected"
            )
    else:
        matrix = _by_name(X, came, names, what)
    infinite = np.argwhere(np.isinf(matrix))
    if len(infinite):
        row, column = infinite[0]
        raise UserError(
            f"{what} has an infinite value in row {row} (from 0), column {names[column]!r}, which "
            "XGBoost refuses; make it a number or NaN"
        )
    return np.ascontiguousarray(matrix)


def as_targets(
    values: Any,  # noqa: ANN401 - whatever numpy takes
    rows: int,
    what: str,
    *,
    classes: int = 0,
) -> Matrix | None:
    """Return labels or weights as float32 (rows,); None for None.

    Parameters
    ----------
    values
        One number a row.
    rows
        How many rows X has.
    what
        The argument's name.
    classes
        Of a classification: labels are class numbers below this, or 0 to 1 for two.

    Raises
    ------
    UserError
        Another count, or a value that is no number or no class number.
    """
    if values is None:
        return None
    vector = _numbers(np.asarray(values), what)
    if vector.shape != (rows,):
        raise UserError(f"{what} has the shape {vector.shape}; X has {rows} rows: ({rows},)")
    bad = ~np.isfinite(vector)
    if what == "weight":
        bad |= vector < 0
    if classes:
        bad |= (vector < 0) | (vector > classes - 1)
        if classes > 2:
            bad |= vector != np.floor(vector)
    if bad.any():
        row = int(np.argmax(bad))
        expected = f"a class number from 0 to {classes - 1}" if classes else "a finite number"
        expected += ", 0 or more" if what == "weight" else ""
        raise UserError(f"{what}[{row}] is {vector[row]:g}; expected {expected}")
    return vector


def _by_name(
    X: Any,  # noqa: ANN401 - see names_of
    came: Sequence[str],
    names: Sequence[str],
    what: str,
) -> Matrix:
    absent = [name for name in names if name not in came]
    if absent or len(came) != len(names):
        raise UserError(
            f"{what} has the columns {list(came)!r:.120}; the booster was trained on "
            f"{list(names)!r:.120}. Select those"
        )
    # By place, since a frame's names need not be texts.
    places = [came.index(name) for name in names]
    columns = [
        np.asarray(X.iloc[:, place] if hasattr(X, "iloc") else X[place].to_numpy())
        for place in places
    ]
    return np.column_stack(
        [
            _numbers(column, f"column {name!r} of {what}")
            for column, name in zip(columns, names, strict=True)
        ]
    )


def _numbers(values: NDArray[Any], what: str) -> Matrix:
    if values.dtype.kind not in _NUMBERS:
        raise UserError(
            f"{what} holds {values.dtype.name} values; expected numbers. Encode them as in the "
            "training rows"
        )
    with np.errstate(over="ignore"):  # too large a number becomes infinite, and is refused
        return values.astype(np.float32)
