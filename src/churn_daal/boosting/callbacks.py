"""What happens between two rounds: the best model so far is kept."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from typing import cast

import xgboost
from xgboost.callback import TrainingCallback

from churn_daal.boosting.metric_names import is_maximised

log = logging.getLogger(__name__)

VALIDATION = "validation"
Scores = Mapping[str, Mapping[str, list[float]]]


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
    decisive
        The metric that decides; the last one listed where it is None or not computed.
    earlier_rounds
        Rounds of the model that training goes on from, which are never cut off.
    """

    def __init__(
        self,
        rounds: int,
        *,
        sliceable: bool,
        decisive: str | None = None,
        earlier_rounds: int = 0,
    ) -> None:
        super().__init__()
        self.rounds, self.sliceable = rounds, sliceable
        self.decisive, self.earlier_rounds = decisive, earlier_rounds
        self.best_round: int | None = None
        self.best_score = math.nan
        self.metric = ""
        # In UBJ; None where the best model is the first trees of the last one.
        self.best_model: bytes | None = None
        self._last_round = -1
        self._warned = False

    @property
    def is_over(self) -> bool:
        """Whether the rounds without a better score are used up."""
        return self.best_round is not None and self._last_round - self.best_round >= self.rounds

    def restore(self, history: Scores, model: bytes | None) -> None:
        """Come to the state that these scores, of all rounds so far, lead to.

        Parameters
        ----------
        history
            As `Fitted.history`.
        model
            `best_model` as it was.
        """
        for epoch, score in enumerate(self._decisive(history)):
            self._take_note(epoch, score)
        self.best_model = model

    def after_iteration(
        self, model: xgboost.Booster, epoch: int, evals_log: TrainingCallback.EvalsLog
    ) -> bool:
        """Take note of a round; return whether it is time to stop."""
        # The library's type allows for the pairs that cross-validation alone gives.
        better = self._take_note(epoch, self._decisive(cast("Scores", evals_log))[-1])
        if better and not self.sliceable:
            self.best_model = bytes(model.save_raw("ubj"))
        return self.is_over

    def after_training(self, model: xgboost.Booster) -> xgboost.Booster:
        """Return the model of the best round."""
        if self.best_round is None:
            return model
        best = self.earlier_rounds + self.best_round
        if self.sliceable:
            model = model[: best + 1]
        elif self.best_model is not None:
            model = xgboost.Booster(model_file=bytearray(self.best_model))
        # As XGBoost's own callback leaves it, for those who load the model elsewhere.
        model.set_attr(best_iteration=str(best), best_score=str(self.best_score))
        return model

    def _decisive(self, evals_log: Scores) -> list[float]:
        scores = evals_log.get(VALIDATION, {})
        if not scores:
            return []
        # AWS's image and XGBoost take the last listed metric.
        self.metric = next((name for name in scores if name == self.decisive), list(scores)[-1])
        return scores[self.metric]

    def _take_note(self, epoch: int, score: float) -> bool:
        self._last_round = epoch
        if math.isnan(score):
            self._warn()
            return False
        better = self.best_round is None or self._is_better(score)
        if better:
            self.best_round, self.best_score = epoch, score
        return better

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
