"""Typed cells become numbers or the texts of a CSV, or say why they cannot."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from churn_daal.tabular import cells
from churn_daal.tabular.columns import slow_numbers
from churn_daal.tabular.typed import arrow_piece, json_piece, refusal

WORDS = pa.dictionary(pa.int8(), pa.string())
DAYS = pa.dictionary(pa.int8(), pa.date32())


@pytest.mark.parametrize(
    ("kind", "as_number", "as_text"),
    [
        *((kind, None, None) for kind in (pa.int8(), pa.bool_(), pa.null(), pa.string(), WORDS)),
        *((kind, None, None) for kind in (pa.float16(), pa.decimal128(5, 2), pa.string_view())),
        *((kind, "dates or times", None) for kind in (pa.date32(), pa.time32("s"), DAYS)),
        *((kind, "dates or times", None) for kind in (pa.timestamp("ns", "UTC"), pa.duration("s"))),
        *((kind, "neither", "neither") for kind in (pa.binary(), pa.list_(pa.int8()))),
        *((kind, "neither", "neither") for kind in (pa.map_(pa.string(), pa.int8()), pa.uuid())),
    ],
    ids=str,
)
def test_types_that_are_no_cells_are_refused(
    kind: pa.DataType, as_number: str | None, as_text: str | None
) -> None:
    """Dates pass as text; lists and bytes never."""
    for text, expected in ((False, as_number), (True, as_text)):
        reason = refusal(kind, text=text)
        if expected is None:
            assert reason is None
        else:
            assert reason is not None
            assert f"the type {kind} " in reason
            assert expected in reason


def test_numbers_are_texts_only_where_they_are_asked_for_or_too_large() -> None:
    """A number beyond float32 comes as text, for the grammar to refuse with its place."""
    array = pa.array([1.0, None, 2.5])

    np.testing.assert_array_equal(arrow_piece(array, text=False), np.float32([1, np.nan, 2.5]))
    assert arrow_piece(array, text=True).to_pylist() == ["1", None, "2.5"]
    assert arrow_piece(pa.array([1.0, 1e39]), text=False).to_pylist() == ["1", "1e+39"]


SCALAR = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**64 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(["", "1.5", "x", " 7 ", "NA"]),
)


@given(values=st.lists(SCALAR, min_size=1, max_size=6), text=st.booleans())
def test_json_values_are_read_as_a_request_is(values: list[Any], text: bool) -> None:
    """Numbers where serving reads the same numbers, and where it reads none, texts that say so."""
    piece = json_piece(values, text=text)

    if isinstance(piece, np.ndarray):
        assert not text
        expected = np.asarray(cells.json_numbers(values), dtype=np.float32)
        np.testing.assert_array_equal(piece, expected)
    else:
        assert piece.fill_null("").to_pylist() == cells.json_categories(values)
        assert _outcome(slow_numbers, piece) == _outcome(cells.json_numbers, values)


def _outcome(read: Callable[[Any], Any], values: object) -> list[str] | int:
    """Return the numbers that were read, or the place of the first that is none."""
    try:
        return [str(number) for number in np.asarray(read(values), np.float32)]
    except cells.CellError as fault:
        return fault.index


@pytest.mark.parametrize("text", [False, True])
@pytest.mark.parametrize(("nested", "what"), [([1], "a list"), ({"a": 1}, "an object")])
def test_nested_values_are_refused(nested: object, what: str, text: bool) -> None:
    """By their place, as a column cannot hold them."""
    with pytest.raises(cells.CellError, match=f"^{what}, but a cell is a number, a text") as error:
        json_piece([1, "x", nested, []], text=text)

    assert error.value.index == 2
