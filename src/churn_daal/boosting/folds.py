"""Repeated k-fold: every row held out once a repeat, the same way for the same seed."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import GroupKFold, KFold, StratifiedGroupKFold, StratifiedKFold

from churn_daal.boosting.dataset import Rows
from churn_daal.errors import UserError

log = logging.getLogger(__name__)

# scikit-learn deals groups out one by one to keep the classes even. Of more groups than these,
# each fold has so many that chance keeps them even by itself, in a hundredth of the time.
_FEW_GROUPS = 10_000


@dataclass(frozen=True)
class Fold:
    """One training run of a cross-validation.

    Attributes
    ----------
    repeat, fold
        Both from 0.
    train_rows, held_rows
        Row numbers to train on and to score on, each in rising order.
    """

    repeat: int
    fold: int
    train_rows: Rows
    held_rows: Rows


def folds(
    y: NDArray[np.float32],
    *,
    k: int,
    repeats: int = 1,
    seed: int,
    stratify: bool,
    group: NDArray[np.int64] | None = None,
) -> Iterator[Fold]:
    """Divide rows into k parts, each held out once a repeat; repeats are drawn anew.

    Stratified, each part gets each class in about the same share. A class of fewer than k rows
    is missing from some parts; where all classes are so small, the parts are plain random ones.
    Rows of one group stay in one part; the parts have about as many groups, and with uneven
    groups not as many rows. What cannot be as asked is told in the log, once.

    Parameters
    ----------
    y
        Labels (n,); class numbers when `stratify` is set.
    k
        Number of parts, 2 or more.
    repeats
        How often the rows are divided, 1 or more.
    seed
        The same seed gives the same folds.
    stratify
        Whether `y` holds classes.
    group
        Group of each row (n,), such as its query or customer; None where rows are on their own.

    Returns
    -------
    Iterator
        k folds a repeat, made as they are asked for: one takes 8 bytes a row.

    Raises
    ------
    UserError
        There are fewer rows or groups than folds.
    """
    if k < 2 or repeats < 1:
        raise ValueError(f"k is {k} and repeats {repeats}; expected 2 and 1 or more")
    if len(y) < k:
        raise UserError(
            f"_kfold is {k} and the data has {len(y)} row(s); every fold holds one out at least. "
            "Lower _kfold or give more rows."
        )
    groups = None if group is None else np.unique(group, return_inverse=True)[1]
    if groups is not None and (count := int(np.max(groups)) + 1) < k:
        raise UserError(
            f"_kfold is {k} and the data has {count} group(s); the rows of one are never divided. "
            "Lower _kfold or give more groups."
        )
    classes = np.unique(y, return_inverse=True)[1] if stratify else None
    if classes is not None and not _can_stratify(classes, k):
        classes = None
    return _repeated(len(y), k=k, repeats=repeats, seed=seed, classes=classes, groups=groups)


def _can_stratify(classes: NDArray[np.intp], k: int) -> bool:
    sizes = np.bincount(classes)
    if np.max(sizes) < k:
        log.warning(
            "no class has %d rows, so the %d folds are drawn without regard to classes", k, k
        )
        return False
    if np.min(sizes) < k:
        log.warning(
            "%d of %d classes have fewer rows than the %d folds; some folds hold none of them out",
            *(int((sizes < k).sum()), len(sizes), k),
        )
    return True


def _repeated(
    n: int,
    *,
    k: int,
    repeats: int,
    seed: int,
    classes: NDArray[np.intp] | None,
    groups: NDArray[np.intp] | None,
) -> Iterator[Fold]:
    for repeat in range(repeats):
        # Seeds of their own: with seed + repeat, jobs of neighbouring seeds would share repeats.
        drawn = int(np.random.SeedSequence((seed % 2**32, repeat)).generate_state(1)[0])
        part = _parts(n, k, drawn, classes, groups)
        for fold in range(k):
            yield Fold(repeat, fold, np.flatnonzero(part != fold), np.flatnonzero(part == fold))


def _parts(
    n: int,
    k: int,
    seed: int,
    classes: NDArray[np.intp] | None,
    groups: NDArray[np.intp] | None,
) -> NDArray[np.intp]:
    """Return the part (n,) each row is held out in."""
    options = {"n_splits": k, "shuffle": True, "random_state": seed}
    if groups is None:
        return _held_in(
            KFold(**options) if classes is None else StratifiedKFold(**options), n, classes
        )
    if classes is not None and np.max(groups) < _FEW_GROUPS:
        part = _held_in(StratifiedGroupKFold(**options), n, classes, groups)
        # Few or uneven groups can leave a part without rows there.
        if len(np.unique(part)) == k:
            return part
    return _held_in(GroupKFold(**options), n, classes, groups)


def _held_in(
    splitter: KFold | StratifiedKFold | GroupKFold | StratifiedGroupKFold,
    n: int,
    classes: NDArray[np.intp] | None,
    groups: NDArray[np.intp] | None = None,
) -> NDArray[np.intp]:
    part = np.empty(n, np.intp)
    with warnings.catch_warnings():
        # Of small classes, in words of its own.
        warnings.simplefilter("ignore", UserWarning)
        for fold, (_, held) in enumerate(splitter.split(np.empty((n, 0)), classes, groups)):
            part[held] = fold
    return part
