"""Numbers read many at a time are the numbers float() reads."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from churn_daal.tabular import cells
from churn_daal.tabular.decimals import MARGIN, Decimals, read_decimals

digits = st.text("0123456789", max_size=30)
numerals = st.builds(
    lambda *parts: "".join(parts),
    *(st.sampled_from(["", "-", "+"]), digits, st.sampled_from(["", "."]), digits),
    st.one_of(st.just(""), st.from_regex(r"[eE][+-]?[0-9]{1,3}", fullmatch=True)),
).filter(cells.is_number)
written = st.one_of(
    numerals,
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.floats(width=32, allow_nan=False, allow_infinity=False).map(lambda x: f"{x:.9g}"),
    st.integers(-(2**63), 2**63).map(str),
)


def read(tokens: list[str]) -> Decimals | None:
    """Read tokens with a blank between two."""
    text = b" " * MARGIN + " ".join(tokens).encode()
    ends = MARGIN - 1 + np.cumsum([len(token) + 1 for token in tokens], dtype=np.intp)
    lengths = np.array([len(token) for token in tokens], dtype=np.intp)
    return read_decimals(np.frombuffer(text, dtype=np.uint8), ends - lengths, ends)


@given(st.lists(written, min_size=1))
def test_numbers_are_those_float_reads(tokens: list[str]) -> None:
    """Equal as float32 throughout, and as float64 where they are called exact."""
    with np.errstate(over="ignore"):
        expected = np.array([float(token) for token in tokens])
        decimals = read(tokens)
        assert decimals is not None
        got, wanted = decimals.values.astype(np.float32), expected.astype(np.float32)

    assert got.tobytes() == wanted.tobytes()
    assert decimals.values[decimals.exact].tobytes() == expected[decimals.exact].tobytes()
    assert decimals.whole.tolist() == [token.isdecimal() for token in tokens]


@pytest.mark.parametrize(
    "token", ["16777217", "0.5000000298023224", "0.50000002980232240", "1e-46"]
)
def test_ties_between_two_float32_are_not_guessed(token: str) -> None:
    """On the edge between two float32 values float() decides."""
    decimals = read([token])

    assert decimals is not None
    assert decimals.values.astype(np.float32)[0] == np.float32(float(token))


@given(st.text("0123456789+-.eE", min_size=1, max_size=8))
def test_what_is_no_number_is_not_read(token: str) -> None:
    """Nothing outside the grammar of a cell is taken for a number."""
    if not cells.is_number(token):
        assert read(["1", token, "2"]) is None
