"""Which metrics go to XGBoost, and which one early stopping watches."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import xgboost

from churn_daal.boosting.metric_plan import metric_plan

LOGISTIC = {"objective": "binary:logistic"}


def history_of(eval_metric: tuple[str, ...], params: dict[str, Any]) -> dict[str, list[float]]:
    """Train two rounds by a plan and return the scores XGBoost noted."""
    plan = metric_plan(eval_metric, params)
    X = np.arange(20, dtype=np.float32).reshape(10, 2)
    rows = xgboost.DMatrix(X, np.arange(10) % 2, nthread=1)
    history: dict[str, dict[str, list[float]]] = {}
    xgboost.train(
        params | ({"eval_metric": list(plan.builtin)} if plan.builtin else {}) | {"nthread": 1},
        rows, 2, evals=[(rows, "train")], custom_metric=plan.custom,
        evals_result=history, verbose_eval=False,
    )  # fmt: skip
    assert plan.decisive in history["train"]
    return history["train"]


@pytest.mark.parametrize(
    ("eval_metric", "decisive"),
    [
        (("f1", "auc"), "auc"),
        (("auc", "f1"), "f1"),
        (("accuracy",), "accuracy"),
        (("accuracy", "error@0.50"), "error"),
        ((), "logloss"),
    ],
)
def test_the_last_listed_metric_decides(eval_metric: tuple[str, ...], decisive: str) -> None:
    """Whoever computes it and wherever XGBoost prints it; without a list, the objective's own."""
    assert metric_plan(eval_metric, LOGISTIC).decisive == decisive


def test_every_listed_metric_is_computed_once() -> None:
    """XGBoost's own come first; a metric listed twice, in whatever form, has one score a round."""
    found = history_of(("f1", "error", "mae", "error@0.5", "f1", "rmse", "mse"), LOGISTIC)

    assert list(found) == ["error", "mae", "rmse", "f1", "mse"]
    assert {len(scores) for scores in found.values()} == {2}


def test_mae_and_rmse_stay_xgboosts() -> None:
    """They are weighted there, and AWS's image replaces them by unweighted ones (X16)."""
    plan = metric_plan(("mae", "rmse"), {"objective": "reg:squarederror"})

    assert (plan.builtin, plan.custom) == (("mae", "rmse"), None)


def test_custom_metrics_alone_come_beside_the_objectives_own() -> None:
    """As AWS's image prints them, so that a tuner may watch either."""
    assert list(history_of(("recall",), LOGISTIC)) == ["logloss", "recall"]


def test_hyperparameters_that_are_not_of_metrics_do_not_disturb() -> None:
    """XGBoost is asked with what metrics depend on alone, not with constraints on columns."""
    params = LOGISTIC | {"monotone_constraints": "(1,0,0,0)", "booster": "dart", "seed": 3}

    assert metric_plan((), params).decisive == "logloss"
