"""Reads libsvm lines written in the usual way by whole-array operations, without a loop.

What it accepts it reads exactly as the walk of `libsvm_lines` does; at anything else, a fault or
a rare form, it gives way to that walk.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from churn_daal.tabular.decimals import MARGIN, Decimals, read_decimals
from churn_daal.tabular.libsvm_lines import MAX_INDEX, OVERFLOW
from churn_daal.tabular.sparse_block import SparseBlock, sort_rows

Bools = NDArray[np.bool_]
Places = NDArray[np.intp]

# Stands for NaN, NA and the like while the numbers are read.
_UNKNOWN = b"?"
# What a byte can be.
_INSIDE, _BLANK, _NEWLINE, _COLON, _OTHER = range(5)
_CODES = np.full(256, _OTHER, dtype=np.uint8)
for _code, _characters in enumerate((b"0123456789+-.eE" + _UNKNOWN, b" \t\r\f\v", b"\n", b":")):
    _CODES[list(_characters)] = _code
_COMMENT = re.compile(rb"#[^\n]*")
_QUERY = re.compile(rb"(?<=[ \t])qid:(?=[0-9])")
_MISSING = re.compile(rb"(?<=:)(?:nan|NaN|NAN|NA)(?=\s)")


@dataclass(frozen=True)
class _Tokens:
    """What stands between blanks and colons.

    Attributes
    ----------
    text, starts, ends
        The bytes and where the tokens lie in them.
    numbers
        Their values.
    before, after
        bool (t,), whether a colon touches the token on that side.
    query
        bool (t,), whether it is the number of a `qid:`.
    cuts
        (lines + 1,), the first token of each line.
    """

    text: bytes
    starts: Places
    ends: Places
    numbers: Decimals
    before: Bools
    after: Bools
    query: Bools
    cuts: Places

    def exactly(self, chosen: Places) -> NDArray[np.float64]:
        """Return the values of some tokens to float64's last digit."""
        values = self.numbers.values[chosen]
        for place in np.flatnonzero(~self.numbers.exact[chosen]):
            token = chosen[place]
            values[place] = float(self.text[self.starts[token] : self.ends[token]])
        return values


def scan(text: bytes, first_line: int, *, labels: bool) -> SparseBlock | None:
    """Read whole lines; None where one needs a closer look (`libsvm_lines.walk`)."""
    tokens = _tokens(text)
    return None if tokens is None else _block(tokens, first_line, labels=labels)


def _tokens(text: bytes) -> _Tokens | None:
    text = b"\n" * MARGIN + (_COMMENT.sub(b"", text) if b"#" in text else text)
    missing = queries = 0
    if b"qid:" in text:
        # From here on a colon after a blank is a query's.
        text, queries = _QUERY.subn(b" :", text)
    if b"n" in text or b"N" in text:
        text, missing = _MISSING.subn(_UNKNOWN, text)
    data = np.frombuffer(text, dtype=np.uint8)
    codes = _CODES[data]
    if (codes == _OTHER).any() or text.count(_UNKNOWN) != missing:
        return None
    inside = codes == _INSIDE
    edges = np.flatnonzero(inside[1:] != inside[:-1]) + 1
    starts, ends = edges[::2], edges[1::2]
    before, after = codes[starts - 1] == _COLON, codes[ends] == _COLON
    query = before & (codes[starts - 2] != _INSIDE)
    colons = np.count_nonzero(codes == _COLON)
    if (
        (before & after).any()
        or np.count_nonzero(query) != queries
        or np.count_nonzero(before) != colons
        or np.count_nonzero(after) != colons - queries
    ):
        return None
    numbers = read_decimals(data, starts, ends)
    if numbers is None or (np.abs(numbers.values) >= OVERFLOW).any():
        return None
    if missing:
        numbers.values[data[starts] == _UNKNOWN[0]] = np.nan
    newlines = np.flatnonzero(codes[MARGIN:] == _NEWLINE) + MARGIN
    cuts = np.append([0], np.searchsorted(starts, newlines))
    return _Tokens(text, starts, ends, numbers, before, after, query, cuts)


def _block(tokens: _Tokens, first_line: int, *, labels: bool) -> SparseBlock | None:
    filled = (np.diff(tokens.cuts) > 0) | (not labels)
    head, stop = tokens.cuts[:-1][filled], tokens.cuts[1:][filled]
    numbers = tokens.numbers
    # One more, for the empty line that may come last.
    after, query = np.append(tokens.after, [False]), np.append(tokens.query, [False])
    lone = ~np.append(tokens.before | tokens.after, [True])
    opens = lone[head] & (head < stop)
    weighted = after[head] & labels
    cursor = head + (1 + weighted if labels else opens)
    asks = query[cursor] & (cursor < stop)
    after[head[weighted]] = False  # what is left of these are indices
    at, queries = np.flatnonzero(after), cursor[asks]
    if (
        (labels and query[head].any())
        or np.count_nonzero(lone) != np.count_nonzero(opens)
        or len(queries) != np.count_nonzero(query)
        or (labels and len(queries) not in {0, len(head)})
        or np.count_nonzero(weighted) not in {0, len(head)}
        or not numbers.whole[at].all()
        or not (numbers.whole & numbers.exact)[queries].all()
        or (numbers.values[at] > MAX_INDEX).any()
    ):
        return None
    weights = numbers.values[head[weighted] + 1]
    if not (weights >= 0).all():
        return None
    indptr = np.append([0], np.cumsum((stop - cursor - asks) // 2)).astype(np.int64)
    indices, values, repeats = sort_rows(
        *(indptr, numbers.values[at].astype(np.int64), numbers.values[at + 1].astype(np.float32))
    )
    if repeats is not None:
        return None
    return SparseBlock(
        *(indptr, values, indices, first_line + np.flatnonzero(filled)),
        labels=tokens.exactly(head) if labels else None,
        weights=weights.astype(np.float32) if weighted.any() else None,
        groups=numbers.values[queries].astype(np.int64) if labels and asks.any() else None,
    )
