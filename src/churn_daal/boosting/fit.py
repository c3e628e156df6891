"""One training run of XGBoost: rows and hyperparameters in, the booster that answers out."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import xgboost

from churn_daal.boosting.abandon import run_or_abandon
from churn_daal.boosting.callbacks import VALIDATION
from churn_daal.boosting.checkpoints import Checkpoints
from churn_daal.boosting.dataset import Dataset
from churn_daal.boosting.hyperparameters import Hyperparameters
from churn_daal.boosting.hyperparameters.rules import conflicts
from churn_daal.boosting.matrices import matrices
from churn_daal.boosting.peers import Alone, Peers
from churn_daal.boosting.plan import Fitted, Plan
from churn_daal.boosting.run import TRAIN, Run
from churn_daal.boosting.xgboost_faults import translated
from churn_daal.boosting.xgboost_log import register
from churn_daal.contract.signals import StopSignal
from churn_daal.errors import ChurnDaalError, UserError
from churn_daal.machine import usable_cores

__all__ = ["Fitted", "StoppedError", "fit", "write_line"]

PATIENCE = 5.0


class StoppedError(ChurnDaalError):
    """The job was asked to stop before there was a model; that is no fault of anyone's."""


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
    custom_metric: Callable[..., Any] | None = None,
    decisive: str | None = None,
    checkpoints: Checkpoints | None = None,
    earlier: bytes | None = None,
    budget: int | None = None,
    patience: float | None = PATIENCE,
    peers: Peers | None = None,
) -> Fitted:
    """Fit a booster, one line a round as XGBoost prints it.

    With early stopping the booster is the one of the best round on the validation rows. A
    request to stop ends training after the round that runs, or without it where it lasts longer
    than `patience`; the booster is then the best so far, or the last one.

    With checkpoints, a run that was killed goes on where it was, and its model is to the bit
    that of a run that was not: on one machine, with as many threads and one version of XGBoost.
    For that each round draws its rows and columns from a seed of its own; where nothing is
    drawn, checkpoints change nothing in the model.

    Parameters
    ----------
    train, validation
        Rows to learn from and rows to score on; one at least of each.
    hp
        The job's hyperparameters. `num_round` counts the rounds of the whole run, those before
        it was interrupted included and those of an earlier model not.
    objective, num_class
        What to learn, decided by now; they take the place of those in `hp`.
    stop
        Asked after every round.
    write
        Takes each line; it may end in a newline. One that also draws a progress bar goes here.
    custom_metric
        Scores answers each round, as `xgboost.train` takes it.
    decisive
        The metric that early stopping goes by; the last one listed, or the objective's own,
        by default.
    checkpoints
        Where the run's state is kept; None for nowhere.
    earlier
        A model in UBJ or JSON to go on from; its rounds stay in front of the new ones.
    budget
        Bytes of memory for the quantised rows, as `matrices` takes it.
    patience
        Seconds to wait for a round after a request to stop. None runs everything in the
        caller's thread and waits for the round: XGBoost's collective is bound to the thread
        that entered it.
    peers
        The hosts that fit together, each of which makes this call and may have no rows; None for
        this one alone. The first one's checkpoints are those of all.

    Raises
    ------
    UserError
        There are no rows, a hyperparameter does not go with the objective, XGBoost refuses
        a label, a weight, a cell or a combination of hyperparameters, the earlier model does
        not go with the job, or the checkpoint folder cannot be used.
    AlgorithmError
        XGBoost fails at anything else.
    StoppedError
        The job was asked to stop, and the first round was not over within `patience`. A thread
        is left behind: see `Fitted.abandoned`.
    """
    peers = peers or Alone()
    if peers.size == 1:
        for data, name in ((train, TRAIN), (validation, VALIDATION)):
            _refuse_nothing(data, name)
    params = _params(hp, objective, num_class)
    run = Run(
        Plan(
            params=params,
            num_round=hp.num_round,
            metrics=hp.eval_metric,
            stop=stop,
            write=write,
            early_stopping_rounds=hp.early_stopping_rounds,
            custom_metric=custom_metric,
            decisive=decisive,
            checkpoints=checkpoints,
            earlier=earlier,
            set_aside=patience is not None,
            peers=peers,
        )
    )

    def work() -> Fitted:
        # In the caller's thread too, where XGBoost's package would print to stdout (rule T16).
        register()
        # As a parameter of the booster, verbosity would stay set for the whole process; as
        # part of the configuration it holds for the thread that sets it.
        with xgboost.config_context(verbosity=hp.verbosity), translated():
            return run(matrices(train, validation, params, budget=budget))

    def salvage() -> Fitted:
        fitted = run.salvage()
        if fitted is None:
            raise StoppedError("stopped before the first round was over: there is no model")
        return fitted

    if patience is None:
        return work()
    return run_or_abandon(work, salvage, stop, patience=patience)


def _params(hp: Hyperparameters, objective: str, num_class: int | None) -> dict[str, Any]:
    params = dict(hp.booster) | {"objective": objective, "nthread": hp.nthread or usable_cores()}
    params.pop("num_class", None)
    if num_class is not None:
        params["num_class"] = num_class
    # The parser could not check against an objective that the labels decide.
    faults = list(conflicts(params))
    if faults:
        raise UserError(" Also: ".join(faults))
    return params


def _refuse_nothing(data: Dataset, name: str) -> None:
    if len(data) == 0:
        raise UserError(f"there are no {name} rows; expected at least one.")
    if data.weight is not None and not data.weight.sum() > 0:
        raise UserError(
            f"the weights of the {name} rows sum to {data.weight.sum():g}; expected more than 0."
        )
