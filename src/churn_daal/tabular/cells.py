"""The grammar of one cell: what is missing, a number, a yes or no, a category.

Training and serving both read cells by these rules, so a cell cannot mean two things. The
rules are printed in docs/schema.md.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any, Final

NAN: Final = math.nan
MISSING: Final = frozenset({"", "NaN", "nan", "NAN", "NA"})
TRUE: Final = frozenset({"true", "true.", "yes", "y", "t"})
FALSE: Final = frozenset({"false", "false.", "no", "n", "f"})
FLOAT32_MAX: Final = 3.4028234663852886e38
WHITESPACE: Final = " \t\r\n\f\v"
# 2**127 * (2 - 2**-24): float64 values from here on round to infinity as float32.
_FLOAT32_OVERFLOW = 3.4028235677973366e38
_SHOWN = 40

_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
# Of these characters float() makes numbers of our grammar or nothing; words such as
# "inf" and underscores, which float() also takes, need others.
_PLAIN = re.compile(r"[0-9eE+\-. ]*")
# A whole number with nothing but zeros after its point.
_WHOLE = re.compile(r"-?(?:0|[1-9][0-9]*)\.0+")
_DATE = re.compile(
    r"[0-9]{4}[-/.][0-9]{1,2}[-/.][0-9]{1,2}(?:[T ].*)?|[0-9]{1,2}[-/.][0-9]{1,2}[-/.][0-9]{4}"
)


class CellError(ValueError):
    """A cell that breaks the grammar of its column's kind.

    Parameters
    ----------
    index
        Its 0-based place among the cells handed in.
    reason
        What came, what was expected and the remedy.
    """

    def __init__(self, index: int, reason: str) -> None:
        self.index, self.reason = index, reason
        super().__init__(reason)


def shown(cell: object) -> str:
    """Return `cell` quoted for a message, cut to 40 characters."""
    text = str(cell)
    return repr(text if len(text) <= _SHOWN else text[:_SHOWN] + "...")


def is_number(cell: str) -> bool:
    """Tell whether a trimmed cell is a decimal number."""
    return _NUMBER.fullmatch(cell) is not None


def is_date(cell: str) -> bool:
    """Tell whether a trimmed cell reads as a calendar date."""
    return _DATE.fullmatch(cell) is not None


def is_boolean(cell: str) -> bool:
    """Tell whether a trimmed cell is one of the yes-or-no words."""
    word = cell.casefold()
    return word in TRUE or word in FALSE


def numbers(cells: Sequence[str]) -> list[float]:
    """Read a number column's cells as float64; missing is NaN.

    Raises
    ------
    CellError
        A cell is neither missing nor a decimal number within float32's range.
    """
    if _PLAIN.fullmatch("".join(cells)):
        try:
            values = [float(cell) if cell else NAN for cell in cells]
        except ValueError:
            pass
        else:
            if all(-_FLOAT32_OVERFLOW < v < _FLOAT32_OVERFLOW or v != v for v in values):  # noqa: PLR0124 - NaN
                return values
    return [_number(index, cell.strip(WHITESPACE)) for index, cell in enumerate(cells)]


def json_numbers(values: Sequence[Any]) -> list[float]:
    """Read a number column's JSON values: numbers, null, or text by the rules of a cell.

    Raises
    ------
    CellError
        A value is a boolean, an array, an object, a bad text or out of float32's range.
    """
    read = []
    for index, value in enumerate(values):
        kind = type(value)
        if kind is float or kind is int:
            if not -_FLOAT32_OVERFLOW < value < _FLOAT32_OVERFLOW:
                raise CellError(index, _too_large(value))
            read.append(float(value))
        elif value is None:
            read.append(NAN)
        elif kind is str:
            read.append(_number(index, value.strip(WHITESPACE)))
        else:
            raise CellError(index, _not_a_number(_json_name(value)))
    return read


def booleans(cells: Sequence[Any]) -> list[float]:
    """Read a boolean column's cells or JSON values: 1.0, 0.0 or NaN.

    Raises
    ------
    CellError
        A cell is neither missing nor one of the yes-or-no words.
    """
    return [_boolean(index, cell) for index, cell in enumerate(cells)]


def category(cell: str) -> str | None:
    """Return the category a cell stands for; None where it is missing.

    That is its text, trimmed, but `415.0` is `415`: writers add the point where a column of
    whole numbers has missing cells. `0415` and `415.50` stay what they are.
    """
    text = cell.strip(WHITESPACE)
    if text.endswith("0") and _WHOLE.fullmatch(text):
        whole = text.partition(".")[0]
        # Of a column of floats, 0 and -0 are one number.
        return "0" if whole == "-0" else whole
    return None if text in MISSING else text


def json_categories(values: Sequence[Any]) -> list[str]:
    """Return the cell texts a CSV would hold for a category column's JSON values.

    Raises
    ------
    CellError
        A value is an array or an object.
    """
    return [_json_category(index, value) for index, value in enumerate(values)]


def _json_category(index: int, value: object) -> str:
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    raise CellError(
        index, f"{_json_name(value)} is not a category; send a text, a number or null for missing"
    )


def _number(index: int, cell: str) -> float:
    if cell in MISSING:
        return NAN
    if not is_number(cell):
        raise CellError(index, _not_a_number(shown(cell), date=is_date(cell)))
    value = float(cell)
    if not -_FLOAT32_OVERFLOW < value < _FLOAT32_OVERFLOW:
        raise CellError(index, _too_large(cell))
    return value


def _boolean(index: int, cell: object) -> float:
    if isinstance(cell, str):
        word = cell.strip(WHITESPACE)
        if word in MISSING:
            return NAN
        word = word.casefold()
        if word in TRUE or word == "1":
            return 1.0
        if word in FALSE or word == "0":
            return 0.0
    elif cell is None:
        return NAN
    elif cell in (0, 1):  # JSON true and false compare equal to these
        return 1.0 if cell else 0.0
    what = _json_name(cell) if isinstance(cell, list | dict) else shown(cell)
    raise CellError(
        index,
        f"{what} is not a yes or no; send true or false (yes/no, y/n, t/f, 1/0), "
        "or leave it empty for missing",
    )


def _not_a_number(what: str, *, date: bool = False) -> str:
    is_what = "is a date, not a number" if date else "is not a number"
    return f"{what} {is_what}; send a decimal number such as 12.5, or leave it empty for missing"


def _too_large(value: object) -> str:
    return (
        f"{shown(value)} is beyond float32's range of +-{FLOAT32_MAX:.4g}; send a smaller number, "
        "or leave it empty for missing"
    )


def _json_name(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "a list" if isinstance(value, list) else "an object"
