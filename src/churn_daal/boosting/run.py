"""One run of boosting that can be taken up where it was killed, and given up without loss."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import partial
from typing import Any

import xgboost
from xgboost.callback import CallbackContainer, EvaluationMonitor, TrainingCallback

from churn_daal.boosting.callbacks import VALIDATION, KeepBest
from churn_daal.boosting.checkpoints import CheckpointFolder
from churn_daal.boosting.draws import (
    container_of,
    draws,
    reseed,
    restore_cuts,
    scores_of,
    why_not_resumable,
)
from churn_daal.boosting.earlier import continued, is_update
from churn_daal.boosting.fingerprint import fingerprint
from churn_daal.boosting.plan import Fitted, Plan
from churn_daal.boosting.progress import History, Progress, freeze, thaw
from churn_daal.boosting.states import States
from churn_daal.errors import UserError

log = logging.getLogger(__name__)

TRAIN = "train"


class Run:
    """A run that goes from round to round; one thread runs it, another may salvage its model."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._earlier_rounds = 0
        self._fingerprint: Mapping[str, Any] = {}
        self._states = States(set_aside=plan.set_aside)
        self._resumable = False
        self._abandoned = False

    def __call__(self, data: tuple[xgboost.DMatrix, xgboost.DMatrix]) -> Fitted:
        """Run the rounds that are left.

        Raises
        ------
        UserError
            The earlier model does not go with the job, or the checkpoint folder cannot be used.
        """
        plan = self._plan
        self._open_folder(data)
        booster, done = self._begin(data)
        keeper = self._keeper(done)
        monitor: list[TrainingCallback] = [EvaluationMonitor(logger=self._write)]
        container = container_of(
            [*monitor, *([keeper] if keeper else [])], done.history, plan.custom_metric
        )
        stopped = False
        if not (keeper and keeper.is_over):
            stopped = self._boost(booster, data, container, keeper, done.rounds)
        return self._finish(booster, keeper, scores_of(container), stopped=stopped)

    def salvage(self) -> Fitted | None:
        """Return the best model of the rounds set aside, and leave the one that runs behind.

        None where no round has been set aside. Call it in another thread than the run's.
        """
        self._abandoned = True
        frozen = self._states.end()
        if frozen is None:
            return None
        booster, done = thaw(frozen)
        return self._finish(booster, self._keeper(done), done.history, stopped=True, abandoned=True)

    def _write(self, line: str) -> None:
        if not self._abandoned:
            self._plan.write(line)

    def _open_folder(self, data: tuple[xgboost.DMatrix, xgboost.DMatrix]) -> None:
        plan = self._plan
        if plan.checkpoints is None:
            return
        reason = why_not_resumable(plan.params)
        if reason is not None:
            log.warning("the job has no checkpoints: %s, and a checkpoint cannot hold it", reason)
            return
        more = {
            "early_stopping_rounds": plan.early_stopping_rounds,
            "eval_metric": plan.metrics,
            "the deciding metric": plan.decisive,
            # Scores at two thresholds cannot be compared.
            "threshold": getattr(plan.custom_metric, "threshold", None),
        }
        self._fingerprint = fingerprint(
            plan.params,
            more,
            data,
            data=plan.checkpoints.data,
            earlier=plan.earlier,
            peers=plan.peers,
        )
        self._resumable = True
        if plan.checkpoints.folder is not None:
            folder = CheckpointFolder(plan.checkpoints, self._fingerprint, plan.num_round)
            self._states.to_folder(folder, plan.checkpoints)

    def _begin(
        self, data: tuple[xgboost.DMatrix, xgboost.DMatrix]
    ) -> tuple[xgboost.Booster, Progress]:
        plan = self._plan
        params = dict(plan.params)
        newest = self._states.newest()
        if self._resumable:
            # The hosts have to go on from one round: whatever lies in another host's folder.
            newest = plan.peers.from_first(newest)
        if newest is not None:
            _, done = thaw(newest)
            booster = xgboost.Booster(params, list(data), model_file=bytearray(newest))
            booster.set_attr(**dict.fromkeys(booster.attributes()))
            self._earlier_rounds = done.earlier_rounds
            restore_cuts(data[0], params, done.earlier_rounds)
            log.info("going on from the checkpoint of %d rounds", done.rounds)
            return booster, done
        if plan.earlier is not None:
            booster, stays = continued(plan.earlier, params, data, plan.num_round)
            self._earlier_rounds = stays
        elif is_update(params):
            raise UserError(
                "process_type update changes the trees of an earlier model, and the job has "
                "none; add a model channel with a model.tar.gz in it."
            )
        else:
            booster = xgboost.Booster(params, list(data))
        return booster, Progress(rounds=0, earlier_rounds=self._earlier_rounds)

    def _keeper(self, done: Progress) -> KeepBest | None:
        plan = self._plan
        if plan.early_stopping_rounds is None:
            return None
        trees = plan.params.get("booster", "gbtree") == "gbtree"
        keeper = KeepBest(
            plan.early_stopping_rounds,
            sliceable=trees and not is_update(plan.params),
            decisive=plan.decisive,
            earlier_rounds=done.earlier_rounds,
        )
        keeper.restore(done.history, done.best_model)
        return keeper

    def _boost(
        self,
        booster: xgboost.Booster,
        data: tuple[xgboost.DMatrix, xgboost.DMatrix],
        container: CallbackContainer,
        keeper: KeepBest | None,
        start: int,
    ) -> bool:
        """Run rounds as `xgboost.train` does; return whether a request to stop ended them."""
        plan = self._plan
        evals = list(zip(data, (TRAIN, VALIDATION), strict=True))
        seeded = self._resumable and draws(plan.params)
        for number in range(start, plan.num_round):
            if seeded:
                reseed(booster, plan.params["seed"], self._earlier_rounds + number)
            booster.update(data[0], iteration=number)
            if self._abandoned:
                return True
            over = container.after_iteration(booster, number, data[0], evals)
            stopped = plan.stop.requested
            last = over or stopped or number + 1 == plan.num_round
            frozen = partial(self._freeze, booster, number + 1, scores_of(container), keeper)
            self._states.after_round(number + 1, frozen, last=last)
            if over or stopped:
                return stopped
        return False

    def _freeze(
        self, booster: xgboost.Booster, done: int, history: History, keeper: KeepBest | None
    ) -> bytes:
        progress = Progress(
            rounds=done,
            earlier_rounds=self._earlier_rounds,
            history=history,
            best_model=None if keeper is None else keeper.best_model,
            fingerprint=self._fingerprint,
        )
        return freeze(booster, progress)

    def _finish(
        self,
        booster: xgboost.Booster,
        keeper: KeepBest | None,
        history: History,
        *,
        stopped: bool,
        abandoned: bool = False,
    ) -> Fitted:
        if keeper is not None:
            booster = keeper.after_training(booster)
        booster = booster.reset()
        # Asked in any case: XGBoost warns of a model's kind when it is first used, and here
        # warnings become lines of the log.
        last = booster.num_boosted_rounds() - 1
        if keeper is not None and keeper.best_round is not None:
            last = self._earlier_rounds + keeper.best_round
        return Fitted(booster, history, last, stopped, self._earlier_rounds, abandoned=abandoned)
