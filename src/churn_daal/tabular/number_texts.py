"""Numbers as the texts a CSV would hold for them, where a category or a yes or no is asked for.

NumPy alone, so that the server loads no more for it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from churn_daal.tabular import cells
from churn_daal.tabular.labels import LARGEST_EXACT


def shortest(value: np.floating[Any]) -> str:
    """Return a number in the fewest digits that its type needs, as Python and so serving writes it.

    A whole number in all its digits: float32's fewest of 123456792 are 123456790.
    """
    number = float(value)
    whole = number.is_integer() and abs(number) <= LARGEST_EXACT
    return repr(number if whole else float(str(value)))


def distinct_texts(floats: NDArray[Any]) -> tuple[list[str | None], NDArray[np.intp]]:
    """Return the texts of distinct floats, None for NaN, and the place of each float's text.

    Parameters
    ----------
    floats
        (n,), of any floating type.
    """
    # np.unique takes 0 and -0 for one.
    values, codes = np.unique(floats + floats.dtype.type(0), return_inverse=True)
    return [cells.category(shortest(value)) for value in values], codes


def number_texts(numbers: NDArray[Any]) -> list[str]:
    """Return the text of each number, "" for NaN.

    Parameters
    ----------
    numbers
        (n,), floats or integers.
    """
    if numbers.dtype.kind != "f":
        return [str(number) for number in numbers.tolist()]
    texts, codes = distinct_texts(numbers)
    return [texts[code] or "" for code in codes.tolist()]
