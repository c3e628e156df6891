"""Tells a header from a row of data, or asks: to guess wrong is to train on the header."""

from __future__ import annotations

import logging
from typing import Literal

import pyarrow as pa

from churn_daal.errors import UserError
from churn_daal.tabular import cells

Header = Literal["auto", "present", "absent"]
log = logging.getLogger(__name__)


def is_header(
    file: str, first: tuple[str, ...], sample: pa.Table, known: tuple[str, ...] | None
) -> bool:
    """Tell whether the first row of a file names its columns.

    It does if its cells are distinct words and a column below one of them holds numbers. It does
    not if it holds no word, or if its numbers stand over the numbers below.

    Parameters
    ----------
    file
        The file's name, for messages.
    first
        The trimmed cells of the first row.
    sample
        Text columns of some rows below it.
    known
        The header of another file of the job: the same names are one here.

    Raises
    ------
    UserError
        Both are possible.
    """
    if known is not None and set(first) == set(known):
        return True
    word = [name not in cells.MISSING and not cells.is_number(name) for name in first]
    named = all(word) and len(set(first)) == len(first)
    if not any(word):
        if len(first) > 2 and _counts_up(first):
            log.warning("%s: row 1 (%s, ...) is read as data", file, ", ".join(first[:3]))
        return False
    if not sample.num_rows:
        return named
    numeric = [_holds_numbers(column.to_pylist()) for column in sample.columns]
    if not any(numeric):
        raise _ask(file, "no column below it holds numbers")
    over_numbers = [name for name, w, n in zip(first, word, numeric, strict=True) if w and n]
    if over_numbers:
        if named:
            return True
        others = (name for name, w in zip(first, word, strict=True) if not w)
        other = next(others, next((name for name in first if first.count(name) > 1), ""))
        # pandas heads an index column with an empty cell.
        raise _ask(
            file,
            f"the word {over_numbers[0]!r} stands over numbers, but {other!r} is no column's own "
            "name" + ("" if other else " (write the file with index=False)"),
        )
    digits = tuple(name for name, w in zip(first, word, strict=True) if not w)
    if len(digits) > 1 and _counts_up(digits):
        raise _ask(file, f"its numbers count up from {digits[0]}")
    return False


def _holds_numbers(column: list[str]) -> bool:
    texts = [cell.strip(cells.WHITESPACE) for cell in column]
    present = [text for text in texts if text not in cells.MISSING]
    return bool(present) and all(map(cells.is_number, present))


def _counts_up(texts: tuple[str, ...]) -> bool:
    """Tell whether texts are 0, 1, 2, ... or 1, 2, 3, ..., as a table without names is headed."""
    return any(texts == tuple(map(str, range(k, k + len(texts)))) for k in (0, 1))


def _ask(file: str, why: str) -> UserError:
    return UserError(
        f"{file}: cannot tell whether row 1 is a header: {why}; set the hyperparameter header to "
        "present or absent"
    )
