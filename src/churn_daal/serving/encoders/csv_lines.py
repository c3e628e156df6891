"""`text/csv`: one line a row."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any, Final

import numpy as np
import orjson

from churn_daal.serving.predictions import SCORE, Column, Predictions
from churn_daal.tabular.encoder import Matrix

_NULL: Final = re.compile(b"null")


def encode_csv(blocks: Iterable[Predictions]) -> bytes:
    """Write the score of each row, the scores of several outputs side by side.

    Columns that the client chose are a cell each, several numbers as JSON's text of their list,
    as AWS's image writes them: `1,"[0.4, 0.6]"`.
    """
    return b"".join(map(_lines, blocks))


def _lines(block: Predictions) -> bytes:
    if block.selected:
        columns = [_cells(column) for column in block.columns.values()]
        return "".join(f"{','.join(row)}\n" for row in zip(*columns, strict=True)).encode()
    score = block.columns[SCORE]
    if isinstance(score, np.ndarray):
        return _numbers(score)
    return "".join(f"{_cell(label)}\n" for label in score).encode()


def _numbers(scores: Matrix) -> bytes:
    # orjson writes float32 as the shortest text that reads back to it.
    text = _dumped(scores)
    if b"n" in text:
        # An exponential link can overflow, and null is no number. A row's line is the same
        # whatever stands beside it.
        words = map(str, scores[~np.isfinite(scores)].tolist())
        text = _NULL.sub(lambda _: next(words).encode(), text)
    if scores.ndim == 1:
        return text[1:-1].replace(b",", b"\n") + b"\n"
    return text[2:-2].replace(b"],[", b"\n") + b"\n"


def _cells(column: Column) -> list[str]:
    """Return each row's cell of a column."""
    if not isinstance(column, np.ndarray):
        return list(map(_cell, column))
    if not len(column):
        return []
    text = _dumped(column).decode()
    if column.ndim == 1:
        if column.dtype.kind == "f" and not np.isfinite(column).all():
            return list(map(str, column))
        return text[1:-1].split(",")
    lists = text[2:-2].replace(",", ", ").split("], [")
    # Of a list of one there is nothing that needs quotes.
    return [f'"[{row}]"' if ", " in row else f"[{row}]" for row in lists]


def _cell(value: Any) -> str:  # noqa: ANN401 - a class, or whatever JSON holds
    if value is None:
        return ""
    if isinstance(value, list | tuple | dict | np.ndarray):
        # Through orjson, which knows NumPy's numbers and has no bare NaN.
        value = json.dumps(orjson.loads(_dumped(value)), ensure_ascii=False)
    text = str(value)
    if any(character in text for character in ',"\r\n'):
        quoted = text.replace('"', '""')
        return f'"{quoted}"'
    return text


def _dumped(data: Any) -> bytes:  # noqa: ANN401 - whatever JSON holds
    if isinstance(data, np.ndarray) and not data.flags.c_contiguous:
        data = np.ascontiguousarray(data)
    return orjson.dumps(data, option=orjson.OPT_SERIALIZE_NUMPY)
