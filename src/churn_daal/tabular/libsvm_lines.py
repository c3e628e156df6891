"""What a line of libsvm means, token by token, and what is wrong with it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from churn_daal.errors import DecodeError
from churn_daal.tabular import cells
from churn_daal.tabular.cells import FLOAT32_MAX, shown
from churn_daal.tabular.sparse_block import SparseBlock, sort_rows

# XGBoost numbers features in 32 bits, and the width is one more than the highest.
MAX_INDEX: Final = 2**31 - 2
MAX_QUERY: Final = 2**63 - 1
# float64 values from here on round to infinity as float32.
OVERFLOW: Final = 2.0**127 * (2.0 - 2.0**-24)
_MOST_DIGITS = 30


@dataclass
class _Rows:
    """The rows read so far, as lists."""

    lines: list[int] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)
    labels: list[float] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)
    groups: list[int] = field(default_factory=list)
    indices: list[int] = field(default_factory=list)
    values: list[float] = field(default_factory=list)


def walk(text: bytes, first_line: int, *, labels: bool) -> SparseBlock:
    """Read whole lines one by one; see `libsvm.parse`.

    Raises
    ------
    DecodeError
        Naming the line: what came, what was expected and the remedy.
    """
    rows = _Rows()
    for line, content in enumerate(text.split(b"\n")[:-1], start=first_line):
        tokens = [t.decode("utf-8", "replace") for t in content.partition(b"#")[0].split()]
        if not tokens and labels:
            continue
        try:
            _add(rows, tokens, labels=labels)
        except DecodeError as error:
            raise DecodeError(error.reason, row=line) from None
        rows.lines.append(line)
    return _block(rows, labels=labels)


def mixed(example: str) -> str:
    """Word the fault that some rows have what others lack."""
    return f"some rows have `{example}` and some do not; write it in every row or in none"


def _add(rows: _Rows, tokens: list[str], *, labels: bool) -> None:
    place = 0
    if labels:
        label, colon, weight = tokens[0].partition(":")
        rows.labels.append(_label(label))
        if colon:
            rows.weights.append(_weight(weight))
        if len(rows.weights) not in {0, len(rows.labels)}:
            raise DecodeError(mixed("label:weight"))
        place = 1
    elif tokens and (cells.is_number(tokens[0]) or tokens[0] in cells.MISSING):
        place = 1
    asks = place < len(tokens) and tokens[place].startswith("qid:")
    if asks:
        rows.groups.append(_query(tokens[place].removeprefix("qid:")))
        place += 1
    if labels and len(rows.groups) not in {0, len(rows.lines) + 1}:
        raise DecodeError(mixed("qid:N"))
    entries = [_entry(token) for token in tokens[place:]]
    rows.indices += [index for index, _ in entries]
    rows.values += [value for _, value in entries]
    rows.counts.append(len(entries))


def _label(text: str) -> float:
    if "," in text:
        raise DecodeError(f"{shown(text)} is several labels; write one label a row")
    if text in cells.MISSING:
        raise DecodeError(
            f"the label is {shown(text)}; expected a number. Give the row a label or leave it out"
        )
    if text == "qid" or not cells.is_number(text):
        raise DecodeError(
            f"the label {shown(text)} is not a number; write `label index:value ...` with a "
            "number such as 0 or 12.5 as the label"
        )
    return _in_range(f"the label {shown(text)}", float(text))


def _weight(text: str) -> float:
    if not cells.is_number(text) or float(text) < 0:
        raise DecodeError(
            f"the weight {shown(text)} is not a number of 0 or more; write label:weight"
        )
    return _in_range(f"the weight {shown(text)}", float(text))


def _query(text: str) -> int:
    query = _whole(text)
    if query is None or query > MAX_QUERY:
        raise DecodeError(
            f"the query {shown(text)} is not a whole number of 0 or more; write qid:N with one"
        )
    return query


def _entry(token: str) -> tuple[int, float]:
    name, colon, text = token.partition(":")
    if not colon:
        raise DecodeError(
            f"{shown(token)} is not index:value; write pairs such as 3:0.5, without blanks around "
            "the colon"
        )
    if name == "qid":
        raise DecodeError(f"{shown(token)} comes late; write qid:N once, right after the label")
    index = _whole(name)
    if index is None or index > MAX_INDEX:
        raise DecodeError(
            f"{shown(token)}: the index {shown(name)} is not a whole number from 0 to "
            f"{MAX_INDEX}; number the features from 0 or 1"
        )
    return index, _value(index, text)


def _value(index: int, text: str) -> float:
    if not text:
        raise DecodeError(f"index {index} has no value; leave out a feature that is missing")
    if text in cells.MISSING:
        return math.nan
    if not cells.is_number(text):
        raise DecodeError(
            f"index {index}: {shown(text)} is not a number; write a decimal number such as 12.5, "
            "or leave out a feature that is missing"
        )
    return _in_range(f"index {index}: {shown(text)}", float(text))


def _whole(text: str) -> int | None:
    # isdecimal() takes other scripts' digits too.
    plain = text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS
    return int(text) if plain else None


def _in_range(what: str, value: float) -> float:
    if abs(value) >= OVERFLOW:
        raise DecodeError(
            f"{what} is beyond float32's range of +-{FLOAT32_MAX:.4g}; write a smaller number"
        )
    return value


def _block(rows: _Rows, *, labels: bool) -> SparseBlock:
    indptr = np.append([0], np.cumsum(rows.counts)).astype(np.int64)
    given = np.array(rows.indices, dtype=np.int64)
    indices, values, repeats = sort_rows(indptr, given, np.array(rows.values, dtype=np.float32))
    if repeats is not None:
        own = indices[indptr[repeats] : indptr[repeats + 1]]
        twice = int(own[1:][own[1:] == own[:-1]][0])
        raise DecodeError(
            f"index {twice} comes twice; give each feature one value a row",
            row=rows.lines[repeats],
        )
    return SparseBlock(
        *(indptr, values, indices, np.array(rows.lines, dtype=np.int64)),
        labels=np.array(rows.labels, dtype=np.float64) if labels else None,
        weights=np.array(rows.weights, dtype=np.float32) if rows.weights else None,
        groups=np.array(rows.groups, dtype=np.int64) if labels and rows.groups else None,
    )
