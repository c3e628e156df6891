"""Rows, labels and weights belong together."""

from __future__ import annotations

import numpy as np
import pytest

from churn_daal.boosting.dataset import Dataset

X, Y = np.arange(6, dtype=np.float32).reshape(3, 2), np.arange(3, dtype=np.float32)


def test_rows_are_taken_with_their_labels_and_weights() -> None:
    """The rows come in the order asked for, each with what belongs to it."""
    taken = Dataset(X, Y, Y * 10).take(np.array([2, 0]))

    assert len(taken) == 2
    assert taken.X.tolist() == [[4, 5], [0, 1]]
    assert taken.y.tolist() == [2, 0]
    assert taken.weight is not None
    assert taken.weight.tolist() == [20, 0]
    assert taken.X.flags.c_contiguous


@pytest.mark.parametrize(
    ("X", "y", "weight", "message"),
    [
        (X, Y[:2], None, "y has 2 rows; expected 3 as the features"),
        (X, Y, Y[:1], "weight has 1 rows; expected 3 as the features"),
        (Y, Y, None, r"X has shape \(3,\); expected \(rows, columns\)"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(
    X: np.ndarray, y: np.ndarray, weight: np.ndarray | None, message: str
) -> None:
    """A fault of the caller shows where the rows are put together."""
    with pytest.raises(ValueError, match=message):
        Dataset(X, y, weight)
