"""From the text of a hyperparameter to its value, one parser a type; nothing is evaluated.

Each parser raises `ValueError` with what was expected; the caller adds the name and the value.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from typing import Any

from churn_daal.boosting.hyperparameters.row import Hyperparameter

# Python's int() and float() also take "1_000", "infinity" and other scripts' digits.
_INT = re.compile(r"[+-]?[0-9]+")
_FLOAT = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_MAX_DIGITS = 20
THRESHOLD_RULES = ("f1", "cost")
_FLAGS = {"1": True, "true": True, "0": False, "false": False}
_DELIMITERS = {
    "tab": "\t",
    r"\t": "\t",
    "comma": ",",
    "semicolon": ";",
    "pipe": "|",
    "space": " ",
}
# A character of a number, a quote or a line end cannot also part two cells.
_NO_DELIMITER = re.compile(r"[0-9A-Za-z.+\-\"'\r\n]")


def _integer(row: Hyperparameter, text: str) -> int:
    text = text.strip()
    if len(text) > _MAX_DIGITS or not _INT.fullmatch(text) or not row.holds(int(text)):
        raise ValueError(f"a whole number {row.span}".rstrip())
    return int(text)


def _float(row: Hyperparameter, text: str) -> float:
    value = float(text) if _FLOAT.fullmatch(text := text.strip()) else math.nan
    if not math.isfinite(value) or not row.holds(value):
        raise ValueError(f"a number {row.span}".rstrip())
    return value


def _flag(_row: Hyperparameter, text: str) -> bool:
    try:
        return _FLAGS[text.strip().lower()]
    except KeyError:
        raise ValueError("0, 1, true or false") from None


def _choice(row: Hyperparameter, text: str) -> str:
    if text.strip() not in row.choices:
        raise ValueError(row.span)
    return text.strip()


def _level(row: Hyperparameter, text: str) -> float:
    """Read the one level of a quantile or expectile; a list of one is a level too."""
    items = text.strip().removeprefix("[").removesuffix("]").split(",")
    if len(items) > 1:
        raise ValueError(
            f"one number {row.span}: a model with several answers a row cannot be served. "
            "Train a job for each"
        )
    return _float(row, items[0])


def _threshold(row: Hyperparameter, text: str) -> float | str:
    if text.strip() in THRESHOLD_RULES:
        return text.strip()
    try:
        return _float(row, text)
    except ValueError as error:
        raise ValueError(f"{error}, or {' or '.join(THRESHOLD_RULES)}") from None


def _updaters(_row: Hyperparameter, text: str) -> tuple[str, ...]:
    names = _list(text, "updaters with commas between, such as grow_colmaker,prune")
    if not names:
        raise ValueError("at least one updater")
    return tuple(names)


def _text(_row: Hyperparameter, text: str) -> str:
    return text


def _column(_row: Hyperparameter, text: str) -> str:
    if not text.strip():
        raise ValueError("a column's name or position")
    return text.strip()


def _columns(_row: Hyperparameter, text: str) -> tuple[str, ...]:
    expected = 'names or positions with commas between, or a JSON list such as ["a", 3]'
    return tuple(dict.fromkeys(_list(text, expected)))


def _metrics(_row: Hyperparameter, text: str) -> tuple[str, ...]:
    names = _list(text, 'metrics with commas between, or a JSON list such as ["auc", "logloss"]')
    if not names:
        raise ValueError("at least one metric")
    # Of a name listed twice the last place counts: the last metric decides early stopping.
    return tuple(reversed(dict.fromkeys(reversed(names))))


def _list(text: str, expected: str) -> list[str]:
    if not text.strip().startswith("["):
        return [item.strip() for item in text.split(",") if item.strip()]
    items = _json(text, expected)
    if not isinstance(items, list) or not all(
        isinstance(item, str | int) and not isinstance(item, bool) for item in items
    ):
        raise ValueError(expected)
    return [str(item) for item in items]


def _delimiter(_row: Hyperparameter, text: str) -> str:
    value = _DELIMITERS.get(text.strip().lower(), text)
    if len(value) != 1 or not value.isascii() or _NO_DELIMITER.fullmatch(value):
        raise ValueError(
            f"one ASCII character that no number or quote uses, or {', '.join(_DELIMITERS)}"
        )
    return value


def _monotone(_row: Hyperparameter, text: str) -> str:
    expected = "a list of -1, 0 and 1 such as (1,0,-1)"
    body = text.strip()
    if body.startswith("(") and body.endswith(")"):
        # Python's way to write a tuple of one has a comma at its end.
        body = f"[{body[1:-1].strip().removesuffix(',')}]"
    signs = _json(body, expected)
    if not isinstance(signs, list) or not signs or not all(_is_int(s, -1, 1) for s in signs):
        raise ValueError(expected)
    return f"({','.join(map(str, signs))})"


def _interaction(_row: Hyperparameter, text: str) -> str:
    expected = "a list of lists of column positions from 0 such as [[0,1],[2,3]]"
    groups = _json(text, expected)
    if (
        not isinstance(groups, list)
        or not groups
        or not all(isinstance(group, list) and group for group in groups)
    ):
        raise ValueError(expected)
    if not all(_is_int(column, 0, None) for group in groups for column in group):
        raise ValueError(expected)
    return json.dumps(groups)


def _json(text: str, expected: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError(expected) from None


def _is_int(value: object, low: int, high: int | None) -> bool:
    whole = isinstance(value, int) and not isinstance(value, bool)
    return whole and low <= value and (high is None or value <= high)  # type: ignore[operator]


PARSERS: dict[str, Callable[[Hyperparameter, str], Any]] = {
    "int": _integer,
    "float": _float,
    "flag": _flag,
    "choice": _choice,
    "level": _level,
    "threshold": _threshold,
    "updaters": _updaters,
    "text": _text,
    "column": _column,
    "columns": _columns,
    "metrics": _metrics,
    "delimiter": _delimiter,
    "monotone": _monotone,
    "interaction": _interaction,
}
