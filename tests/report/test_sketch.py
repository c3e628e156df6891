"""The quantile sketch: exact while small, bounded and close when large."""

from __future__ import annotations

import numpy as np
import pytest

from churn_daal.report.sketch import SIZE, QuantileSketch

SHARES = np.asarray([0.0, 0.01, 0.25, 0.5, 0.9, 1.0])


def rank_error(sketch: QuantileSketch, values: np.ndarray) -> float:
    """Return how far a quantile's rank is from the share asked for, at the most."""
    shares = np.linspace(0.01, 0.99, 99)
    ranks = np.searchsorted(np.sort(values), sketch.quantiles(shares), side="right")
    return float(np.abs(ranks / len(values) - shares).max())


@pytest.mark.parametrize("count", [1, 2, 7, SIZE])
def test_few_values_give_exact_quantiles(count: int) -> None:
    """Up to its size the sketch gives what NumPy gives."""
    values = np.random.default_rng(count).normal(size=count).astype(np.float32)
    sketch = QuantileSketch()
    sketch.add(values)

    expected = np.quantile(values, SHARES, method="inverted_cdf")
    assert sketch.exact
    np.testing.assert_array_equal(sketch.quantiles(SHARES), expected)


@pytest.mark.parametrize("shape", ["random", "rising", "falling", "few values"])
@pytest.mark.parametrize("batch", [999, 20_000])
def test_many_values_are_close_in_little_memory(shape: str, batch: int) -> None:
    """200,000 values in any order: ranks within 0.3 %, at most three times the size held."""
    values = np.random.default_rng(0).lognormal(size=200_000).astype(np.float32)
    if shape == "few values":
        values = np.round(values)
    elif shape != "random":
        values = np.sort(values)[:: 1 if shape == "rising" else -1].copy()
    sketch = QuantileSketch()
    for first in range(0, len(values), batch):
        sketch.add(values[first : first + batch])

    assert sum(map(len, sketch.levels)) <= 3 * SIZE
    assert sum(len(level) << h for h, level in enumerate(sketch.levels)) == 200_000
    if shape != "few values":
        assert rank_error(sketch, values) < 0.003
    else:
        assert sketch.quantiles(np.asarray([0.5]))[0] == np.median(values)


def test_compactions_favour_no_side() -> None:
    """Ranks are off to both sides: half of the compactions keep the lower value of each pair."""
    values = np.arange(300_000, dtype=np.float32)
    sketch = QuantileSketch(256)
    for first in range(0, len(values), 500):
        sketch.add(values[first : first + 500])
    shares = np.linspace(0.01, 0.99, 99)
    errors = sketch.quantiles(shares) / len(values) - shares

    assert abs(float(errors.mean())) < 0.002


def test_merged_sketches_are_as_close() -> None:
    """Two hosts' sketches together answer for all rows."""
    values = np.random.default_rng(3).normal(size=60_000).astype(np.float32)
    one, other = QuantileSketch(), QuantileSketch()
    one.add(values[:10_001])
    other.add(values[10_001:])
    one.merge(other)

    assert one.count == 60_000
    assert rank_error(one, values) < 0.003


def test_two_runs_give_equal_sketches() -> None:
    """The same batches leave the same values."""
    values = np.random.default_rng(4).normal(size=50_000).astype(np.float32)
    sketches = QuantileSketch(), QuantileSketch()
    for sketch in sketches:
        for part in np.array_split(values, 7):
            sketch.add(part)

    first, second = (np.concatenate(sketch.levels) for sketch in sketches)
    np.testing.assert_array_equal(first, second)


def test_ranks_tell_apart_below_and_upto() -> None:
    """A bound that is itself a value counts with `inclusive` alone."""
    sketch = QuantileSketch()
    sketch.add(np.asarray([1, 2, 2, 3], dtype=np.float32))

    bounds = np.asarray([0.0, 2.0, 3.0])
    assert sketch.ranks(bounds, inclusive=False).tolist() == [0, 1, 3]
    assert sketch.ranks(bounds, inclusive=True).tolist() == [0, 3, 4]


def test_an_empty_sketch_has_no_quantile() -> None:
    """A column without values has NaN for every quantile."""
    assert np.isnan(QuantileSketch().quantiles(SHARES)).all()
