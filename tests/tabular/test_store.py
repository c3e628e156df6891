"""Columns stay in memory up to a budget, and beyond it on the disk, with the same rows."""

from __future__ import annotations

import gc
from pathlib import Path

import numpy as np
import pytest

from churn_daal.tabular import store
from churn_daal.tabular.store import Store

POSITIONS = (4, 1)


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder that takes the temporary files, with small pieces."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(store, "_CELLS", 20)
    return tmp_path


def fill(kept: Store, rows: int) -> Store:
    """Add rows in batches of 1, 2, 3, ... rows."""
    start = size = 0
    while start < rows:
        size = min(size + 1, rows - start)
        own = np.arange(start, start + size)
        kept.add({1: own.astype(np.int32), 4: own.astype(np.float32) / 2}, size)
        start += size
    return kept


@pytest.mark.parametrize("rows", [1, 9, 10, 11, 200])
@pytest.mark.parametrize("budget", [None, 1, 800, 10**9])
def test_the_rows_are_the_same_in_memory_and_on_disk(
    temporary: Path, rows: int, budget: int | None
) -> None:
    """In order, column by column as asked for, in pieces of bounded size."""
    kept = fill(Store(POSITIONS, budget=budget), rows)
    kept.close()

    assert kept.on_disk == (budget is not None and kept.bytes > budget)
    assert kept.on_disk == bool(list(temporary.iterdir()))
    assert (kept.rows, kept.bytes) == (rows, 8 * rows)
    for _ in range(2):
        pieces = list(kept.pieces())
        assert max(piece.num_rows for piece in pieces) < 10 + 20
        halves = np.concatenate([piece.column(0).to_numpy() for piece in pieces])
        np.testing.assert_array_equal(halves, np.arange(rows, dtype=np.float32) / 2)
    assert kept.table().column(1).to_pylist() == list(range(rows))


@pytest.mark.parametrize("closed", [True, False])
def test_the_disk_is_free_once_the_store_is_gone(temporary: Path, closed: bool) -> None:
    """Also of one that was given up before its end, as when a column turns to text."""
    kept = fill(Store(POSITIONS, budget=1), 100)
    if closed:
        kept.close()
    assert list(temporary.iterdir())

    del kept
    gc.collect()

    assert not list(temporary.iterdir())


def test_rows_outlive_the_folder_while_they_are_held(temporary: Path) -> None:
    """A piece read from the disk stays readable without its store."""
    kept = fill(Store(POSITIONS, budget=1), 100)
    kept.close()
    table = kept.table()

    del kept
    gc.collect()

    assert not list(temporary.iterdir())
    assert table.column(1).to_pylist() == list(range(100))


def test_missing_numbers_stay_nan(temporary: Path) -> None:
    """XGBoost takes NaN for missing, and Arrow's null is another thing."""
    kept = Store((0,), budget=0)
    kept.add({0: np.float32([np.nan, 1.0])}, 2)
    kept.close()

    column = kept.table().column(0)
    assert list(temporary.iterdir())
    assert column.null_count == 0
    np.testing.assert_array_equal(column.to_numpy(), np.float32([np.nan, 1.0]))
