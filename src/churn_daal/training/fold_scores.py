"""The scores of a fold whose rows lie on several hosts, as one machine would compute them.

XGBoost's metrics are sums over the hosts' rows, but for the areas under curves: of these it
averages each host's own. The first host has them computed over the rows of all, by XGBoost, in a
thread that takes no part in the collective.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import numpy as np
import xgboost
from numpy.typing import NDArray

from churn_daal.boosting.dataset import Dataset
from churn_daal.cluster import World
from churn_daal.machine import usable_cores
from churn_daal.training.data import Data

AREAS: Final = ("auc", "aucpr")
# Encoded cells that are dense at a time: 64 MB.
_CELLS: Final = 1 << 24

Scores = Mapping[str, Mapping[str, float]]


def over_all_hosts(
    scores: Scores, booster: xgboost.Booster, held: Dataset, data: Data, world: World
) -> Scores:
    """Return a fold's scores with its areas under curves put right; every host has to call it.

    Parameters
    ----------
    scores
        By data set and metric; `validation` are the rows held out.
    booster
        The fold's model.
    held
        This host's rows held out.
    data
        What the rows mean.
    world
        The hosts. On all but the first the scores come back as they are: gathered are 4 bytes a
        margin, 4 a label and 4 a weight of the rows held out, on the first host alone.
    """
    areas = [name for name in scores["validation"] if name in AREAS]
    # Of queries XGBoost has a figure each, and sums these.
    if world.size == 1 or not areas or data.task == "ranking":
        return scores
    weighted = world.any(held.weight is not None)
    own = np.zeros(0, np.float32) if held.weight is None else held.weight
    margin = world.to_first(_margins(booster, held))
    y = world.to_first(held.y)
    weight = world.to_first(own) if weighted else None
    if not world.is_first:
        return scores
    params = {"objective": data.objective, "eval_metric": areas, "nthread": usable_cores()}
    if data.num_class is not None:
        params["num_class"] = data.num_class
    with ThreadPoolExecutor(1) as thread:
        found = thread.submit(_areas, params, margin, y, weight).result()
    return {**scores, "validation": {**scores["validation"], **found}}


def _margins(booster: xgboost.Booster, held: Dataset) -> NDArray[np.float32]:
    most = max(1, _CELLS // held.width)
    parts = []
    for start in range(0, len(held), most):
        piece = held.take(np.arange(start, min(start + most, len(held))))
        # Not a DMatrix: with hosts, making one is a matter of all of them.
        parts.append(
            booster.inplace_predict(piece.X, predict_type="margin", base_margin=piece.base_margin)
        )
    return np.concatenate(parts) if parts else np.zeros(0, np.float32)


def _areas(
    params: Mapping[str, Any],
    margin: NDArray[np.float32],
    y: NDArray[np.float32],
    weight: NDArray[np.float32] | None,
) -> dict[str, float]:
    rows = xgboost.DMatrix(np.zeros((len(y), 1), np.float32), y, weight=weight, base_margin=margin)
    line = xgboost.Booster(dict(params), [rows]).eval_set([(rows, "")])
    # `[0]<TAB>-auc:0.9<TAB>-aucpr:0.8`, each as many digits as it takes.
    pairs = (part.removeprefix("-").rsplit(":", 1) for part in line.split("\t")[1:])
    return {name: float(value) for name, value in pairs}
