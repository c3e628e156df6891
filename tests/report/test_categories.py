"""Counts of texts: exact while few, bounded and honest when many."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from churn_daal.report.categories import CategoryCounts


def test_few_values_are_counted_exactly() -> None:
    """Counts add up over batches, ties are listed in the order of text."""
    counts = CategoryCounts()
    counts.add({"b": 2, "a": 1})
    counts.add({"a": 1, "c": 5})

    assert counts.exact
    assert counts.distinct == 3
    assert counts.top(2) == [("c", 5), ("a", 2)]


def test_many_values_take_bounded_memory() -> None:
    """Past the limit the frequent ones stay, off by no more than is said."""
    rng = np.random.default_rng(0)
    words = [f"w{n}" for n in np.minimum(rng.zipf(1.3, size=40_000), 10**6)]
    counts = CategoryCounts(limit=500)
    for first in range(0, len(words), 1000):
        counts.add(Counter(words[first : first + 1000]))

    truth = Counter(words)
    assert not counts.exact
    assert len(counts.counts) <= 500
    assert [value for value, _ in counts.top(3)] == [value for value, _ in truth.most_common(3)]
    assert all(0 <= truth[v] - c <= counts.undercount for v, c in counts.counts.items())


@pytest.mark.parametrize("distinct", [600, 5_000, 60_000])
def test_the_number_of_values_is_estimated(distinct: int) -> None:
    """Past the limit the number of distinct values is within 10 %, though each comes twice."""
    counts = CategoryCounts(limit=300)
    for _ in range(2):
        for first in range(0, distinct, 200):
            counts.add({f"id{n}": 1 for n in range(first, min(first + 200, distinct))})

    assert counts.distinct == pytest.approx(distinct, rel=0.1)


def test_hosts_merge() -> None:
    """Two hosts that saw half the values each know of all of them."""
    one, other = CategoryCounts(limit=300), CategoryCounts(limit=300)
    one.add({f"id{n}": 1 for n in range(4_000)} | {"common": 900})
    other.add({f"id{n}": 1 for n in range(4_000, 8_000)} | {"common": 900})
    one.merge(other)

    assert one.distinct == pytest.approx(8_000, rel=0.1)
    assert one.top(1)[0][0] == "common"
    assert 1_800 - one.undercount <= one.top(1)[0][1] <= 1_800
