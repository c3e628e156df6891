"""Loading and unloading, over all workers."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from churn_daal.artifact import Manifest
from churn_daal.errors import (
    ArtifactError,
    ModelConflictError,
    ModelNotLoadedError,
    NoRoomError,
    RequestError,
    UserError,
)
from churn_daal.serving.multi_model.orders import SILENCE_SECONDS, Order, fault_of, ordered
from churn_daal.serving.multi_model.provisions import Provisions
from churn_daal.serving.multi_model.registry import Record, Registry
from churn_daal.serving.multi_model.room import (
    XGBOOST_BYTES,
    Room,
    brings_xgboost,
    estimate,
    wants,
)
from churn_daal.serving.outputs import setting_faults

log = logging.getLogger(__name__)
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
    provisions
        What is made of models once for all workers.
    outputs
        Names of what is answered where a request names nothing.
    silence
        Seconds after which a worker that does not say a word is ended.
    """

    registry: Registry
    workers: Path
    own: Path
    room: Room
    provisions: Provisions
    outputs: tuple[str, ...] = ()
    silence: float = SILENCE_SECONDS

    def load(self, name: str, url: str) -> Record:
        """Load a model in every worker.

        It is made ready by this one. Then it is first loaded here and measured, so that the others
        do not take what is not left.

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
            try:
                with self._ordered(record, load=True) as order:
                    self._load(order, record, folder)
                    self.registry.publish(record)
            except BaseException:
                self.provisions.drop(record)
                raise
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
            with self._ordered(record, load=False) as order:
                order.tell(order.workers())
                self.registry.withdraw(record)
                # One that began in the meantime may have loaded the model.
                order.tell(order.workers())
            self.provisions.drop(record)

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

    def _ordered(self, record: Record, *, load: bool) -> AbstractContextManager[Order]:
        return ordered(self.workers, record, load=load, silence=self.silence)

    def _load(self, order: Order, record: Record, folder: Path) -> None:
        copies = len({self.own, *order.workers()})
        guess = estimate(folder, copies)
        # Where memory is short, what one load measures must not be another's.
        with self.registry.alone() if self.room.is_short(guess) else nullcontext():
            self.room.check(record.name, guess, wants(guess, copies))
            manifest = self._provided(record)
            if brings_xgboost(manifest):
                guess += XGBOOST_BYTES * copies
                self.room.check(record.name, guess, wants(guess, copies))
            before = self.room.measure()
            _refuse(record, order.tell([self.own]))
            after = self.room.measure()
            # Those that began while it was made ready, too.
            others = order.workers()
            took = 0 if before is None or after is None else max(0, before - after) * len(others)
            why = f"as measured, {wants(took, len(others))} more" if others else _TOOK
            self.room.check(record.name, took, why)
            _refuse(record, order.tell(others))
            self.room.check(record.name, 0, _TOOK)
        for fault in setting_faults(manifest, self.outputs) if manifest else ():
            log.warning("model %.200s: %s", record.name, fault)

    def _provided(self, record: Record) -> Manifest | None:
        """Make the model ready for all workers; return its manifest, None of a user's own model."""
        try:
            model = self.provisions.make(record).model
        except Exception as error:
            if not isinstance(error, ArtifactError | UserError | RequestError | MemoryError):
                log.exception("%s cannot be made ready", record)
            raise _refusal(record, fault_of(error)) from error
        return None if model is None else model.manifest


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


def _refuse(record: Record, failures: Sequence[Mapping[str, object]]) -> None:
    for failure in failures:
        raise _refusal(record, failure)


def _refusal(record: Record, failure: Mapping[str, object]) -> RequestError:
    reason = f"model {record.name:.200} cannot be loaded: {failure['error']}"
    if failure["status"] == NoRoomError.status:
        return NoRoomError(reason)
    return LoadError(reason, int(str(failure["status"])))
