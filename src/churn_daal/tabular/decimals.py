"""Reads many decimal numbers out of one text at once, by whole-array operations.

A loop that reads and checks token by token gets through 7 MB of libsvm a second and core, this
through 50. Digits are turned to numbers eight at a time, as the bytes of one 64-bit word.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Places = NDArray[np.intp]
Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]

# Bytes a text must have in front of its first number: the last word of one is read from there.
MARGIN: Final = 32
_WORD = 8
_MOST_WHOLE, _MOST_FRACTION = 2 * _WORD, 3 * _WORD
# Both an integer below 10**15 and a power of ten up to 10**22 are exact as float64.
_EXACT_DIGITS, _EXACT_POWER = 15, 22
_MOST_POWER = 60
_POWERS = np.array([float(f"1e{power}") for power in range(_MOST_POWER + 1)])
# Some ten operations on a number of many digits each round by 2**-53 at most.
_DOUBT = 2.0**-48
_MOST_EXPONENT_DIGITS = 3


@dataclass(frozen=True)
class Decimals:
    """What the tokens hold.

    Attributes
    ----------
    values
        float64 (t,). As float32 each is what `float(token)` would round to.
    exact
        bool (t,), where it equals `float(token)` itself.
    whole
        bool (t,), where the token is digits alone.
    """

    values: Floats
    exact: Bools
    whole: Bools


def read_decimals(text: NDArray[np.uint8], starts: Places, ends: Places) -> Decimals | None:
    """Read the numbers that stand at `starts` to `ends`.

    Parameters
    ----------
    text
        uint8, `MARGIN` bytes of anything in front. Outside the tokens it has no digit, sign,
        point or e.
    starts, ends
        int (t,), ascending; the tokens hold digits, `+`, `-`, `.`, `e` and `E` alone.

    Returns
    -------
    None where a token is not a decimal number by the grammar of `tabular.cells`.
    """
    parts = _split(text, starts, ends)
    if parts is None:
        return None
    whole_digits, fraction_digits = parts.whole_digits, parts.fraction_digits
    mantissa = _digits(text, parts.point, whole_digits, _MOST_WHOLE)
    mantissa *= _POWERS[np.minimum(fraction_digits, _MOST_FRACTION)]
    # Many tokens are whole numbers: libsvm's indices.
    some = np.flatnonzero(fraction_digits)
    mantissa[some] += _digits(text, parts.stop[some], fraction_digits[some], _MOST_FRACTION)
    number, exact = _scaled(mantissa, parts.exponent - fraction_digits)
    exact &= whole_digits + fraction_digits <= _EXACT_DIGITS
    number[text[starts] == ord("-")] *= -1.0
    wide = (whole_digits > _MOST_WHOLE) | (fraction_digits > _MOST_FRACTION)
    unsure = np.flatnonzero(wide | _unsure(number, exact))
    for place in unsure:
        number[place] = float(text[starts[place] : ends[place]].tobytes())
    exact[unsure] = True
    return Decimals(number, exact, whole_digits == ends - starts)


@dataclass(frozen=True)
class _Parts:
    """Where the digits of each token lie: before `point`, before `stop`, and after it."""

    point: Places
    whole_digits: Places
    stop: Places
    fraction_digits: Places
    exponent: NDArray[np.int64]


def _split(text: NDArray[np.uint8], starts: Places, ends: Places) -> _Parts | None:
    """Find sign, point and exponent of each token; None where one is not a number."""
    signs = _owners(starts, text, b"+-")
    dots = _owners(starts, text, b".")
    powers = _owners(starts, text, b"eE")
    if _repeats(dots) or _repeats(powers):
        return None
    exponents = _exponents(text, powers.at + 1, ends[powers.token])
    if exponents is None:
        return None
    point, stop = ends.copy(), ends.copy()
    stop[powers.token] = powers.at
    point[powers.token] = powers.at
    point[dots.token] = dots.at
    signed = np.isin(text[starts], list(b"+-"))
    dotted = np.zeros(len(starts), dtype=bool)
    dotted[dots.token] = True
    whole_digits, fraction_digits = point - starts - signed, stop - point - dotted
    if (
        (whole_digits < 0).any()
        or (fraction_digits < 0).any()
        or (whole_digits + fraction_digits == 0).any()
        # All signs stand in front of a token or of its exponent.
        or np.count_nonzero(signed) + exponents[1] != len(signs.at)
    ):
        return None
    exponent = np.zeros(len(starts), dtype=np.int64)
    exponent[powers.token] = exponents[0]
    return _Parts(point, whole_digits, stop, fraction_digits, exponent)


def _unsure(numbers: Floats, exact: Bools) -> Bools:
    """Tell which numbers may not round to the float32 that the exact ones would."""
    unsure: Bools = ~np.isfinite(numbers)
    rounded = np.flatnonzero(~exact)
    low, high = numbers[rounded] * (1 - _DOUBT), numbers[rounded] * (1 + _DOUBT)
    with np.errstate(over="ignore", under="ignore"):
        unsure[rounded] |= low.astype(np.float32) != high.astype(np.float32)
    return unsure


@dataclass(frozen=True)
class _Owners:
    """Where some characters stand, and in which token each."""

    at: Places
    token: Places


def _owners(starts: Places, text: NDArray[np.uint8], characters: bytes) -> _Owners:
    found = text == characters[0]
    for character in characters[1:]:
        found |= text == character
    at = np.flatnonzero(found)
    return _Owners(at, np.searchsorted(starts, at, side="right") - 1)


def _repeats(owners: _Owners) -> bool:
    return bool((owners.token[1:] == owners.token[:-1]).any())


def _exponents(
    text: NDArray[np.uint8], starts: Places, ends: Places
) -> tuple[NDArray[np.int64], int] | None:
    """Return the exponents and how many have a sign; None where one is none."""
    first = text[starts]
    minus = first == ord("-")
    signed = minus | (first == ord("+"))
    digits = ends - starts - signed
    if (digits < 1).any() or (digits > _MOST_EXPONENT_DIGITS).any():
        return None
    values = _word(text, ends, digits).astype(np.int64)
    return np.where(minus, -values, values), int(np.count_nonzero(signed))


def _scaled(mantissa: Floats, scale: NDArray[np.int64]) -> tuple[Floats, Bools]:
    """Return mantissa * 10**scale, and where the power of ten is exact."""
    power = np.minimum(np.abs(scale), _MOST_POWER)
    number = np.where(scale < 0, mantissa / _POWERS[power], mantissa * _POWERS[power])
    # What the table of powers does not reach is left to float(), as an infinity is.
    number[np.abs(scale) > _MOST_POWER] = np.inf
    return number, power <= _EXACT_POWER


def _digits(text: NDArray[np.uint8], ends: Places, counts: Places, most: int) -> Floats:
    """Read the `counts` digits, up to `most`, before each of `ends` as float64."""
    total = _word(text, ends, np.minimum(counts, _WORD)).astype(np.float64)
    for done in range(_WORD, most, _WORD):
        longer = np.flatnonzero(counts > done)
        if not longer.size:
            break
        more = np.clip(counts[longer] - done, 0, _WORD)
        total[longer] += _word(text, ends[longer] - done, more) * _POWERS[done]
    return total


def _word(text: NDArray[np.uint8], ends: Places, counts: Places) -> NDArray[np.uint64]:
    """Read the 0 to 8 digits before each of `ends`."""
    words: NDArray[Any] = np.ndarray(
        (len(text) - _WORD + 1,), dtype="<u8", buffer=text, strides=(1,)
    )
    # The last digit lies in the highest byte; what lies before the first is shifted out.
    foreign = (8 * (_WORD - counts)).astype(np.uint64)
    kept = words[ends - _WORD] & np.uint64(0x0F0F0F0F0F0F0F0F)
    kept = np.where(counts > 0, kept >> foreign << foreign, np.uint64(0))
    # Neighbours join to pairs of digits, those to fours, those to all eight.
    kept = (kept * np.uint64(10 * 2**8 + 1)) >> np.uint64(8)
    kept = ((kept & np.uint64(0x00FF00FF00FF00FF)) * np.uint64(100 * 2**16 + 1)) >> np.uint64(16)
    pairs = kept & np.uint64(0x0000FFFF0000FFFF)
    eight: NDArray[np.uint64] = (pairs * np.uint64(10_000 * 2**32 + 1)) >> np.uint64(32)
    return eight
