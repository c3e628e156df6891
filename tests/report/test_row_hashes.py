"""Equal rows are found; different ones are not taken for equal."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from churn_daal.report.row_hashes import RowHashes, hash_rows, hash_texts


def hashes_of(values: np.ndarray) -> np.ndarray:
    """Hash the rows of a matrix."""
    return hash_rows(list(np.asarray(values, dtype=np.float32).T.copy()))


def test_different_rows_differ() -> None:
    """A grid of small whole numbers, where weak hashes collide, has no two equal hashes."""
    grid = np.asarray(list(itertools.product(range(20), repeat=4)))

    assert len(np.unique(hashes_of(grid))) == len(grid)


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        ([np.nan, 1], [-np.float32("nan"), 1], True),
        ([0.0, 1], [-0.0, 1], True),
        ([1, 2], [2, 1], False),
        ([0, 1], [np.nan, 1], False),
    ],
)
def test_cells_are_equal_by_value(one: list[float], other: list[float], equal: bool) -> None:
    """Missing equals missing, 0 equals -0, and columns are not exchanged."""
    first, second = hashes_of(np.asarray([one, other]))

    assert (first == second) == equal


def test_texts_are_equal_by_text() -> None:
    """Codes that count in different lists name the same text; missing is its own value."""
    one = hash_rows([(np.asarray([0, 1, -1], np.int32), hash_texts(["a", "b"]))])
    other = hash_rows([(np.asarray([1, 0, -1], np.int32), hash_texts(["b", "a"]))])

    np.testing.assert_array_equal(one, other)
    assert len(set(one.tolist())) == 3


def test_repeated_and_shared_rows_are_counted() -> None:
    """Rows that equal an earlier one, and rows another channel has, are counted exactly."""
    train, validation = RowHashes(), RowHashes()
    train.add(hashes_of(np.asarray([[1, 2], [3, 4], [1, 2]])))
    train.add(hashes_of(np.asarray([[1, 2]])))
    validation.add(hashes_of(np.asarray([[3, 4], [5, 6], [3, 4]])))

    assert (train.exact, train.repeated()) == (True, 2)
    assert validation.found_in(train) == 2


def test_many_rows_take_bounded_memory() -> None:
    """Past the limit a sample is kept, and the counts are near the true ones."""
    rows = hashes_of(np.random.default_rng(0).normal(size=(60_000, 2)))
    train, validation = RowHashes(limit=8_000), RowHashes()
    for part in np.array_split(np.concatenate([rows, rows[:20_000]]), 9):
        train.add(part)
    validation.add(rows[:5_000])

    assert len(train.held) <= 8_000
    assert not train.exact
    assert train.repeated() == pytest.approx(20_000, rel=0.1)
    assert validation.found_in(train) == pytest.approx(5_000, rel=0.2)


def test_hosts_merge() -> None:
    """A row on one host that another host has too is found."""
    one, other = RowHashes(), RowHashes(limit=100)
    rows = hashes_of(np.arange(1000).reshape(-1, 1))
    one.add(rows)
    other.add(rows)
    one.merge(other)

    assert one.halvings == other.halvings > 0
    assert one.repeated() == pytest.approx(1000, rel=0.3)
