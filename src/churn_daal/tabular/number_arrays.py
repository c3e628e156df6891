"""Long text of numbers to an array: the quick way's quicker way, where there are many of them.

simdjson reads JSON's numbers as the other parser does, rounded alike, and hands them over as one
array. For a row or two it takes as long, and where anything is not a number it says no more than
that.
"""

from __future__ import annotations

import threading
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import simdjson

Matrix = npt.NDArray[np.float32]

# Stands for a missing cell, as no float32 is so large: such a number is none of a cell's either.
_MISSING: Final = b"1.7976931348623157e308"
_MISSING_VALUE: Final = float(_MISSING)
# A parser serves one text at a time.
_kept = threading.local()


def number_array(text: bytes, count: int) -> Matrix | None:
    """Read so many numbers between commas, of which some may be missing.

    Parameters
    ----------
    text
        Without line breaks.
    count
        How many there have to be.

    Returns
    -------
    float32 (count,), each rounded by way of float64, NaN missing; None where there are as many
    not, one is none of JSON's or too large, or one is written `-0`.
    """
    # Numbers in brackets would be taken for some beside the others; a tab is for `cells` to judge.
    if b"[" in text or b"\t" in text:
        return None
    values = _parsed(b"[%b]" % text)
    if values is None:
        # Gaps are looked for only now: to search for two bytes takes longer than to parse.
        values = _with_gaps(text)
    if values is None or len(values) != count:
        return None
    try:
        with np.errstate(over="raise"):
            rounded = values.astype(np.float32)
    except FloatingPointError:
        return None
    if np.count_nonzero(rounded) < count and has_bare_negative_zero(text):
        return None
    return rounded


def has_bare_negative_zero(text: bytes) -> bool:
    """Tell whether one of the numbers is `-0`: JSON's integers have no negative zero."""
    if b"-" not in text:
        return False
    # A search for bytes that begin and end as others often do takes ten times as long.
    padded = np.frombuffer(text + b",", dtype=np.uint8)
    ends = (padded[2:] == ord(",")) | (padded[2:] == ord(" "))
    return bool(np.any((padded[:-2] == ord("-")) & (padded[1:-1] == ord("0")) & ends))


def lines_of(cells: int, text: bytes, delimiter: bytes) -> int | None:
    """Return how many lines a text has if each has so many cells; None if one has not.

    Parameters
    ----------
    cells
        1 or more.
    text
        Lines that end with a line feed, but for the last.
    delimiter
        A byte between cells.
    """
    held = np.frombuffer(text, dtype=np.uint8)
    found = held[np.flatnonzero((held == ord(delimiter)) | (held == ord("\n")))]
    rows = len(found) // cells + 1
    if len(found) != rows * cells - 1:
        return None
    last = np.append(found, np.uint8(ord("\n"))).reshape(rows, cells)
    fits = np.all(last[:, -1] == ord("\n")) and np.all(last[:, :-1] == ord(delimiter))
    return rows if fits else None


def _with_gaps(text: bytes) -> npt.NDArray[np.float64] | None:
    # Twice: the second comma of two is the first of the next two.
    between = b",%b," % _MISSING
    filled = text.replace(b",,", between).replace(b",,", between)
    if text.startswith(b","):
        filled = _MISSING + filled
    if text.endswith(b","):
        filled += _MISSING
    missing = (len(filled) - len(text)) // len(_MISSING)
    values = _parsed(b"[%b]" % filled) if missing else None
    if values is None:
        return None
    gaps = values == _MISSING_VALUE
    return np.where(gaps, np.nan, values) if np.count_nonzero(gaps) == missing else None


def _parsed(text: bytes) -> npt.NDArray[np.float64] | None:
    try:
        parser: Any = _kept.parser
    except AttributeError:
        parser = _kept.parser = simdjson.Parser()
    try:
        return np.frombuffer(parser.parse(text).as_buffer(of_type="d"), dtype=np.float64)
    # Of a text that is no JSON, of what is none of its numbers, and of one beyond float64.
    except (ValueError, TypeError, RuntimeError):
        return None
