"""From rows to the matrices XGBoost reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xgboost

from churn_daal.boosting.dataset import Dataset

# The others read the raw values, which a quantised matrix does not hold.
QUANTISED_METHODS = ("auto", "hist")


def matrices(
    train: Dataset, validation: Dataset, params: Mapping[str, Any]
) -> tuple[xgboost.DMatrix, xgboost.DMatrix]:
    """Return what XGBoost reads the two from: quantised where the tree method allows it."""
    common = {"missing": np.nan, "nthread": params["nthread"]}
    linear = params.get("booster") == "gblinear"
    if not linear and params.get("tree_method", "auto") in QUANTISED_METHODS:
        if "max_bin" in params:
            common["max_bin"] = params["max_bin"]
        rows = xgboost.QuantileDMatrix(train.X, train.y, weight=train.weight, **common)
        held = xgboost.QuantileDMatrix(
            validation.X, validation.y, weight=validation.weight, ref=rows, **common
        )
        return rows, held
    return (
        xgboost.DMatrix(train.X, train.y, weight=train.weight, **common),
        xgboost.DMatrix(validation.X, validation.y, weight=validation.weight, **common),
    )
