"""What is told of one column is what its cells are, however they came in batches."""

from __future__ import annotations

import numpy as np
import pytest

from churn_daal.report.column_quality import ColumnQuality

NUMBERS = np.asarray([3, 1, np.nan, 2.5, 1, np.nan, 40], dtype=np.float32)


def of_numbers(*batches: np.ndarray) -> ColumnQuality:
    """Gather a number column."""
    column = ColumnQuality("x", "number")
    for batch in batches:
        column.add_numbers(np.asarray(batch, dtype=np.float32))
    return column


def test_numbers_are_described() -> None:
    """Range, mean, spread and quantiles are NumPy's over the present cells."""
    told = of_numbers(NUMBERS).to_json()

    present = NUMBERS[~np.isnan(NUMBERS)].astype(np.float64)
    assert (told["rows"], told["missing"], told["missing_share"]) == (7, 2, 2 / 7)
    assert (told["min"], told["max"]) == (1.0, 40.0)
    assert told["mean"] == pytest.approx(present.mean())
    assert told["std"] == pytest.approx(present.std())
    assert told["quantiles"]["0.5"] == 2.5
    assert told["quantiles_exact"]


@pytest.mark.parametrize("offset", [0.0, 1e7])
def test_batches_and_hosts_add_up(offset: float) -> None:
    """Many batches on two hosts give the figures of one, near a large mean too."""
    values = (np.random.default_rng(0).normal(size=5_000) + offset).astype(np.float32)
    one, other = of_numbers(*np.array_split(values[:3_000], 7)), of_numbers(values[3_000:])
    one.merge(other)

    wide = values.astype(np.float64)
    assert one.moments.count == 5_000
    assert one.moments.mean == pytest.approx(wide.mean(), rel=1e-12)
    assert one.moments.std == pytest.approx(wide.std(), rel=1e-9)


def test_infinite_numbers_spoil_no_figure() -> None:
    """Infinite cells are counted by themselves and are in no other figure."""
    told = of_numbers([1, np.inf, 3, -np.inf]).to_json()

    assert (told["infinite"], told["min"], told["max"], told["mean"]) == (2, 1.0, 3.0, 2.0)


@pytest.mark.parametrize("batches", [[], [np.full(3, np.nan)]])
def test_a_column_without_numbers_has_no_figures(batches: list[np.ndarray]) -> None:
    """An empty column is described without a division by nothing."""
    told = of_numbers(*batches).to_json()

    assert (told["min"], told["mean"]) == (None, None)
    assert np.isnan(told["std"])


def test_texts_are_described() -> None:
    """Counts are by category: trimmed, 415.0 as 415, and the missing ones apart."""
    column = ColumnQuality("t", "category")
    column.add_codes(np.asarray([0, 0, 1, 2, 3, -1], np.int32), ["415", " 415.0", "NA", "b"])
    told = column.to_json()

    assert (told["rows"], told["missing"], told["distinct"]) == (6, 2, 2)
    assert told["top"][0] == {"value": "415", "count": 3, "share": 0.5}


def test_each_batch_may_have_its_own_list_of_texts() -> None:
    """The same text under another code is the same category."""
    column = ColumnQuality("t", "category")
    column.add_codes(np.asarray([0, 1], np.int32), ["a", "b"])
    column.add_codes(np.asarray([0, 1], np.int32), ["b", "c"])

    assert column.categories.counts == {"a": 1, "b": 2, "c": 1}


@pytest.mark.parametrize(
    ("numbers", "constant"), [([2, 2, np.nan], True), ([2, 3], False), ([np.nan], False)]
)
def test_constant_columns_are_known(numbers: list[float], constant: bool) -> None:
    """A column is constant if its present cells hold one value."""
    assert of_numbers(np.asarray(numbers)).constant is constant
