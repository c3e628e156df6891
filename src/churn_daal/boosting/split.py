"""Setting rows aside for validation, the same rows for the same seed."""

from __future__ import annotations

import logging

import numpy as np
from numpy.typing import NDArray

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
    return _sides(len(y), _draw(len(y), held, seed))


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
    outside = np.isin(group, groups[_draw(len(groups), count, seed)])
    return np.flatnonzero(~outside), np.flatnonzero(outside)


def _stratified(
    y: NDArray[np.float32], held: int, seed: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]] | None:
    _, codes, counts = np.unique(y, return_inverse=True, return_counts=True)
    shared = counts > 1
    rows = int(counts[shared].sum())
    if not shared.sum() <= held <= rows - shared.sum():
        return None
    if not shared.all():
        log.warning(
            "%d of %d classes have one row each; those rows are trained on and not validated",
            int((~shared).sum()),
            len(counts),
        )
    rng = _generator(seed)
    # Row numbers by class: scikit-learn's lists of them take 200 bytes a row.
    by_class = np.argsort(codes, kind="stable")
    starts = np.cumsum(counts) - counts
    kept = _shares(counts[shared], rows - held, rng)
    drawn = [
        by_class[start + rng.permutation(count)[keep:]]
        for start, count, keep in zip(starts[shared], counts[shared], kept, strict=True)
    ]
    return _sides(len(y), np.concatenate(drawn))


def _shares(counts: NDArray[np.intp], total: int, rng: np.random.RandomState) -> NDArray[np.intp]:
    """Divide `total` rows among classes in proportion; equal remainders are drawn for."""
    exact = counts / counts.sum() * total
    shares: NDArray[np.intp] = np.floor(exact).astype(np.intp)
    left = total - int(shares.sum())
    for remainder in np.unique(exact - shares)[::-1]:
        if not left:
            break
        equals = np.flatnonzero(exact - np.floor(exact) == remainder)
        chosen = rng.choice(equals, size=min(left, len(equals)), replace=False)
        shares[chosen] += 1
        left -= len(chosen)
    return shares


def _draw(count: int, held: int, seed: int) -> NDArray[np.intp]:
    order: NDArray[np.intp] = _generator(seed).permutation(count)
    return order[:held]


def _sides(rows: int, held: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    outside = np.zeros(rows, dtype=bool)
    outside[held] = True
    return np.flatnonzero(~outside), np.flatnonzero(outside)


def _generator(seed: int) -> np.random.RandomState:
    # The draws of scikit-learn's train_test_split, so that a user's own split by the same seed
    # gives the same rows. It takes 32 unsigned bits, and XGBoost's seed may be negative.
    return np.random.RandomState(seed % 2**32)
