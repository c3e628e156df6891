"""The baseline has Model Monitor's fields, and its figures are those of the data."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from churn_daal.report.channel_quality import Cells, ChannelQuality
from churn_daal.report.model_monitor import MOST_DOMAIN_VALUES, constraints, statistics
from churn_daal.tabular.labels import Labels
from churn_daal.tabular.schema import Column

NUMBER, TEXT = Column("x", "number"), Column("t", "category", "ordinal", ())


def channel(column: Column, cells: Cells) -> ChannelQuality:
    """Gather one column."""
    quality = ChannelQuality([column], Labels("y", (0, 1)), "binary")
    rows = len(cells[0]) if isinstance(cells, tuple) else len(cells)
    quality.add([cells], np.zeros(rows, dtype=np.float32))
    return quality


def numbers(*values: float) -> np.ndarray:
    """Return cells of a number column."""
    return np.asarray(values, dtype=np.float32)


def test_numbers_have_the_fields_of_the_schema() -> None:
    """A number column is told in the keys and figures AWS's schema lists, ten buckets wide."""
    cells = np.append(np.random.default_rng(0).normal(5, 2, 1000), [np.nan] * 10)
    (feature,) = statistics(channel(NUMBER, cells.astype(np.float32)))["features"]
    told = feature["numerical_statistics"]
    present = cells[:1000].astype(np.float32).astype(np.float64)
    counts, edges = np.histogram(present, 10)

    assert set(told) == {"common", "mean", "sum", "std_dev", "min", "max", "distribution"}
    assert told["common"] == {"num_present": 1000, "num_missing": 10}
    assert told["sum"] == pytest.approx(present.sum())
    assert told["std_dev"] == pytest.approx(present.std())
    buckets = told["distribution"]["kll"]["buckets"]
    assert [bucket["count"] for bucket in buckets] == counts.tolist()
    np.testing.assert_allclose([b["lower_bound"] for b in buckets], edges[:-1], rtol=1e-6)


def test_the_sketch_stands_for_every_value() -> None:
    """Values of level h of the sketch stand for 2**h each, and together for all of them."""
    cells = np.random.default_rng(0).normal(size=9_000).astype(np.float32)
    (feature,) = statistics(channel(NUMBER, cells))["features"]
    kll = feature["numerical_statistics"]["distribution"]["kll"]

    assert kll["sketch"]["parameters"] == {"c": 0.64, "k": 2048.0}
    weights = [len(level) << height for height, level in enumerate(kll["sketch"]["data"])]
    assert sum(weights) == 9_000
    assert sum(bucket["count"] for bucket in kll["buckets"]) == 9_000


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (numbers(1, 2, np.nan), "Integral"),
        (numbers(1, 2.5), "Fractional"),
        (numbers(1, np.inf), "Fractional"),
        (numbers(np.nan, np.nan), "Unknown"),
        ((np.asarray([0, 0], np.int32), ["a"]), "String"),
        ((np.asarray([-1, 0], np.int32), [""]), "Unknown"),
    ],
)
def test_types_are_inferred(cells: Cells, expected: str) -> None:
    """Whole numbers, numbers, texts and empty columns have the names AWS gives them."""
    quality = channel(TEXT if isinstance(cells, tuple) else NUMBER, cells)

    for document in (statistics(quality), constraints(quality)):
        assert document["features"][0]["inferred_type"] == expected


@pytest.mark.parametrize(("low", "non_negative"), [(0.0, True), (-0.5, False)])
def test_signs_are_constrained(low: float, non_negative: bool) -> None:
    """A column that never was negative must not become so."""
    (feature,) = constraints(channel(NUMBER, numbers(low, 4, np.nan, 2)))["features"]

    assert feature["num_constraints"] == {"is_non_negative": non_negative}
    assert feature["completeness"] == 0.75


@pytest.mark.parametrize("values", [3, MOST_DOMAIN_VALUES, MOST_DOMAIN_VALUES + 1])
def test_small_sets_of_values_are_constrained(values: int) -> None:
    """Few texts become the allowed ones; many do not, since a new one is then no fault."""
    texts = [f"v{n:03}" for n in range(values)]
    (feature,) = constraints(channel(TEXT, (np.arange(values, dtype=np.int32), texts)))["features"]

    expected = {"domains": texts} if values <= MOST_DOMAIN_VALUES else None
    assert feature.get("string_constraints") == expected


def test_a_constant_column_has_all_its_rows_in_the_last_bucket() -> None:
    """Buckets of no width still hold every row once."""
    (feature,) = statistics(channel(NUMBER, numbers(7, 7, 7)))["features"]
    buckets = feature["numerical_statistics"]["distribution"]["kll"]["buckets"]

    assert [bucket["count"] for bucket in buckets] == [0] * 9 + [3]


def test_features_come_in_the_schema_s_order(
    draw: Callable[..., Any], gather: Callable[..., ChannelQuality], odd_name: str
) -> None:
    """Both documents list the raw columns, not the encoded ones, and are JSON."""
    quality = gather(draw(200, 1))
    documents = statistics(quality), constraints(quality)

    for document in documents:
        names = [feature["name"] for feature in document["features"]]
        assert names == ["minutes", odd_name, "calls"]
        assert document["version"] == 0.0
    assert documents[0]["dataset"] == {"item_count": 200}
    assert json.loads(json.dumps(documents[1])) == documents[1]
