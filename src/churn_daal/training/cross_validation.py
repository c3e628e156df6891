"""Cross-validation of the train channel (AWS's `_kfold` and `_num_cv_round`), scored honestly.

AWS's image scores each fold on all rows, those the fold trained on included, and saves every
fold's model. Here a fold is scored on the rows it did not see, and the model that is saved is the
job's own, trained as it would be without cross-validation.
"""

from __future__ import annotations

import logging

import numpy as np

from churn_daal import engine
from churn_daal.boosting.fit import StoppedError
from churn_daal.boosting.folds import folds
from churn_daal.boosting.hyperparameters import Hyperparameters
from churn_daal.boosting.out_of_fold import OutOfFold, scores_at
from churn_daal.contract.signals import StopSignal
from churn_daal.tabular.target import CLASSES
from churn_daal.training.data import Data
from churn_daal.training.evaluation import answers
from churn_daal.training.fitting import fit_data

log = logging.getLogger(__name__)


def cross_validate(data: Data, hp: Hyperparameters, stop: StopSignal) -> OutOfFold | None:
    """Fit each fold of the train channel and answer the rows it did not see.

    Returns
    -------
    None where the job asks for no folds, or was asked to stop before the last one.

    Raises
    ------
    UserError, AlgorithmError, StoppedError
        As `boosting.fit.fit` does; UserError also where there are fewer rows than folds.
    """
    if hp.kfold is None:
        return None
    rows = data.all_train
    gathered = OutOfFold(len(rows))
    parts = folds(
        # Labels that are shares count as the class they are nearer to.
        (rows.y >= 0.5).astype(np.float32) if data.task == "binary" else rows.y,
        k=hp.kfold,
        repeats=hp.num_cv_round,
        seed=hp.seed,
        stratify=data.task in CLASSES,
        group=rows.group,
    )
    for fold in parts:
        held = rows.take(fold.held_rows)
        fitted = fit_data(
            data, rows.take(fold.train_rows), held, hp, stop=stop, write=lambda _line: None
        )
        if fitted.abandoned:
            # Its round still runs, and an ordinary end would pull the libraries from under it.
            raise StoppedError("stopped in a long round of cross-validation: there is no model")
        if fitted.stopped:
            log.warning("cross-validation is given up: the job was asked to stop")
            return None
        response = answers(engine.XGBoostEngine(fitted.booster), held)
        scores = scores_at(fitted.history, fitted.best_iteration)
        gathered.add(fold, response, scores)
        shown = ", ".join(f"{name} {value:.5f}" for name, value in scores["validation"].items())
        log.info("repeat %d, fold %d: %s", fold.repeat + 1, fold.fold + 1, shown)
    return gathered
