"""Setting rows aside for validation, the same rows for the same seed."""

from __future__ import annotations

import logging

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import train_test_split

from churn_daal.errors import UserError

log = logging.getLogger(__name__)

MIN_ROWS = 2


def split_rows(
    y: NDArray[np.float32],
    *,
    fraction: float,
    seed: int,
    stratify: bool,
    group: NDArray[np.int64] | None = None,
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Split row numbers into those to train on and those to validate on.

    Stratified, each side gets each class in the same share. A class with one row cannot be on
    both sides: it stays with the rows to train on, and the rest are split as asked. Where the
    smaller side has fewer rows than there are classes, the split is a plain random one. Both
    are told in the log.

    Parameters
    ----------
    y
        Labels (n,); class numbers when `stratify` is set.
    fraction
        Share of the rows to validate on, above 0 and below 1; each side gets one row at least.
    seed
        The same seed gives the same split.
    stratify
        Whether `y` holds classes.
    group
        The query of each row, int64 (n,): its rows stay together, and the fraction is one of
        queries; None where rows stand alone.

    Returns
    -------
    tuple
        Row numbers to train on and to validate on, each in rising order.

    Raises
    ------
    UserError
        There are fewer than two rows.
    """
    if len(y) < MIN_ROWS:
        raise UserError(
            f"the train channel has {len(y)} row(s); at least {MIN_ROWS} are needed to set some "
            "aside for validation. Give more rows, or a validation channel."
        )
    if group is not None:
        return _by_group(group, fraction, seed)
    held = min(max(1, round(len(y) * fraction)), len(y) - 1)
    if stratify:
        parts = _stratified(y, held, seed)
        if parts is not None:
            return parts
        log.warning(
            "%d rows are too few to split %d classes in equal shares; the split is random",
            len(y),
            len(np.unique(y)),
        )
    return _draw(np.arange(len(y)), held, seed, None)


def _by_group(
    group: NDArray[np.int64], fraction: float, seed: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    groups = np.unique(group)
    if len(groups) < MIN_ROWS:
        raise UserError(
            f"the rows are of {len(groups)} query, which cannot be on both sides of a split. Give "
            "more queries, or a validation channel."
        )
    count = min(max(1, round(len(groups) * fraction)), len(groups) - 1)
    _, held = _draw(np.arange(len(groups)), count, seed, None)
    outside = np.isin(group, groups[held])
    return np.flatnonzero(~outside), np.flatnonzero(outside)


def _stratified(
    y: NDArray[np.float32], held: int, seed: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]] | None:
    classes, codes, counts = np.unique(y, return_inverse=True, return_counts=True)
    lone = counts[codes] == 1
    rows, shared = np.flatnonzero(~lone), int((counts > 1).sum())
    if not shared <= held <= len(rows) - shared:
        return None
    if lone.any():
        log.warning(
            "%d of %d classes have one row each; those rows are trained on and not validated",
            int(lone.sum()),
            len(classes),
        )
    train, validation = _draw(rows, held, seed, codes[rows])
    return np.sort(np.concatenate([train, np.flatnonzero(lone)])), validation


def _draw(
    rows: NDArray[np.intp], held: int, seed: int, classes: NDArray[np.intp] | None
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    # scikit-learn takes 32 unsigned bits, XGBoost's seed may be negative.
    train, validation = train_test_split(
        rows, test_size=held, random_state=seed % 2**32, stratify=classes
    )
    return np.sort(train), np.sort(validation)
