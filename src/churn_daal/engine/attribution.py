"""The gate for contributions: oneDAL's SHAP values are used only where they are XGBoost's.

Equal margins do not make them equal. Where a split stands again right below itself, to part the
missing cells from the others, oneDAL's values differ from XGBoost's and from what the covers give,
for all rows and in the base too, though each row still adds up to its margin.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from churn_daal.engine.anatomy import read_forest, shap_work
from churn_daal.engine.native import XGBoostEngine
from churn_daal.engine.protocol import Engine, Matrix, UnansweredError

if TYPE_CHECKING:
    import xgboost

MOST_ROWS = 128
# About a second, by the figures beside `shap_work`.
MOST_WORK = 2e8


@dataclass(frozen=True)
class Attribution:
    """What was found, fit for JSON.

    Attributes
    ----------
    rows
        Rows compared: fewer of models on which a row takes long, 0 where one row is too much.
    max_difference
        The largest, relative to max(1, the row's largest value); None where nothing was compared
        or a value is not finite.
    passed
        Whether it is within the limit.
    """

    rows: int
    max_difference: float | None
    passed: bool


def check_contributions(
    engine: Engine, booster: xgboost.Booster, X: Matrix, *, limit: float
) -> Attribution:
    """Compare an engine's contributions with the booster's.

    Parameters
    ----------
    X
        float32 `(n, n_features)`, the gate's rows in any order.
    limit
        What a difference may be.
    """
    work = max(1, shap_work(read_forest(booster)["trees"]))
    rows = X[: min(MOST_ROWS, int(MOST_WORK // work))]
    if not len(rows):
        return Attribution(0, None, passed=False)
    try:
        expected = XGBoostEngine(booster).contributions(rows).astype(np.float64)
    except UnansweredError:
        # Requests for them are refused; the model's answers are none the worse.
        return Attribution(len(rows), None, passed=False)
    block = engine.contributions(rows)
    alone = np.concatenate([engine.contributions(row[np.newaxis]) for row in rows])
    scale = np.maximum(1.0, np.abs(expected).max(axis=1, keepdims=True))
    with np.errstate(invalid="ignore"):
        off = [np.abs(found - expected) / scale for found in (block, alone)]
    largest = float(np.max(off))
    finite = bool(np.isfinite(largest))
    return Attribution(len(rows), largest if finite else None, passed=finite and largest <= limit)
