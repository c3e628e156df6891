"""Quotas are met to the row, whatever the blocks, and a seed tells the parts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from churn_daal.errors import UserError
from churn_daal.partition.dealing import Dealer, Split


@given(
    quotas=st.tuples(*[st.integers(0, 3000)] * 3),
    blocks=st.lists(st.integers(1, 400), max_size=20),
    seed=st.integers(0, 2**32 - 1),
)
def test_every_quota_is_met(quotas: tuple[int, int, int], blocks: list[int], seed: int) -> None:
    """All rows together are dealt exactly as they were asked for, in blocks of any size."""
    dealer, left, parts = Dealer(quotas, (seed,)), sum(quotas), []
    for block in [*blocks, sum(quotas)]:
        parts.append(dealer.take(min(block, left)))
        left -= min(block, left)

    dealt = np.concatenate(parts)
    assert tuple(np.bincount(dealt, minlength=3)) == quotas


def test_blocks_do_not_matter() -> None:
    """The same seed deals the same rows to the same parts, read in one block or in many."""
    quotas = (90_000, 30_000, 30_000)
    whole = Dealer(quotas, (7, 1)).take(150_000)
    pieces = Dealer(quotas, (7, 1))

    again = np.concatenate([pieces.take(size) for size in (1, 65_535, 65_537, 3, 18_924)])

    assert np.array_equal(whole, again)
    assert not np.array_equal(whole, Dealer(quotas, (8, 1)).take(150_000))


def test_no_row_is_favoured() -> None:
    """Early and late rows land in each part equally often: 2,000 seeds, five deviations wide."""
    drawn = np.array([Dealer((6, 2, 2), (seed,)).take(10) for seed in range(2_000)])

    shares = (drawn == 2).mean(axis=0)

    assert np.abs(shares - 0.2).max() < 5 * np.sqrt(0.2 * 0.8 / 2_000)


@pytest.mark.parametrize("rows", [3, 4, 5, 7, 10, 141, 707, 4_293])
def test_quotas_are_shares_and_never_empty(rows: int) -> None:
    """Each part has a row at least, and its share to the nearest row where there are enough."""
    train, validation, test = Split(0.2, 0.3).quotas(rows, "class 'x'")

    assert train + validation + test == rows
    assert min(train, validation, test) >= 1
    if rows >= 10:
        assert abs(test - 0.3 * rows) <= 0.5
        assert abs(validation - 0.2 * rows) <= 0.5


@pytest.mark.parametrize("value", [20.0, 1.0, 0.0, -0.2, float("nan")])
@pytest.mark.parametrize("name", ["test_size", "validation_size"])
def test_a_share_is_no_count(name: str, value: float) -> None:
    """test_size=20 once meant 20 rows without a word; it is refused, and the remedy named."""
    with pytest.raises(UserError, match=rf"{name} is .*share of the rows.*such as 0\.2"):
        Split(**{name: value})


def test_something_is_left_to_train_on() -> None:
    """Shares that take all the rows are refused."""
    with pytest.raises(UserError, match=r"0\.5 and test_size 0\.5 leave no rows to train on"):
        Split(0.5, 0.5)
