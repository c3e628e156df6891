"""What happens between two rounds: keeping the best model, and stopping when asked to."""

from __future__ import annotations

import logging
import math

import xgboost
from xgboost.callback import TrainingCallback

from churn_daal.boosting.metric_names import is_maximised
from churn_daal.contract.signals import StopSignal

log = logging.getLogger(__name__)

VALIDATION = "validation"


class KeepBest(TrainingCallback):
    """Early stopping that ends with the model of the best round and nothing after it.

    XGBoost's own callback stops at the first undefined score for good and takes the best model
    by cutting trees off. Here an undefined score is passed over, and a booster whose earlier
    rounds change later (dart's weights, a linear model) is kept as it was in its best round.

    Parameters
    ----------
    rounds
        Rounds without a better score after which training ends.
    sliceable
        Whether the best model is the first trees of the last one.
    """

    def __init__(self, rounds: int, *, sliceable: bool) -> None:
        super().__init__()
        self.rounds, self.sliceable = rounds, sliceable
        self.best_round: int | None = None
        self.best_score = math.nan
        self.metric = ""
        self._snapshot = bytearray()
        self._warned = False

    def after_iteration(
        self, model: xgboost.Booster, epoch: int, evals_log: TrainingCallback.EvalsLog
    ) -> bool:
        """Take note of a round; return whether it is time to stop."""
        # The last listed metric, as AWS's image and XGBoost take it.
        self.metric, scores = list(evals_log[VALIDATION].items())[-1]
        last = scores[-1]
        # Cross-validation alone gives pairs of mean and spread.
        score = float(last[0] if isinstance(last, tuple) else last)
        if math.isnan(score):
            self._warn()
            return False
        if self.best_round is None or self._is_better(score):
            self.best_round, self.best_score = epoch, score
            if not self.sliceable:
                self._snapshot = model.save_raw("ubj")
        return epoch - self.best_round >= self.rounds

    def after_training(self, model: xgboost.Booster) -> xgboost.Booster:
        """Return the model of the best round."""
        if self.best_round is None:
            return model
        if self.sliceable:
            model = model[: self.best_round + 1]
        else:
            model = xgboost.Booster(model_file=self._snapshot)
        # As XGBoost's own callback leaves it, for those who load the model elsewhere.
        model.set_attr(best_iteration=str(self.best_round), best_score=str(self.best_score))
        return model

    def _is_better(self, score: float) -> bool:
        return score > self.best_score if is_maximised(self.metric) else score < self.best_score

    def _warn(self) -> None:
        if not self._warned:
            self._warned = True
            log.warning(
                "%s-%s cannot be computed on these rows, so early stopping passes it over",
                VALIDATION,
                self.metric,
            )


class StopWhenAsked(TrainingCallback):
    """End training after the round in which the job was asked to stop."""

    def __init__(self, stop: StopSignal) -> None:
        super().__init__()
        self.stop = stop
        self.stopped = False

    def after_iteration(self, *_: object) -> bool:
        """Return whether it is time to stop."""
        self.stopped = self.stop.requested
        return self.stopped
