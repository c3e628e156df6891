"""What XGBoost reads: quantised, or the raw values, which stay sparse where they are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import scipy.sparse

from churn_daal.boosting.dataset import Dataset
from churn_daal.boosting.matrices import matrices
from churn_daal.errors import UserError


class SparseRows:
    """Two CSR pieces; to ask for them as an array is a fault."""

    width = 1_000_000

    def __init__(self) -> None:
        entries = (np.array([1, 0, 2, 3], np.float32), np.array([0, 5, 999_999, 7]))
        whole = scipy.sparse.csr_matrix((*entries, np.array([0, 2, 3, 4])), shape=(3, self.width))
        self._pieces = (whole[:2], whole[2:])

    def __len__(self) -> int:
        return 3

    def batches(self, _rows: object = None) -> Iterator[Any]:
        """Yield the pieces."""
        yield from self._pieces

    def dense(self, _rows: object = None) -> np.ndarray:
        """Refuse."""
        raise AssertionError("made dense")


@pytest.mark.parametrize(
    "params", [{"tree_method": "exact"}, {"tree_method": "approx"}, {"booster": "gblinear"}]
)
def test_sparse_rows_are_never_made_dense(params: dict[str, str]) -> None:
    """A 0 that is written stays a value, and what is absent stays missing."""
    data = Dataset(SparseRows(), np.array([0, 1, 2], np.float32))

    made, _ = matrices(data, data, {"nthread": 1, **params})

    assert made.num_nonmissing() == 4
    assert (made.num_row(), made.num_col()) == (3, 1_000_000)
    assert made.get_label().tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("margin", "params", "message"),
    [
        (np.zeros((4, 2)), {"objective": "multi:softprob", "num_class": 3}, "2 column(s), but"),
        (np.zeros(4), {"objective": "multi:softprob", "num_class": 3}, "1 column(s), but"),
        (np.zeros((4, 2)), {"objective": "binary:logistic"}, "has 1 margin(s) a row"),
    ],
)
def test_base_margins_are_as_many_as_answers(
    margin: np.ndarray, params: dict[str, Any], message: str
) -> None:
    """One column for each class, or one."""
    X, y = np.zeros((4, 1), np.float32), np.zeros(4, np.float32)
    data = Dataset(X, y, base_margin=margin.astype(np.float32))

    with pytest.raises(UserError, match=re.escape(message)):
        matrices(data, data, {"nthread": 1, **params})
