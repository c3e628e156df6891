"""The choice of an engine at the end of training: oneDAL if it is equal, XGBoost if not.

A model that oneDAL cannot hold, or does not answer alike, is no failure of the job: XGBoost
serves it, and the reason is told in one line.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from churn_daal.engine.anatomy import read_anatomy, read_config
from churn_daal.engine.convert import convert
from churn_daal.engine.native import XGBoostEngine
from churn_daal.engine.parity import Parity, check_parity
from churn_daal.engine.protocol import Engine, Matrix
from churn_daal.errors import ConversionError

if TYPE_CHECKING:
    import xgboost

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Built:
    """The engine chosen, and why.

    Attributes
    ----------
    engine
        Ready to predict.
    onedal
        What `load_onedal` reads; None where XGBoost serves.
    parity
        What the gate found; None where there was nothing to compare.
    reason
        One line on why XGBoost serves; None where oneDAL does.
    """

    engine: Engine
    onedal: bytes | None
    parity: Parity | None
    reason: str | None


def build(booster: xgboost.Booster, X_check: Matrix, *, seed: int) -> Built:
    """Convert a booster, hold the result against it and choose the engine.

    Parameters
    ----------
    booster
        The model to serve, with just the trees it is to serve with: `Booster.predict` and
        every engine use all of them, whatever `best_iteration` says, so slice it first.
        It is not altered.
    X_check
        float32 `(n, n_features)`, rows the booster was not trained on.
    seed
        Of the gate's choices.

    Raises
    ------
    ValueError
        X_check is not float32 or of another width.
    UserError
        The booster's objective is unknown to this release.
    """
    try:
        converted = convert(booster)
    except ConversionError as error:
        return _fall_back(booster, None, f"not convertible to oneDAL: {error}")
    parity = check_parity(converted, booster, X_check, seed=seed)
    if not parity.passed:
        reason = (
            f"oneDAL and XGBoost differ by {_amount(parity)} on the {parity.quantity} "
            f"(limit {parity.limit:g}), worst at {parity.worst_row}"
        )
        return _fall_back(booster, parity, reason)
    return Built(converted, converted.to_bytes(), parity, None)


def rebuild(booster: xgboost.Booster) -> Built:
    """Choose an engine for a booster without rows to compare on.

    That is one from elsewhere, or one whose oneDAL bytes are missing or of another release. The
    gate compares on missing values and on the splits.

    Parameters
    ----------
    booster
        With just the trees it is to serve with, as for `build`.

    Raises
    ------
    UserError
        The booster's objective is unknown to this release.
    """
    width = read_anatomy(read_config(booster)).n_features
    built = build(booster, np.empty((0, width), dtype=np.float32), seed=0)
    if built.reason is not None:
        log.warning("serving with XGBoost itself: %s", built.reason)
    return built


def _fall_back(booster: xgboost.Booster, parity: Parity | None, reason: str) -> Built:
    return Built(XGBoostEngine(booster), None, parity, " ".join(reason.split()))


def _amount(parity: Parity) -> str:
    largest = parity.max_difference
    return "a value that is not finite" if largest is None else f"{largest:.3g}"
