"""One training run of XGBoost: rows and hyperparameters in, the booster that answers out."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import xgboost
from xgboost.callback import EvaluationMonitor

from churn_daal.boosting.callbacks import VALIDATION, KeepBest, StopWhenAsked
from churn_daal.boosting.dataset import Dataset
from churn_daal.boosting.hyperparameter_rules import conflicts
from churn_daal.boosting.hyperparameters import Hyperparameters
from churn_daal.boosting.matrices import matrices
from churn_daal.boosting.xgboost_faults import translated
from churn_daal.contract.signals import StopSignal
from churn_daal.errors import UserError
from churn_daal.settings import usable_cores

TRAIN = "train"


@dataclass(frozen=True)
class Fitted:
    """What a training run gives.

    Attributes
    ----------
    booster
        The trees that answer, and no more; without feature names.
    history
        Scores by data set and metric, one a round: `history["validation"]["logloss"][3]`.
    best_iteration
        The round, from 0, whose model `booster` is.
    stopped
        Whether the job was asked to stop before its rounds were done.
    """

    booster: xgboost.Booster
    history: Mapping[str, Mapping[str, list[float]]]
    best_iteration: int
    stopped: bool


def write_line(line: str) -> None:
    """Write one line to stdout at once, so that a metric filter sees it when it happens (T16)."""
    sys.stdout.write(f"{line.strip()}\n")
    sys.stdout.flush()


def fit(
    train: Dataset,
    validation: Dataset,
    hp: Hyperparameters,
    *,
    objective: str,
    num_class: int | None = None,
    stop: StopSignal,
    write: Callable[[str], None] = write_line,
) -> Fitted:
    """Fit a booster, one line a round as XGBoost prints it.

    With early stopping the booster is the one of the best round: by the last listed metric, or
    the objective's own, on the validation rows. A request to stop ends training after the
    round that runs; the booster is then the best so far, or the last one.

    Parameters
    ----------
    train, validation
        Rows to learn from and rows to score on; one at least of each.
    hp
        The job's hyperparameters.
    objective, num_class
        What to learn, decided by now; they take the place of those in `hp`.
    stop
        Asked after every round.
    write
        Takes each line; it may end in a newline. One that also draws a progress bar goes here.

    Raises
    ------
    UserError
        There are no rows, a hyperparameter does not go with the objective, or XGBoost refuses
        a label, a weight, a cell or a combination of hyperparameters.
    AlgorithmError
        XGBoost fails at anything else.
    """
    for data, name in ((train, TRAIN), (validation, VALIDATION)):
        _refuse_nothing(data, name)
    params = dict(hp.booster) | {"objective": objective, "nthread": hp.nthread or usable_cores()}
    params.pop("num_class", None)
    if num_class is not None:
        params["num_class"] = num_class
    # The parser could not check against an objective that the labels decide.
    faults = list(conflicts(params))
    if faults:
        raise UserError(" Also: ".join(faults))
    with xgboost.config_context(verbosity=hp.verbosity), translated():
        # As a parameter of the booster, verbosity would stay set for the whole process.
        return _run(matrices(train, validation, params), hp, params, stop, write)


def _run(
    data: tuple[xgboost.DMatrix, xgboost.DMatrix],
    hp: Hyperparameters,
    params: dict[str, Any],
    stop: StopSignal,
    write: Callable[[str], None],
) -> Fitted:
    stopper = StopWhenAsked(stop)
    keeper = None
    if hp.early_stopping_rounds is not None:
        sliceable = params.get("booster", "gbtree") == "gbtree"
        keeper = KeepBest(hp.early_stopping_rounds, sliceable=sliceable)
    # The printer comes first: XGBoost leaves out the callbacks after one that stops.
    callbacks = [EvaluationMonitor(logger=write), *([keeper] if keeper else []), stopper]
    history: dict[str, dict[str, list[float]]] = {}
    rows, held = data
    booster = xgboost.train(
        params,
        rows,
        hp.num_round,
        evals=[(rows, TRAIN), (held, VALIDATION)],
        evals_result=history,
        verbose_eval=False,
        callbacks=callbacks,
    )
    last = booster.num_boosted_rounds() - 1
    kept = None if keeper is None else keeper.best_round
    return Fitted(booster, history, last if kept is None else kept, stopper.stopped)


def _refuse_nothing(data: Dataset, name: str) -> None:
    if len(data) == 0:
        raise UserError(f"there are no {name} rows; expected at least one.")
    if data.weight is not None and not data.weight.sum() > 0:
        raise UserError(
            f"the weights of the {name} rows sum to {data.weight.sum():g}; expected more than 0."
        )
