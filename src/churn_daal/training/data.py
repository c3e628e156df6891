"""From the channels to rows to fit, rows to hold out, and what they mean."""

from __future__ import annotations

import hashlib
import logging
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from churn_daal.artifact import Manifest
from churn_daal.boosting.dataset import Dataset
from churn_daal.boosting.fit import PATIENCE, StoppedError
from churn_daal.boosting.hyperparameters import Hyperparameters
from churn_daal.boosting.split import MIN_ROWS, split_rows
from churn_daal.cluster import World
from churn_daal.contract.job import TrainingJob
from churn_daal.contract.signals import StopSignal
from churn_daal.errors import UserError
from churn_daal.machine import release_memory
from churn_daal.tabular.labels import Labels
from churn_daal.tabular.schema import Schema
from churn_daal.tabular.target import CLASSES, Task
from churn_daal.training.channels import OpenChannel, open_channel, spooled
from churn_daal.training.checks import check
from churn_daal.training.column_source import ColumnSource
from churn_daal.training.context import Context
from churn_daal.training.quality import MakeQuality
from churn_daal.training.sparse_source import SparseSource

log = logging.getLogger(__name__)
DEFAULT_OBJECTIVES: Final[dict[Task, str]] = {
    "binary": "binary:logistic",
    "multiclass": "multi:softprob",
    "regression": "reg:squarederror",
}
OTHERS: Final = ("validation", "test")
_ENDS: Final = 1 << 16
# The channels that mean something to this program.
_KNOWN: Final = frozenset({"train", "validation", "test", "model", "code"})


@dataclass(frozen=True)
class Data:
    """What the channels gave, and what it means.

    Attributes
    ----------
    train
        Rows to fit.
    all_train
        Rows of the train channel, those set aside included.
    held_out
        Rows of the validation channel, or those set aside.
    test
        Rows of the test channel, scored at the end; None without one.
    schema
        The features.
    labels
        The label.
    objective
        What to learn.
    task
        The kind of answer.
    quality
        Gathers what there is to tell of each channel's columns.
    digest
        Changes with the files of the train and validation channels.
    """

    train: Dataset
    all_train: Dataset
    held_out: Dataset
    test: Dataset | None
    schema: Schema
    labels: Labels
    objective: str
    task: Task
    quality: Mapping[str, MakeQuality]
    digest: str

    @property
    def num_class(self) -> int | None:
        """Classes of a `multi:*` objective; None of any other."""
        return len(self.labels.classes) if self.objective.startswith("multi:") else None


def read_data(
    job: TrainingJob,
    hp: Hyperparameters,
    stop: StopSignal,
    *,
    world: World,
    known: Manifest | None = None,
) -> Data:
    """Read the channels of a job, those in Pipe mode by way of the local disk.

    Parameters
    ----------
    job, hp
        The job.
    stop
        Asked while rows are read.
    world
        The hosts of the job: each reads its own files, and all learn one schema.
    known
        What an earlier model learned, which training goes on from; None to learn anew.

    Raises
    ------
    UserError
        The data is at fault; file, row and column are named.
    StoppedError
        The job was asked to stop.
    """
    for name in sorted(job.channels.keys() - _KNOWN):
        log.info("channel %r is carried along and not read: it has no meaning here", name)
    with tempfile.TemporaryDirectory(prefix="churn-daal-") as folder:
        context = Context(hp, world, known, _patient(stop))
        data = _read(spooled(job, Path(folder), stop), context)
    release_memory()
    return data


def _read(job: TrainingJob, context: Context) -> Data:
    hp, world, known = context.hp, context.world, context.known
    opened = open_channel(job, "train", world)
    source = (SparseSource if opened.is_sparse else ColumnSource)(opened, context)
    whole, target = source.train()
    objective = hp.objective or (known.objective if known else DEFAULT_OBJECTIVES[target.task])
    check(objective, hp, whole, world)
    world.agree("the columns", source.schema.to_dict())
    world.agree("the label", [target.labels.to_dict(), objective])
    beside = {name: open_channel(job, name, world) for name in OTHERS if name in job.channels}
    others = {name: source.other(channel) for name, channel in beside.items()}
    train, held = whole, others.get("validation")
    if held is None:
        train, held = _split(whole, target.task, hp, alone=world.size == 1)
    if world.size > 1 and not world.any(bool(len(held))):
        raise UserError("no host has a row to hold out; give more rows, or a validation channel")
    return Data(
        train=train,
        all_train=whole,
        held_out=held,
        test=others.get("test"),
        schema=source.schema,
        labels=target.labels,
        objective=objective,
        task=target.task,
        quality=source.quality,
        digest=_digest(c for c in (opened, beside.get("validation")) if c is not None),
    )


def _patient(stop: StopSignal) -> Callable[[], None]:
    """Return what ends a reading some seconds after a request to stop: a short one may end."""
    asked: list[float] = []

    def check() -> None:
        if not stop.requested:
            return
        asked.append(time.monotonic())
        if asked[-1] - asked[0] > PATIENCE:
            raise StoppedError("stopped while the data was read: there is no model")
        del asked[1:]

    return check


def _digest(channels: Iterable[OpenChannel]) -> str:
    """Return a text that changes with the files, without reading all of a large one again."""
    found = hashlib.sha256()
    for opened in channels:
        for path in opened.files:
            size = path.stat().st_size
            found.update(f"{opened.channel.name}/{path.name}/{size}/".encode())
            with path.open("rb") as file:
                found.update(file.read(_ENDS))
                file.seek(max(0, size - _ENDS))
                found.update(file.read(_ENDS))
    return found.hexdigest()


def _split(
    train: Dataset, task: Task, hp: Hyperparameters, *, alone: bool
) -> tuple[Dataset, Dataset]:
    if not alone and len(train) < MIN_ROWS:
        # Another host has the rows.
        return train, train.take(np.zeros(0, np.intp))
    kept, held = split_rows(
        # Labels that are shares count as the class they are nearer to.
        (train.y >= 0.5).astype(train.y.dtype) if task == "binary" else train.y,
        fraction=hp.validation_fraction,
        seed=hp.seed,
        stratify=task in CLASSES,
        group=train.group,
    )
    log.info("no validation channel: %d of %d rows are held out", len(held), len(train))
    return train.take(kept), train.take(held)
