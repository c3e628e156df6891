"""What a run of boosting is given, and what it gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import xgboost

from churn_daal.boosting.checkpoints import Checkpoints
from churn_daal.boosting.peers import Alone, Peers
from churn_daal.contract.signals import StopSignal


@dataclass(frozen=True)
class Fitted:
    """What a training run gives.

    Attributes
    ----------
    booster
        The trees that answer, and no more; without feature names.
    history
        Scores by data set and metric, one a round of this job, those before it was interrupted
        included: `history["validation"]["logloss"][3]`.
    best_iteration
        The round, from 0, whose model `booster` is; the rounds of an earlier model count.
    stopped
        Whether the job was asked to stop before its rounds were done.
    earlier_rounds
        Rounds of the earlier model: `history` tells of round `best_iteration - earlier_rounds`
        and its like.
    abandoned
        Whether a round still runs, in a thread that cannot be ended. Save the model, then leave
        by `os._exit`: an ordinary end would take the libraries away under that thread.
    """

    booster: xgboost.Booster
    history: Mapping[str, Mapping[str, list[float]]]
    best_iteration: int
    stopped: bool
    earlier_rounds: int = 0
    abandoned: bool = False


@dataclass(frozen=True)
class Plan:
    """What a run is to do; see `fit`."""

    params: Mapping[str, Any]
    num_round: int
    metrics: tuple[str, ...]
    stop: StopSignal
    write: Callable[[str], None]
    early_stopping_rounds: int | None = None
    custom_metric: Callable[..., Any] | None = None
    decisive: str | None = None
    checkpoints: Checkpoints | None = None
    earlier: bytes | None = None
    set_aside: bool = True
    peers: Peers = field(default_factory=Alone)
