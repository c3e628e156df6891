"""Rows set aside for validation: the same for a seed, fair to classes, never a crash."""

from __future__ import annotations

import logging

import numpy as np
import pytest
from sklearn.model_selection import train_test_split

from churn_daal.boosting.split import split_rows
from churn_daal.errors import UserError


def labels(*counts: int) -> np.ndarray:
    """Return class numbers, so many of each class."""
    return np.repeat(np.arange(len(counts)), counts).astype(np.float32)


def test_the_same_seed_gives_the_same_rows() -> None:
    """A job run twice trains on the same rows, and another seed on others."""
    y = labels(60, 40)

    first, again = (split_rows(y, fraction=0.2, seed=-3, stratify=True) for _ in range(2))
    other = split_rows(y, fraction=0.2, seed=4, stratify=True)

    np.testing.assert_array_equal(first[1], again[1])
    assert not np.array_equal(first[1], other[1])


def test_each_side_has_each_class_in_its_share() -> None:
    """A fifth of each class is set aside."""
    y = labels(80, 15, 5)

    train, held = split_rows(y, fraction=0.2, seed=0, stratify=True)

    assert np.bincount(y[held].astype(int)).tolist() == [16, 3, 1]
    assert np.bincount(y[train].astype(int)).tolist() == [64, 12, 4]


@pytest.mark.parametrize("draw", range(60))
def test_no_row_is_lost_or_doubled(draw: int) -> None:
    """Whatever the classes, both sides have rows and together they are all rows, in order."""
    rng = np.random.default_rng(draw)
    y = labels(2, *rng.integers(1, 12, size=rng.integers(0, 5)))
    seed, stratify = int(rng.integers(-(2**31), 2**31)), draw % 4 > 0

    train, held = split_rows(y, fraction=rng.uniform(0.01, 0.99), seed=seed, stratify=stratify)

    assert len(train) >= 1
    assert len(held) >= 1
    assert sorted([*train, *held]) == list(range(len(y)))
    assert np.all(np.diff(train) > 0)
    assert np.all(np.diff(held) > 0)


def test_a_class_with_one_row_is_trained_on(caplog: pytest.LogCaptureFixture) -> None:
    """A lone row cannot be on both sides: it teaches, the others are stratified, a line says so."""
    y = labels(20, 1, 20)
    with caplog.at_level(logging.WARNING):
        train, held = split_rows(y, fraction=0.2, seed=0, stratify=True)

    assert 20 in train
    assert np.bincount(y[held].astype(int)).tolist() == [4, 0, 4]
    assert "1 of 3 classes have one row each" in caplog.text


def test_too_few_rows_for_the_classes_are_split_at_random(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Where one validation row cannot show three classes the job goes on, and says so."""
    with caplog.at_level(logging.WARNING):
        _, held = split_rows(labels(2, 2, 2), fraction=0.1, seed=0, stratify=True)

    assert len(held) == 1
    assert "6 rows are too few to split 3 classes" in caplog.text


@pytest.mark.parametrize("rows", [0, 1])
def test_fewer_than_two_rows_are_refused(rows: int) -> None:
    """Nothing can be set aside, and the message says what to do."""
    with pytest.raises(UserError, match=rf"has {rows} row\(s\); at least 2 .* validation channel"):
        split_rows(labels(rows), fraction=0.5, seed=0, stratify=True)


@pytest.mark.parametrize("labels", [2, 3, 7])
@pytest.mark.parametrize("stratify", [True, False])
def test_the_rows_are_those_of_scikit_learn(labels: int, *, stratify: bool) -> None:
    """Whoever splits by hand with the same seed gets the same rows."""
    y = np.random.default_rng(labels).integers(0, labels, 503).astype(np.float32)
    rows = np.arange(len(y))

    kept, held = split_rows(y, fraction=0.2, seed=4, stratify=stratify)

    theirs = train_test_split(
        rows, test_size=len(held), random_state=4, stratify=y if stratify else None
    )
    np.testing.assert_array_equal(kept, np.sort(theirs[0]))
    np.testing.assert_array_equal(held, np.sort(theirs[1]))
