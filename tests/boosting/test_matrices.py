"""What XGBoost reads: quantised, or the raw values, which stay sparse where they are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import scipy.sparse
import xgboost

from churn_daal.boosting.dataset import Dataset
from churn_daal.boosting.fingerprint import fingerprint
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


def rows(count: int, seed: int) -> Dataset:
    """Return rows of three columns with holes, and labels and weights."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(count, 3)).astype(np.float32)
    X[rng.random(X.shape) < 0.1] = np.nan
    y = (np.nan_to_num(X).sum(axis=1) > 0).astype(np.float32)
    return Dataset(X, y, weight=rng.uniform(0.5, 2, count).astype(np.float32))


def test_validation_rows_are_quantised_only_where_memory_is_short() -> None:
    """Raw they are scored alike, to the last digit; a checkpoint goes on under either budget."""
    train, held = rows(2000, seed=0), rows(500, seed=1)
    params = {"nthread": 1, "objective": "binary:logistic", "eval_metric": ["logloss", "auc"]}
    # The quantised rows alone, raw ones besides.
    ample, short = None, 2500 * (3 * 2 + 40)

    made = [matrices(train, held, params, budget=budget) for budget in (ample, short)]

    assert [type(second) for _, second in made] == [xgboost.DMatrix, xgboost.QuantileDMatrix]
    scores: list[dict[str, Any]] = [{}, {}]
    for (first, second), told in zip(made, scores, strict=True):
        pairs = [(first, "train"), (second, "validation")]
        xgboost.train(params, first, 20, evals=pairs, evals_result=told, verbose_eval=False)
    assert scores[0] == scores[1]
    ours, theirs = (fingerprint(params, {}, both, data="", earlier=None) for both in made)
    assert ours == theirs


def test_a_checkpoint_knows_its_validation_rows_by_what_goes_with_them() -> None:
    """Other labels are other rows, quantised or raw."""
    train, held = rows(200, seed=0), rows(50, seed=1)
    other = Dataset(held.X, 1 - held.y, weight=held.weight)
    params = {"nthread": 1, "objective": "binary:logistic"}

    found = [
        fingerprint(params, {}, matrices(train, each, params), data="", earlier=None)["validation"]
        for each in (held, other)
    ]

    assert found[0] != found[1]
