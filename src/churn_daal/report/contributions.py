"""SHAP values of a bounded sample of rows: how far each column moved each answer.

XGBoost's exact TreeSHAP takes work in proportion to rows x leaves x depth squared (Lundberg et
al., "Consistent individualized feature attribution for tree ensembles", 2018), which deep models
make hours of. The sample is therefore as large as a fixed amount of work allows.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import xgboost
from numpy.typing import NDArray

from churn_daal.engine.anatomy import read_anatomy, read_config, shap_work

Matrix = NDArray[np.float32]
Method = Literal["exact", "approximate"]

MOST_ROWS = 2_000
# Some seconds at the most.
MOST_WORK = 2e9
# With fewer rows than this, an approximation on more of them says more.
FEWEST_ROWS = 50
# float32 values XGBoost answers with in one call: 64 MB.
_MOST_CELLS = 2**24


@dataclass(frozen=True)
class Contributions:
    """Mean absolute contributions over rows, and over classes where there are several.

    Attributes
    ----------
    encoded
        float64 (d,), of each column of the matrix.
    grouped
        float64 (g,), of each group of columns: contributions of a row's columns of one group
        are summed before the absolute value is taken.
    rows
        Rows that were explained.
    method
        `exact` TreeSHAP; `approximate`, XGBoost's cheaper attribution along each path.
    """

    encoded: NDArray[np.float64]
    grouped: NDArray[np.float64]
    rows: int
    method: Method


def sample_rows(count: int, width: int, *, seed: int) -> NDArray[np.intp]:
    """Choose which of `count` rows to explain, in ascending order.

    At most 2,000, and no more than fit into 64 MB as a dense matrix of `width` columns.
    """
    most = min(MOST_ROWS, _MOST_CELLS // max(1, width))
    if count <= most:
        return np.arange(count)
    return np.sort(np.random.default_rng(seed).choice(count, most, replace=False))


def contributions(
    booster: xgboost.Booster, X: Matrix, starts: NDArray[np.intp], *, threads: int = 0
) -> Contributions:
    """Explain rows by a booster.

    Parameters
    ----------
    X
        float32 (n, d), NaN missing; the rows of `sample_rows`.
    starts
        (g,), the first column of each group, ascending from 0.
    threads
        Of XGBoost; 0 for its own choice.

    Raises
    ------
    ValueError
        There are no rows, or an answer for one row alone has too many values.
    xgboost.core.XGBoostError
        XGBoost has no contributions of this kind of model.
    """
    rows, method = _affordable(booster, len(X))
    outputs = _outputs(booster)
    batch = _MOST_CELLS // (outputs * (X.shape[1] + 1))
    if not rows or not batch:
        raise ValueError(
            f"{rows} rows of {X.shape[1]} columns and {outputs} outputs cannot be explained"
        )
    chosen = X[np.linspace(0, len(X) - 1, rows).astype(np.intp)]
    encoded = np.zeros(X.shape[1])
    grouped = np.zeros(len(starts))
    for first in range(0, rows, batch):
        matrix = xgboost.DMatrix(chosen[first : first + batch], nthread=threads or None)
        answer = booster.predict(
            matrix,
            pred_contribs=True,
            approx_contribs=method == "approximate",
            validate_features=False,
            strict_shape=True,
        )
        values = answer[..., :-1].astype(np.float64)  # (rows, outputs, d); the last is the bias
        encoded += np.abs(values).mean(axis=1).sum(axis=0)
        grouped += np.abs(np.add.reduceat(values, starts, axis=2)).mean(axis=1).sum(axis=0)
    return Contributions(encoded / rows, grouped / rows, rows, method)


def _affordable(booster: xgboost.Booster, rows: int) -> tuple[int, Method]:
    if read_anatomy(read_config(booster)).kind == "gblinear":
        return min(rows, MOST_ROWS), "exact"
    most = min(rows, MOST_ROWS, int(MOST_WORK // max(1, shap_work(_trees(booster)))))
    if most >= min(rows, FEWEST_ROWS):
        return most, "exact"
    return min(rows, MOST_ROWS), "approximate"


def _trees(booster: xgboost.Booster) -> list[dict[str, Any]]:
    document = json.loads(bytes(booster.save_raw("json")))
    part = document["learner"]["gradient_booster"]
    # Before XGBoost 3.4 a dart booster held a gbtree one.
    trees: list[dict[str, Any]] = part.get("gbtree", part)["model"]["trees"]
    return trees


def _outputs(booster: xgboost.Booster) -> int:
    anatomy = read_anatomy(read_config(booster))
    return max(1, anatomy.n_classes or anatomy.n_targets)
