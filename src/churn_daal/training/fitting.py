"""The fit of a job: its metrics divided, its checkpoints found, its earlier model gone on from."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import replace

from churn_daal.boosting.checkpoints import Checkpoints
from churn_daal.boosting.dataset import Dataset
from churn_daal.boosting.fit import PATIENCE, Fitted, fit, write_line
from churn_daal.boosting.hyperparameters import Hyperparameters
from churn_daal.boosting.metric_plan import metric_plan
from churn_daal.cluster import World, check_limits
from churn_daal.contract.job import TrainingJob
from churn_daal.contract.signals import StopSignal
from churn_daal.training.budget import memory_budget
from churn_daal.training.data import Data

log = logging.getLogger(__name__)


def fit_data(
    data: Data,
    train: Dataset,
    held_out: Dataset,
    hp: Hyperparameters,
    *,
    stop: StopSignal,
    write: Callable[[str], None] = write_line,
    checkpoints: Checkpoints | None = None,
    earlier: bytes | None = None,
    world: World | None = None,
) -> Fitted:
    """Fit rows of a job's data.

    Parameters
    ----------
    data
        What the rows mean.
    train, held_out
        Which of them to fit and to score on.
    hp
        The job's hyperparameters.
    stop, write, checkpoints, earlier
        As `boosting.fit.fit` takes them.
    world
        The hosts that fit together; None for this one alone.

    Raises
    ------
    UserError, AlgorithmError, StoppedError
        As `boosting.fit.fit` does.
    """
    classes = data.num_class
    params = dict(hp.booster) | {"objective": data.objective}
    params.pop("eval_metric", None)
    if classes is not None:
        params["num_class"] = classes
    plan = metric_plan(hp.eval_metric, params, threshold=hp.threshold)
    if plan.builtin:
        params["eval_metric"] = list(plan.builtin)
    several = world is not None and world.size > 1
    if world is not None and several:
        check_limits(world, params, rows=len(train), weighted=train.weight is not None)
        stop = _AgreedStop(stop, world)
    return fit(
        train,
        held_out,
        replace(hp, booster=params),
        objective=data.objective,
        num_class=classes,
        stop=stop,
        write=write,
        custom_metric=plan.custom,
        decisive=plan.decisive,
        checkpoints=checkpoints,
        earlier=earlier,
        budget=memory_budget(hp),
        # XGBoost's collective is bound to the thread that entered it.
        patience=None if several else PATIENCE,
        peers=world,
    )


class _AgreedStop(StopSignal):
    """A request to stop that all hosts hear of in the same round, asked once in each."""

    def __init__(self, own: StopSignal, world: World) -> None:
        super().__init__()
        self._own, self._world = own, world

    @property
    def requested(self) -> bool:
        """Whether any host has been asked to stop."""
        return self._world.any(self._own.requested)


def fit_job(
    data: Data,
    hp: Hyperparameters,
    job: TrainingJob,
    stop: StopSignal,
    *,
    world: World,
    earlier: bytes | None = None,
) -> Fitted:
    """Fit the model of a job.

    Raises
    ------
    UserError, AlgorithmError, StoppedError
        As `boosting.fit.fit` does.
    """
    log.info(
        "fitting %s on %d rows x %d columns, %d rows held out",
        *(data.objective, len(data.train), data.schema.width, len(data.held_out)),
    )
    start = time.monotonic()
    fitted = fit_data(
        data,
        data.train,
        data.held_out,
        hp,
        stop=stop,
        checkpoints=_checkpoints(data, hp, job, world),
        earlier=earlier,
        world=world,
    )
    why = "stopped by a signal" if fitted.stopped else f"best round {fitted.best_iteration}"
    log.info("fitted in %.1f s, %s", time.monotonic() - start, why)
    return fitted


def _checkpoints(
    data: Data, hp: Hyperparameters, job: TrainingJob, world: World
) -> Checkpoints | None:
    """Return where the state of the job goes; every host has to call it.

    SageMaker mirrors the folders of all hosts to one prefix, where two hosts' files of one name
    would take each other's place: the first host's folder is the job's.
    """
    folder = job.checkpoint_dir
    if not world.gather(folder is not None)[0]:
        if folder is not None:
            log.warning(
                "no checkpoints: the first host, %r, has no checkpointconfig.json", world.hosts[0]
            )
        return None
    return Checkpoints(
        folder=folder if world.is_first else None,
        rounds=hp.checkpoint_rounds,
        seconds=hp.checkpoint_seconds,
        kept=hp.checkpoints_kept,
        data=data.digest,
    )
