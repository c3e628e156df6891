"""Cross-validation of the train channel (AWS's `_kfold` and `_num_cv_round`), scored honestly.

AWS's image scores each fold on all rows, those the fold trained on included, and saves every
fold's model. Here a fold is scored on the rows it did not see, and the model that is saved is the
job's own, trained as it would be without cross-validation.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from churn_daal import engine
from churn_daal.boosting.dataset import Dataset
from churn_daal.boosting.fit import StoppedError
from churn_daal.boosting.folds import Fold, folds
from churn_daal.boosting.hyperparameters import Hyperparameters
from churn_daal.boosting.out_of_fold import OutOfFold, scores_at
from churn_daal.cluster import World
from churn_daal.contract.signals import StopSignal
from churn_daal.errors import UserError
from churn_daal.tabular.target import CLASSES
from churn_daal.training.data import Data
from churn_daal.training.evaluation import Answered, answers
from churn_daal.training.fitting import fit_data
from churn_daal.training.fold_scores import over_all_hosts

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class CrossValidated:
    """What cross-validation showed.

    Attributes
    ----------
    folds
        The scores of each fold.
    answered
        The rows of the train channel with what the folds that did not see them answered: in the
        order of the files, and of the hosts, whose rows the first host has and the others not.
    """

    folds: OutOfFold
    answered: Answered


def cross_validate(
    data: Data, hp: Hyperparameters, stop: StopSignal, world: World
) -> CrossValidated | None:
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
    _refuse_copies(data, world)
    gathered = OutOfFold(len(rows))
    for fold in _own_part(_folds(data, hp, hp.kfold, world), rows, world):
        held = rows.take(fold.held_rows)
        fitted = fit_data(
            data,
            rows.take(fold.train_rows),
            held,
            hp,
            stop=stop,
            write=lambda _line: None,
            world=world,
        )
        if fitted.abandoned:
            # Its round still runs, and an ordinary end would pull the libraries from under it.
            raise StoppedError("stopped in a long round of cross-validation: there is no model")
        if fitted.stopped:
            log.warning("cross-validation is given up: the job was asked to stop")
            return None
        response = answers(engine.XGBoostEngine(fitted.booster), held)
        at_best = scores_at(fitted.history, fitted.best_iteration)
        scores = over_all_hosts(at_best, fitted.booster, held, data, world)
        gathered.add(fold, response, scores)
        if world.is_first:
            _tell(fold, scores["validation"])
    return CrossValidated(gathered, _pooled(rows, gathered, world))


def _refuse_copies(data: Data, world: World) -> None:
    """Refuse hosts of the same files: a row held out on one would be trained on by another.

    Raises
    ------
    UserError
        On every host, naming two.
    """
    first: dict[str, str] = {}
    held = world.gather(data.digest if len(data.all_train) else None)
    for host, digest in zip(world.hosts, held, strict=True):
        if digest is not None and first.setdefault(digest, host) != host:
            raise UserError(
                f"{first[digest]!r} and {host!r} have the same files, so "
                "_kfold would score rows that another host has trained on. Set the train channel's "
                "S3DistributionType to ShardedByS3Key, or the instance count to 1."
            )


def _tell(fold: Fold, scores: Mapping[str, float]) -> None:
    shown = ", ".join(f"{name} {value:.5f}" for name, value in scores.items())
    log.info("repeat %d, fold %d: %s", fold.repeat + 1, fold.fold + 1, shown)


def _folds(data: Data, hp: Hyperparameters, k: int, world: World) -> Iterator[Fold]:
    """Divide the rows of all hosts, in the order of the hosts: the same on each of them."""
    rows = data.all_train
    y, group = rows.y, rows.group
    if world.size > 1:
        # 4 bytes a row and 8 with groups, of which some may lie on several hosts.
        y = world.concatenate(y)
        if world.any(group is not None):
            group = world.concatenate(np.zeros(0, np.int64) if group is None else group)
    return folds(
        # Labels that are shares count as the class they are nearer to.
        (y >= 0.5).astype(np.float32) if data.task == "binary" else y,
        k=k,
        repeats=hp.num_cv_round,
        seed=hp.seed,
        stratify=data.task in CLASSES,
        group=group,
    )


def _own_part(parts: Iterator[Fold], rows: Dataset, world: World) -> Iterator[Fold]:
    """Return of each fold what lies on this host, by the numbers the rows have here."""
    counts = world.gather(len(rows))
    start = sum(counts[: world.rank])
    for fold in parts:
        train, held = (
            numbers[slice(*np.searchsorted(numbers, (start, start + len(rows))))] - start
            for numbers in (fold.train_rows, fold.held_rows)
        )
        yield Fold(fold.repeat, fold.fold, train, held)


def _pooled(rows: Dataset, gathered: OutOfFold, world: World) -> Answered:
    """Gather every host's labels, answers and weights on the first host."""
    # Queries were put side by side; users match the lines with those of their files.
    order = slice(None) if rows.rows is None else np.argsort(rows.rows)
    weighted = world.any(rows.weight is not None)
    weight = np.zeros(0, np.float32) if rows.weight is None else rows.weight[order]
    return Answered(
        world.to_first(rows.y[order]),
        world.to_first(gathered.response()[order]),
        world.to_first(weight) if weighted else None,
    )
