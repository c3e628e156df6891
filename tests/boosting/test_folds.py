"""Repeated k-fold: each row held out once a repeat, classes even, groups whole."""

from __future__ import annotations

import logging

import numpy as np
import pytest

from churn_daal.boosting import folds as module
from churn_daal.boosting.folds import Fold, folds
from churn_daal.errors import UserError

CLASSES = (np.arange(200) % 10 == 0).astype(np.float32)
GROUPS = np.repeat(np.arange(50), 4)


def made(y: np.ndarray = CLASSES, **options: object) -> list[Fold]:
    """Return all folds, by default five of one repeat."""
    return list(folds(y, **({"k": 5, "seed": 0, "stratify": True} | options)))


@pytest.mark.parametrize("group", [None, GROUPS])
@pytest.mark.parametrize("stratify", [True, False])
def test_each_row_is_held_out_once_a_repeat(group: np.ndarray | None, *, stratify: bool) -> None:
    """And trained on in all other folds of the repeat, in rising order."""
    found = made(repeats=3, group=group, stratify=stratify)

    assert [(f.repeat, f.fold) for f in found] == [(r, k) for r in range(3) for k in range(5)]
    for repeat in range(3):
        held = np.concatenate([f.held_rows for f in found if f.repeat == repeat])
        assert sorted(held) == list(range(200))
    for fold in found:
        both = np.concatenate([fold.train_rows, fold.held_rows])
        assert sorted(both) == list(range(200))
        assert (np.diff(fold.train_rows) > 0).all()
        assert (np.diff(fold.held_rows) > 0).all()


def test_the_same_seed_gives_the_same_folds() -> None:
    """Another seed or repeat gives others, and seeds side by side share no repeat."""

    def drawn(seed: int) -> list[bytes]:
        return [f.held_rows.tobytes() for f in made(repeats=2, seed=seed)]

    assert drawn(7) == drawn(7)
    assert len({*drawn(7), *drawn(8), *drawn(-7)}) == 30


def test_stratified_folds_have_the_classes_in_even_shares() -> None:
    """Twenty rare rows over five folds: four each."""
    assert [CLASSES[f.held_rows].sum() for f in made()] == [4] * 5


@pytest.mark.parametrize("few", [10_000, 0])
@pytest.mark.parametrize("stratify", [True, False])
def test_no_group_is_on_both_sides(
    few: int, *, stratify: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever way the groups are dealt out, repeats differ."""
    monkeypatch.setattr(module, "_FEW_GROUPS", few)

    found = made(group=GROUPS, stratify=stratify, repeats=2)

    for fold in found:
        assert set(GROUPS[fold.train_rows]).isdisjoint(GROUPS[fold.held_rows])
    assert found[0].held_rows.tolist() != found[5].held_rows.tolist()


def test_groups_of_one_class_each_leave_no_fold_empty() -> None:
    """Two groups of very different sizes still give two folds."""
    y = np.repeat([0, 1], [197, 3]).astype(np.float32)

    found = made(y, k=2, group=np.repeat([4, 9], [197, 3]))

    assert sorted(len(f.held_rows) for f in found) == [3, 197]


@pytest.mark.parametrize("seed", range(4))
def test_no_fold_is_empty_whatever_the_groups(seed: int) -> None:
    """As many groups as folds, where scikit-learn's even classes would leave one fold empty."""
    group = np.repeat(np.arange(6), [14, 15, 14, 19, 14, 1])
    y = np.repeat([4, 2, 3, 0, 1, 2], [14, 15, 14, 19, 14, 1]).astype(np.float32)

    found = made(y, k=6, group=group, seed=seed)

    assert sorted(len(f.held_rows) for f in found) == [1, 14, 14, 14, 15, 19]


def test_a_small_class_is_told_and_dealt_out(caplog: pytest.LogCaptureFixture) -> None:
    """Three rows of a class are in three of five folds, not all in one."""
    y = np.array([1] * 3 + [0] * 30, np.float32)

    with caplog.at_level(logging.WARNING):
        found = made(y, repeats=2)

    assert sorted(y[f.held_rows].sum() for f in found) == [0] * 4 + [1] * 6
    assert caplog.messages == [
        "1 of 2 classes have fewer rows than the 5 folds; some folds hold none of them out"
    ]


@pytest.mark.parametrize("group", [None, np.arange(8)])
def test_classes_all_too_small_give_plain_folds(
    group: np.ndarray | None, caplog: pytest.LogCaptureFixture
) -> None:
    """Eight rows of four classes cannot be even in five folds; each row is still held out."""
    with caplog.at_level(logging.WARNING):
        found = made(np.arange(8, dtype=np.float32) // 2, group=group)

    assert sorted(np.concatenate([f.held_rows for f in found])) == list(range(8))
    assert caplog.messages == [
        "no class has 5 rows, so the 5 folds are drawn without regard to classes"
    ]


def test_more_folds_than_rows_are_refused() -> None:
    """At once, not when the first fold is asked for."""
    with pytest.raises(UserError, match=r"_kfold is 5 and the data has 4 row\(s\).*Lower _kfold"):
        folds(np.zeros(4, np.float32), k=5, seed=0, stratify=True)


def test_more_folds_than_groups_are_refused() -> None:
    """Two customers cannot be on three sides."""
    group = np.array([8, 8, 8, 3, 3])
    with pytest.raises(UserError, match=r"_kfold is 3 and the data has 2 group\(s\)"):
        folds(np.zeros(5, np.float32), k=3, seed=0, stratify=True, group=group)


@pytest.mark.parametrize(("k", "repeats"), [(1, 1), (2, 0)])
def test_one_fold_is_no_cross_validation(k: int, repeats: int) -> None:
    """A caller's fault: hyperparameters are checked before."""
    with pytest.raises(ValueError, match=f"k is {k} and repeats {repeats}"):
        folds(CLASSES, k=k, repeats=repeats, seed=0, stratify=True)
