"""Quotes are dropped where the csv module would read the same cells without them."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from churn_daal.tabular.quotes import unquoted


@settings(max_examples=500, deadline=None)
@given(st.text(alphabet='",\na ', max_size=14), st.sampled_from(",;"))
@example('"a""b"', ",")
@example('a"b"', ",")
@example('""', ",")
@example('"a" ,b', ",")
def test_the_cells_are_the_same(text: str, delimiter: str) -> None:
    """Or it is left to the csv module itself."""
    bare = unquoted(text.encode(), delimiter.encode())

    if bare is not None:
        assert rows_of(bare.decode(), delimiter) == rows_of(text, delimiter)


def rows_of(text: str, delimiter: str) -> list[list[str]]:
    """Return what the csv module reads, a line without a cell as an empty one, and an end."""
    lines = io.StringIO(f"{text}\nend", newline="")
    return [row or [""] for row in csv.reader(lines, delimiter=delimiter, strict=True)]


@pytest.mark.parametrize(
    ("text", "bare"),
    [
        (b'"a","b"\n"c",1', b"a,b\nc,1"),
        (b'"a"', b"a"),
        (b'1,""', b"1,"),
        (b'"1,5",2', None),
        (b'"a\nb"', None),
        (b'"a""b"', None),
        (b'a"b"', None),
        (b'"a"b', None),
        (b' "a"', None),
        (b'"a', None),
        (b'"a",b"', None),
    ],
)
def test_what_is_told(text: bytes, bare: bytes | None) -> None:
    """Quotes around whole cells, and what else there may be."""
    assert unquoted(text, b",") == bare
