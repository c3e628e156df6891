"""Cells become four bytes each: numbers, or codes of distinct texts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from churn_daal.tabular import cells
from churn_daal.tabular.columns import (
    TextColumn,
    as_texts,
    plain,
    plain_columns,
    quick_numbers,
    slow_numbers,
    typed_numbers,
)

CELLS = st.one_of(
    st.sampled_from(["", "NA", "nan", " 1", "2 ", "+3", ".5", "5.", "1e-3", "inf", "0x1", "1_0"]),
    st.floats(allow_nan=False).map(repr),
    st.integers(-(10**20), 10**20).map(str),
    st.text(max_size=4),
)


@given(st.lists(CELLS, min_size=1, max_size=8))
def test_the_quick_way_to_numbers_is_the_grammars(texts: list[str]) -> None:
    """Where Arrow's reading is taken, the grammar reads the same numbers."""
    array = pa.array(texts, pa.string())
    quick = quick_numbers(array)

    if quick is not None:
        np.testing.assert_array_equal(quick, np.asarray(cells.numbers(texts), dtype=np.float32))
        np.testing.assert_array_equal(quick, slow_numbers(array))


def test_the_slow_way_reads_what_arrow_does_not() -> None:
    """A plus sign is in the grammar; null is missing."""
    array = pa.array(["+1", None, " NA ", "2."])

    np.testing.assert_array_equal(slow_numbers(array), np.float32([1, np.nan, np.nan, 2]))


FLOATS = st.one_of(st.none(), st.sampled_from([np.nan, np.inf, 1e39, -1e39]), st.floats(width=32))


@given(st.integers(0, 4).flatmap(lambda n: st.lists(st.lists(FLOATS, min_size=n, max_size=n))))
def test_columns_at_once_are_the_columns_one_by_one(columns: list[list[float | None]]) -> None:
    """The same columns are taken and the same left out: NaN that is no null, and no finite cell."""
    arrays = {place: pa.array(column, pa.float64()) for place, column in enumerate(columns)}
    alone = {p: plain(array, np.asarray(array.is_null())) for p, array in arrays.items()}

    together = plain_columns(arrays)

    assert together.keys() == {place for place, read in alone.items() if read is not None}
    for place, read in together.items():
        assert read.dtype == np.float32
        np.testing.assert_array_equal(read, alone[place])


@pytest.mark.parametrize("bad", ["x", "inf", "1e39", "0x10"])
def test_the_slow_way_names_the_first_cell_at_fault(bad: str) -> None:
    """By its place among the rows, not among the distinct cells."""
    assert quick_numbers(pa.array(["1", "1", bad])) is None
    with pytest.raises(cells.CellError) as error:
        slow_numbers(pa.array(["1", "1", bad, "1", bad]))

    assert error.value.index == 2


@given(
    st.lists(
        st.lists(st.sampled_from(["a", " a", "b\t", "", None, "NA", "c"]), min_size=1, max_size=6),
        min_size=1,
        max_size=4,
    )
)
def test_a_text_column_codes_cells_in_order_of_appearance(parts: list[list[str | None]]) -> None:
    """Trimmed, null as empty; with the rows and the first row of each, over all its parts."""
    column = TextColumn()
    codes, row = [], 0
    for part in parts:
        codes.append(column.add(pa.array(part, pa.string()), row))
        row += len(part)

    flat = [(cell or "").strip() for part in parts for cell in part]
    distinct = list(dict.fromkeys(flat))
    together = np.concatenate(codes)
    assert together.dtype == np.int32
    assert set(column.distinct) == set(distinct)
    assert [column.distinct[code] for code in together] == flat
    assert column.counts.tolist() == [flat.count(cell) for cell in column.distinct]
    assert column.first.tolist() == [flat.index(cell) for cell in column.distinct]
    assert column.first.tolist() == sorted(column.first.tolist())


@pytest.mark.parametrize(
    ("array", "texts"),
    [
        (pa.array(["a", None]), ["a", None]),
        (pa.array([True, None, False]), ["true", None, "false"]),
        (pa.array([1, 2**63, None], pa.uint64()), ["1", "9223372036854775808", None]),
        (pa.array([1.0, 0.1, None, 1e-7]), ["1", "0.1", None, "1e-07"]),
        (pa.array([1e15, 1e16]), ["1000000000000000", "1e+16"]),
        (pa.array([0.1, 16777216.0], pa.float32()), ["0.1", "16777216"]),
        (pa.array([b"1.50", b"2.00"]).cast(pa.string()).cast(pa.decimal128(5, 2)), ["1.5", "2"]),
        (pa.array([100, 0]).cast(pa.string()).cast(pa.decimal128(5, 0)), ["100", "0"]),
        (pa.array(["x", None]).dictionary_encode(), ["x", None]),
        (pa.nulls(2), [None, None]),
    ],
    ids=lambda value: str(value.type) if isinstance(value, pa.Array) else "",
)
def test_typed_cells_as_texts(array: pa.Array, texts: list[str | None]) -> None:
    """As a CSV would hold them and as serving writes the same number in JSON."""
    found = as_texts(array)

    assert found.type == pa.string()
    assert found.to_pylist() == texts


@given(st.lists(st.floats(), min_size=1, max_size=5))
def test_floats_as_texts_are_the_category_of_the_same_json_number(values: list[float]) -> None:
    """So that a category learned from Parquet is found in a request."""
    expected = [cells.category(text) for text in cells.json_categories(values)]

    found = as_texts(pa.array(values, pa.float64())).to_pylist()

    assert [text and text.replace("-0", "0") for text in found] == [
        text and text.replace("-0", "0") for text in expected
    ]


@pytest.mark.parametrize(
    ("array", "numbers"),
    [
        (pa.array([1.5, None, float("nan")]), [1.5, np.nan, np.nan]),
        (pa.nulls(2), [np.nan, np.nan]),
        (pa.array([float("inf")]), None),
        (pa.array([1e39]), None),
        (pa.array([True]), None),
        (pa.array(["1"]), None),
    ],
    ids=str,
)
def test_typed_numbers(array: pa.Array, numbers: list[Any] | None) -> None:
    """None where texts have to say what is wrong, or are what is there."""
    found = typed_numbers(array)

    if numbers is None:
        assert found is None
    else:
        assert found is not None
        assert found.dtype == np.float32
        np.testing.assert_array_equal(found, np.float32(numbers))


@pytest.mark.parametrize("kind", [pa.float16(), pa.float32(), pa.float64()])
def test_zeros_of_either_sign_are_one_category(kind: pa.DataType) -> None:
    """Of a column of floats, whichever comes first."""
    for values in ([-0.0, 0.0, 1.5, None], [0.0, -0.0, 1.5, None]):
        found = as_texts(pa.array(np.array(values, dtype=float), from_pandas=True).cast(kind))

        assert found.to_pylist() == ["0", "0", "1.5", None]


def test_whole_numbers_keep_their_digits() -> None:
    """The fewest digits that float32 needs would end in other ones."""
    found = as_texts(pa.array(np.array([123456792, 0.1, 1e22, 5], np.float32)))

    assert found.to_pylist() == ["123456792", "0.1", "1e+22", "5"]
