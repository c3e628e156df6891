"""One column's cells to what the matrix holds of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from churn_daal.tabular import cells
from churn_daal.tabular.schema import Column, Kind

Matrix = npt.NDArray[np.float32]
Numbers = npt.NDArray[Any]


def codes_of(column: Column) -> dict[str, int]:
    """Return the code of each category of a column, by its text."""
    codes = {category: code for code, category in enumerate(column.categories)}
    # JSON's true is the category True, TRUE or true, whichever training had.
    for category, code in list(codes.items()):
        if category.casefold() in {"true", "false"}:
            codes.setdefault(category.casefold(), code)
    return codes


def fill(
    matrix: Matrix,
    column: Column,
    offset: int,
    codes: Mapping[str, int],
    values: Sequence[Any],
    *,
    text: bool,
) -> int:
    """Write one column's codes into `matrix`, zeros before, from `offset` on.

    Returns
    -------
    How many cells hold a category that is none of the column's.

    Raises
    ------
    CellError
        A value breaks the column's grammar.
    """
    if column.kind == "number":
        matrix[:, offset] = cells.numbers(values) if text else cells.json_numbers(values)
        return 0
    if column.kind == "boolean":
        matrix[:, offset] = cells.booleans(values)
        return 0
    texts = values if text else cells.json_categories(values)
    found = [codes.get(cells.category(cell) or "") for cell in texts]
    if column.encoding == "ordinal":
        matrix[:, offset] = [cells.NAN if code is None else code for code in found]
    else:
        for row, code in enumerate(found):
            if code is not None:
                matrix[row, offset + code] = 1.0
    return _unseen(texts, found) if None in found else 0


def _unseen(texts: Sequence[str], found: Sequence[int | None]) -> int:
    return sum(
        code is None and cells.category(cell) is not None
        for cell, code in zip(texts, found, strict=True)
    )


def plain_numbers(values: Numbers, kind: Kind) -> Matrix:
    """Return numbers or booleans as the float32 of a column of numbers, or of yes or no.

    Rounded as a CSV's cells are, by way of float64.

    Raises
    ------
    CellError
        A value is infinite or beyond float32, a boolean among numbers, or not a yes or no.
    """
    read: Matrix
    with np.errstate(over="ignore"):
        read = values.astype(np.float64).astype(np.float32)
    if kind == "boolean":
        good = np.isnan(values) | (values == 0) | (values == 1)
    else:
        good = np.zeros(len(read), dtype=bool) if values.dtype.kind == "b" else ~np.isinf(read)
    if not good.all():
        index = int(np.argmin(good))
        check = cells.booleans if kind == "boolean" else cells.json_numbers
        try:
            check([values[index].item()])
        except cells.CellError as fault:
            raise cells.CellError(index, fault.reason) from None
    return read
