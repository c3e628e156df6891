"""Loading and unloading, over all workers."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from churn_daal.errors import (
    ModelConflictError,
    ModelNotLoadedError,
    NoRoomError,
    RequestError,
)
from churn_daal.serving.multi_model.orders import Order, ordered
from churn_daal.serving.multi_model.registry import Record, Registry
from churn_daal.serving.multi_model.room import Room, estimate, wants

_TOOK: Final = "it was loaded and took too much"


class LoadError(RequestError):
    """A model could not be loaded, with the status of the reason."""

    def __init__(self, reason: str, status: int) -> None:
        super().__init__(reason)
        self.status = status


@dataclass(frozen=True)
class Models:
    """The models of the server, as one of its workers handles them.

    Attributes
    ----------
    registry
        What is loaded.
    workers
        The folder of the workers' sockets.
    own
        This worker's socket.
    room
        The memory there is.
    """

    registry: Registry
    workers: Path
    own: Path
    room: Room

    def load(self, name: str, url: str) -> Record:
        """Load a model in every worker.

        It is first loaded in one worker and measured there, so that the others do not take what is
        not left.

        Raises
        ------
        ModelConflictError
            409: a model of that name is loaded.
        ModelNotLoadedError
            404: there is nothing at `url`.
        NoRoomError
            507: too little memory or disk is left.
        LoadError
            400: the model is damaged; 500: it fails to load.
        """
        with self.registry.only(name):
            if self.registry.find(name) is not None:
                raise ModelConflictError(f"Model {name:.1000} is already registered.")
            folder = _folder(name, url)
            record = Record(name, url, time.time_ns())
            with ordered(self.workers, record, load=True) as order:
                self._load(order, record, folder)
                self.registry.publish(record)
        return record

    def unload(self, name: str) -> None:
        """Unload a model in every worker; its memory is free on return.

        Raises
        ------
        ModelNotLoadedError
            404.
        """
        with self.registry.only(name):
            record = self.find(name)
            with ordered(self.workers, record, load=False) as order:
                order.tell(order.workers())
                self.registry.withdraw(record)
                # One that began in the meantime may have loaded the model.
                order.tell(order.workers())

    def find(self, name: str) -> Record:
        """Return a model that is loaded.

        Raises
        ------
        ModelNotLoadedError
            404.
        """
        record = self.registry.find(name)
        if record is None:
            raise ModelNotLoadedError(f"Model not found: {name:.1000}")
        return record

    def _load(self, order: Order, record: Record, folder: Path) -> None:
        others = [worker for worker in order.workers() if worker != self.own]
        copies = 1 + len(others)
        guess = estimate(folder, copies)
        # Where memory is short, what one load measures must not be another's.
        with self.registry.alone() if self.room.is_short(guess) else nullcontext():
            self.room.check(record.name, guess, wants(guess, copies))
            before = self.room.measure()
            _refuse(record, order.tell([self.own]))
            after = self.room.measure()
            took = 0 if before is None or after is None else max(0, before - after) * len(others)
            why = f"as measured, {wants(took, len(others))} more" if others else _TOOK
            self.room.check(record.name, took, why)
            _refuse(record, order.tell(others))
            self.room.check(record.name, 0, _TOOK)


def _folder(name: str, url: str) -> Path:
    folder = Path(url)
    if not folder.is_absolute():
        raise RequestError(
            f"model {name:.200}: url is {url:.200}; expected the absolute path of a folder, such "
            "as /opt/ml/models/NAME/model"
        )
    if not folder.exists():
        raise ModelNotLoadedError(
            f"model {name:.200}: there is nothing at {url:.1000}; mount or unpack its model.tar.gz "
            "there"
        )
    if not folder.is_dir():
        raise RequestError(
            f"model {name:.200}: {url:.1000} is no folder; unpack the model.tar.gz and give the "
            "folder"
        )
    return folder


def _refuse(record: Record, failures: Sequence[dict[str, object]]) -> None:
    for failure in failures:
        reason = f"model {record.name:.200} cannot be loaded: {failure['error']}"
        if failure["status"] == NoRoomError.status:
            raise NoRoomError(reason)
        raise LoadError(reason, int(str(failure["status"])))
