"""What a round depends on beside its model: random draws, and the scores of the rounds before.

XGBoost draws rows and columns from a stream of random numbers that no saved model holds. A run
with checkpoints draws each round from a seed of its own, so that a round is the same whether
the run was interrupted or not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

import xgboost
from xgboost.callback import CallbackContainer, TrainingCallback

from churn_daal.boosting.progress import History

# Rounds of one seed and those of the next stay apart.
_STRIDE = 1_000_003
_SEEDS = 2**31 - 1
_SHARES = ("subsample", "colsample_bytree", "colsample_bylevel", "colsample_bynode")


def draws(params: Mapping[str, Any]) -> bool:
    """Tell whether the trees depend on random draws."""
    if params.get("booster") == "gblinear":
        return False
    return params.get("booster") == "dart" or any(params.get(name, 1) < 1 for name in _SHARES)


def why_not_resumable(params: Mapping[str, Any]) -> str | None:
    """Return what of a run's state no saved model holds; None where a run can be resumed."""
    if params.get("process_type") == "update":
        return "process_type update is half-way through the earlier model's trees"
    if params.get("lambdarank_unbiased"):
        return "lambdarank_unbiased learns beside the trees"
    if params.get("feature_selector") in {"random", "shuffle"}:
        return "feature_selector draws from a stream that goes on from round to round"
    return None


def reseed(booster: xgboost.Booster, seed: int, number: int) -> None:
    """Make a round's draws depend on the seed and the round's number alone.

    A new seed restarts XGBoost's stream; the draws of columns have one of their own, inside the
    tree updaters, and loading a configuration makes these anew.
    """
    booster.set_param({"seed": (seed * _STRIDE + number) % _SEEDS})
    booster.load_config(booster.save_config())


def restore_cuts(rows: xgboost.DMatrix, params: Mapping[str, Any], first: int) -> None:
    """Cut the columns of a matrix as the first round of a run did.

    `approx` cuts them anew each round, except for an objective whose hessians never change: there
    the cuts of the first round stay, and it made them of the rows it had drawn.

    Parameters
    ----------
    rows
        What is learned from; XGBoost keeps the cuts beside it.
    params
        XGBoost's parameters.
    first
        The number of the run's first round, which gave its seed.
    """
    if params.get("tree_method") == "approx" and params.get("subsample", 1) < 1:
        booster = xgboost.Booster(dict(params), [rows])
        reseed(booster, params["seed"], first)
        booster.update(rows, iteration=0)


def container_of(
    callbacks: list[TrainingCallback],
    history: Mapping[str, Mapping[str, list[float]]],
    custom_metric: Callable[..., Any] | None,
) -> CallbackContainer:
    """Return XGBoost's holder of callbacks with the scores so far in it."""
    # Of a built-in objective a custom metric gets answers, not margins.
    container = CallbackContainer(callbacks, metric=custom_metric, output_margin=False)
    for name, metrics in history.items():
        container.history[name] = {metric: list(scores) for metric, scores in metrics.items()}
    return container


def scores_of(container: CallbackContainer) -> History:
    """Return the scores so far: pairs of mean and spread are of cross-validation alone."""
    return {name: cast("Any", dict(metrics)) for name, metrics in container.history.items()}
