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
    if b"[" in text or b"\t" in text or _MISSING in text:
        return None
    held = len(text)
    if b",," in text or text.startswith(b",") or text.endswith(b","):
        text = _filled(text)
    values = _parsed(b"[%b]" % text)
    if values is None or len(values) != count:
        return None
    missing = (len(text) - held) // len(_MISSING)
    if missing:
        gaps = values == _MISSING_VALUE
        if np.count_nonzero(gaps) != missing:
            return None
        values = np.where(gaps, np.nan, values)
    try:
        with np.errstate(over="raise"):
            rounded = values.astype(np.float32)
    except FloatingPointError:
        return None
    if b"-0" in text and np.count_nonzero(rounded) < count and has_bare_negative_zero(text):
        return None
    return rounded


def has_bare_negative_zero(text: bytes) -> bool:
    """Tell whether one of the numbers is `-0`: JSON's integers have no negative zero."""
    return b"-0," in text or text.endswith(b"-0") or (b" " in text and b"-0 " in text)


def _filled(text: bytes) -> bytes:
    # Twice: the second comma of two is the first of the next two.
    between = b",%b," % _MISSING
    text = text.replace(b",,", between).replace(b",,", between)
    if text.startswith(b","):
        text = _MISSING + text
    return text + _MISSING if text.endswith(b",") else text


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
