"""Deals rows out to the parts by exact quotas, without knowing more than their number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from churn_daal.errors import UserError

PARTS: Final = ("train", "validation", "test")
# NumPy draws without replacement from fewer than this.
MOST_ROWS: Final = 10**9
_HAND: Final = 1 << 16


@dataclass(frozen=True)
class Split:
    """How rows are dealt out.

    Attributes
    ----------
    validation_size, test_size
        Shares of the rows, each above 0 and together below 1.
    seed
        The same rows and seed give the same parts.
    stratify
        Whether each part gets every class in the same share.

    Raises
    ------
    UserError
        A share is none, or nothing is left to train on.
    """

    validation_size: float = 0.2
    test_size: float = 0.2
    seed: int = 0
    stratify: bool = True

    def __post_init__(self) -> None:
        for name in ("validation_size", "test_size"):
            value = getattr(self, name)
            if not 0 < value < 1:
                raise UserError(
                    f"{name} is {value:g}; it is a share of the rows, not a count or a percentage: "
                    "expected a number above 0 and below 1, such as 0.2 for one row in five"
                )
        if self.validation_size + self.test_size >= 1:
            raise UserError(
                f"validation_size {self.validation_size:g} and test_size {self.test_size:g} leave "
                "no rows to train on; expected a sum below 1"
            )

    def quotas(self, rows: int, what: str) -> tuple[int, int, int]:
        """Return how many of some rows each part gets, one at least.

        Raises
        ------
        UserError
            There are fewer rows than parts, or too many.
        """
        if rows < len(PARTS):
            raise UserError(
                f"{what} has {rows} rows; each of train, validation and test needs one. Add such "
                "rows, leave them out, or do not stratify"
            )
        if rows >= MOST_ROWS:
            raise UserError(f"{what} has {rows} rows; at most {MOST_ROWS - 1} are split at a time")
        test = max(1, round(rows * self.test_size))
        validation = max(1, min(rows - test - 1, round(rows * self.validation_size)))
        test = min(test, rows - validation - 1)
        return rows - validation - test, validation, test


class Dealer:
    """Tells the rows of one class, in their order, which part they belong to.

    Every way of meeting the quotas is equally likely, and the parts depend on the order of the
    rows and the seed alone, not on how the rows are cut into blocks.

    Parameters
    ----------
    quotas
        Rows of each part.
    seed
        What the draws start from.
    """

    def __init__(self, quotas: Sequence[int], seed: Sequence[int]) -> None:
        self._left = np.asarray(quotas, dtype=np.int64)
        self._rng = np.random.default_rng(seed)
        self._hand = np.empty(0, dtype=np.uint8)

    def take(self, rows: int) -> NDArray[np.uint8]:
        """Return the parts of the next rows, as places in `PARTS`."""
        hands = [self._hand]
        held = len(self._hand)
        while held < rows:
            size = min(_HAND, int(self._left.sum()))
            drawn = self._rng.multivariate_hypergeometric(self._left, size, method="marginals")
            self._left -= drawn
            hands.append(self._rng.permutation(np.repeat(np.arange(3, dtype=np.uint8), drawn)))
            held += size
        together = np.concatenate(hands)
        self._hand = together[rows:]
        return together[:rows]
