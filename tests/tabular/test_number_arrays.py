"""Long text of numbers is an array of the same bits that each number is alone, or is left alone."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from churn_daal.tabular.number_arrays import has_bare_negative_zero, lines_of, number_array

CELLS = st.one_of(
    st.none(),
    st.floats(width=32, allow_nan=False, allow_infinity=False),
    st.integers(-(2**63), 2**63 - 1),
)


@given(st.lists(CELLS, min_size=2))
def test_numbers_and_gaps(cells: list[float | int | None]) -> None:
    """By way of float64, as NumPy does it."""
    text = ",".join("" if cell is None else repr(cell) for cell in cells).encode()
    held = number_array(text, len(cells))

    assert held is not None
    expected = np.array([np.nan if cell is None else float(cell) for cell in cells])
    assert held.dtype == np.float32
    assert held.tobytes() == expected.astype(np.float32).tobytes()


@pytest.mark.parametrize(
    ("text", "count"),
    [
        (b"1,2,3", 2),
        (b"1,[2,3]", 3),
        (b"1,{}", 2),
        (b'1,"2"', 2),
        (b"1,true", 2),
        (b"1,null", 2),
        (b"1,NaN", 2),
        (b"1,\t2", 2),
        (b"1, ,2", 3),
        (b"1,-0", 2),
        (b"-0 ,1", 2),
        (b"1,1e39", 2),
        (b"1,1e400", 2),
        (b"1,18446744073709551616", 2),
        (b"1,,1.7976931348623157e308", 3),
        (b"1,,17.976931348623157e307", 3),
        (b"1,+2", 2),
        (b"1,\xff", 2),
        (b"1,2]", 2),
        (b"1],[2", 2),
        (b"1,2,", 2),
    ],
)
def test_what_is_left_alone(text: bytes, count: int) -> None:
    """Another count, what is none of JSON's numbers, and what float32 or a sign would lose."""
    assert number_array(text, count) is None


def test_the_sign_of_zero_is_kept_where_it_is_told() -> None:
    """JSON's real numbers have a negative zero."""
    held = number_array(b"-0.0,-0.5,0", 3)

    assert held is not None
    assert np.signbit(held).tolist() == [True, True, False]


@pytest.mark.parametrize(
    ("cells", "text", "rows"),
    [
        (1, b"", 1),
        (1, b"a\n\nb", 3),
        (1, b"a;b", None),
        (2, b"a;b", 1),
        (2, b"a;b\n;", 2),
        (2, b"a\n;b;", None),
        (2, b"a;b\nc", None),
        (2, b"a;b;c\nd", None),
        (3, b"a;b;c\nd;e;f", 2),
        (3, b"a;b\nc;d;e;f", None),
    ],
)
def test_the_lines_of_a_text(cells: int, text: bytes, rows: int | None) -> None:
    """Each has so many cells, or there is none to speak of."""
    assert lines_of(cells, text, b";") == rows


@pytest.mark.parametrize(
    ("text", "bare"),
    [
        (b"-0", True),
        (b"1,-0,2", True),
        (b"-0 ,2", True),
        (b"-0.0,0", False),
        (b"-01", False),
        (b"1-0", True),
        (b"-", False),
        (b"", False),
        (b"-1,0", False),
    ],
)
def test_a_negative_zero_that_would_lose_its_sign(text: bytes, bare: bool) -> None:
    """JSON's whole numbers have none."""
    assert has_bare_negative_zero(text) is bare


def test_many_threads() -> None:
    """Each has a parser of its own."""
    texts = [",".join(str(k + n) for n in range(2_000)).encode() for k in range(4)]
    wrong: list[int] = []

    def read(k: int) -> None:
        for _ in range(50):
            held = number_array(texts[k], 2_000)
            if held is None or held.tolist() != [float(k + n) for n in range(2_000)]:
                wrong.append(k)

    threads = [threading.Thread(target=read, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
