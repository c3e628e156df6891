"""One grammar of a cell, on text and on JSON."""

from __future__ import annotations

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from churn_daal.tabular import cells


def nested(depth: int) -> list[object]:
    """Return a list in a list, so deep that Python will not print it."""
    value: list[object] = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        *(("0", 0.0), ("-1.5", -1.5), ("+2", 2.0), (".5", 0.5), ("5.", 5.0), ("1e-3", 0.001)),
        *((" 7 ", 7.0), ("\t7", 7.0), ("1E5", 100_000.0), ("007", 7.0)),
    ],
)
def test_numbers_are_decimal(cell: str, value: float) -> None:
    """Signs, a leading or trailing point, exponents and white space around are all numbers."""
    assert cells.numbers([cell]) == [value]


@pytest.mark.parametrize("cell", ["", " ", "NaN", "nan", "NA", " NA "])
def test_missing_is_nan(cell: str) -> None:
    """Empty, NaN and NA are missing, with white space or not."""
    assert math.isnan(cells.numbers([cell])[0])
    assert math.isnan(cells.booleans([cell])[0])
    assert cells.category(cell) is None


@pytest.mark.parametrize(
    "cell",
    [
        "inf",
        "-Infinity",
        "-nan",
        "nAn",
        "1_000",
        "0x10",
        "1,5",
        "12 %",
        "1 2",
        "\u0661",
        "e5",
        ".",
        "--1",
        "1e",
        "True",
    ],
)
def test_what_float_takes_and_csv_does_not_mean_is_refused(cell: str) -> None:
    """Words, underscores, other scripts' digits and half numbers are no numbers."""
    with pytest.raises(cells.CellError, match=re.escape(repr(cell))) as caught:
        cells.numbers(["1", cell])

    assert caught.value.index == 1


@pytest.mark.parametrize("cell", ["2019-01-01", "01/02/2019", "2019-01-01T10:00:00Z"])
def test_a_date_is_called_a_date(cell: str) -> None:
    """The message tells the user what kind of cell it was."""
    with pytest.raises(cells.CellError, match="is a date, not a number"):
        cells.numbers([cell])


@pytest.mark.parametrize("cell", ["1e39", "-1e39", "3.4028236e38"])
def test_numbers_beyond_float32_are_refused(cell: str) -> None:
    """XGBoost computes in float32: a larger number would become infinite in silence."""
    with pytest.raises(cells.CellError, match="beyond float32's range"):
        cells.numbers([cell])
    with pytest.raises(cells.CellError, match="beyond float32's range"):
        cells.json_numbers([float(cell)])


def test_the_largest_float32_passes() -> None:
    """The bound itself is a number."""
    assert cells.numbers([repr(cells.FLOAT32_MAX)]) == [cells.FLOAT32_MAX]


@given(st.lists(st.text(alphabet="0123456789eE+-. _infNA\t", max_size=8), max_size=4))
def test_the_quick_way_and_the_strict_way_agree(texts: list[str]) -> None:
    """A batch is read exactly as its cells one by one are."""

    def read(batch: list[str]) -> list[str]:
        try:
            return [repr(value) for value in cells.numbers(batch)]
        except cells.CellError as error:
            return [error.reason]

    single = [read([text]) for text in texts]
    refused = [reasons for reasons in single if reasons[0].startswith("'")]

    assert read(texts) == (refused[0] if refused else [values[0] for values in single])


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("True", 1),
        ("yes", 1),
        ("T", 1),
        ("True.", 1),
        ("FALSE", 0),
        ("no", 0),
        (True, 1),
        (0, 0),
        ("1", 1),
    ],
)
def test_booleans(cell: object, value: float) -> None:
    """Words in any case, with the dot the churn data has, JSON's own and 1 or 0."""
    assert cells.booleans([cell]) == [value]


@pytest.mark.parametrize("cell", ["maybe", 2, [1], {}, nested(2_000)])
def test_other_words_are_no_booleans(cell: object) -> None:
    """The message lists what is taken."""
    with pytest.raises(cells.CellError, match="not a yes or no; send true or false"):
        cells.booleans([cell])


def test_json_values_of_number_columns() -> None:
    """Numbers, null and text cells are read; true is not a number."""
    assert cells.json_numbers([1, 2.5, "3"]) == [1.0, 2.5, 3.0]
    assert math.isnan(cells.json_numbers([None])[0])
    for value, name in ((True, "true"), ([1], "a list"), ({}, "an object")):
        with pytest.raises(cells.CellError, match=f"^{name} is not a number"):
            cells.json_numbers([value])


def test_json_values_of_category_columns() -> None:
    """They become the texts a CSV would hold."""
    assert cells.json_categories(["KS", 415, 415.0, 1.5, True, None]) == [
        "KS",
        "415",
        "415.0",
        "1.5",
        "true",
        "",
    ]
    with pytest.raises(cells.CellError, match="an object is not a category"):
        cells.json_categories([{}])


@pytest.mark.parametrize(
    ("cell", "category"),
    [
        *(
            ("KS", "KS"),
            (" KS ", "KS"),
            ("415.0", "415"),
            ("-3.00", "-3"),
            ("0.0", "0"),
            ("-0.0", "0"),
        ),
        *(("0415", "0415"), ("0415.0", "0415.0"), ("1.50", "1.50"), ("10", "10"), ("v1.0", "v1.0")),
    ],
)
def test_categories_that_are_whole_numbers(cell: str, category: str) -> None:
    """A point with zeros after a whole number is a writer's, and no part of the category."""
    assert cells.category(cell) == category


def test_long_cells_are_cut_in_messages() -> None:
    """A message stays readable whatever came."""
    assert len(cells.shown("x" * 1000)) < 60
