"""The models one worker holds: how a request finds its own, and how one leaves the memory."""

from __future__ import annotations

import gc
import logging
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from churn_daal.errors import (
    ArtifactError,
    ModelNotLoadedError,
    ModelUnavailableError,
    RequestError,
    UserError,
)
from churn_daal.machine import release_memory
from churn_daal.serving.multi_model.registry import Record, Registry
from churn_daal.serving.request import Answer, Request, Service

log = logging.getLogger(__name__)
# How long an unload waits for the requests that use the model.
DRAIN_SECONDS: Final = 60


@dataclass(frozen=True)
class Loaded:
    """What a load gives: who answers, and what is to be done once nobody asks it any more."""

    service: Service
    forget: Callable[[], None]


@dataclass
class _Copy:
    record: Record
    model: Loaded | None = None
    error: Exception | None = None
    loaded: threading.Event = field(default_factory=threading.Event)
    # Whether requests may take it without a look into the registry.
    settled: bool = False
    users: int = 0


class Held:
    """The copies of one worker.

    A copy that no load or unload is about is settled, and a request takes it from a dictionary. In
    every other case the registry says whether the model is loaded, so that all workers change
    their mind at the same moment.

    Parameters
    ----------
    registry
        What is loaded.
    load
        Makes what answers.
    """

    def __init__(self, registry: Registry, load: Callable[[Record], Loaded]) -> None:
        self._registry = registry
        self._load = load
        self._copies: dict[str, _Copy] = {}
        self._unsettled: Counter[str] = Counter()
        self._changed = threading.Condition(threading.Lock())

    def answer(self, name: str, request: Request) -> Answer:
        """Answer an invocation on a model.

        Raises
        ------
        ModelNotLoadedError
            404.
        ModelUnavailableError
            503: a worker that took another one's place could not load the model again.
        RequestError
            As the model's own service refuses.
        """
        copy = self._settled(name) or self._taken(name)
        try:
            assert copy.model is not None  # noqa: S101 - a copy with users is not cleared
            return copy.model.service.answer(request)
        except RequestError as error:
            # Frames of the traceback would keep the model in memory after the last user has gone.
            error.__cause__ = error.__context__ = None
            raise error.with_traceback(None)  # noqa: B904
        finally:
            self._left(copy)

    def together(self, name: str, requests: Sequence[Request]) -> list[Answer | None]:
        """Answer several small invocations in one go where the model is here.

        Returns
        -------
        See `Service.together`; None for each where anything is about to change.
        """
        copy = self._settled(name)
        if copy is None:
            return [None] * len(requests)
        try:
            assert copy.model is not None  # noqa: S101 - a copy with users is not cleared
            return copy.model.service.together(requests)
        finally:
            self._left(copy)

    def is_quick(self, name: str) -> bool:
        """Tell whether a model is here, nothing is about to change that, and it is quick."""
        copy = self._copies.get(name)
        return (
            copy is not None
            and copy.settled
            and copy.model is not None
            and copy.model.service.quick
        )

    def prepare(self, record: Record, *, load: bool) -> None:
        """Take part in a load or an unload: from here to `settle` the registry is asked.

        Raises
        ------
        Exception
            What `load` raises. `settle` is due all the same.
        """
        with self._changed:
            self._unsettled[record.name] += 1
            copy = self._copies.get(record.name)
            if copy is not None:
                copy.settled = False
        if load:
            copy = self._copy_of(record)
            if copy.error is not None:
                raise copy.error

    def settle(self, record: Record) -> int:
        """Keep or drop this worker's copy, as the registry has it; return how many still use it.

        A copy that is dropped has left the memory on return, but for requests of more than a
        minute.
        """
        published = self._registry.find(record.name) == record
        with self._changed:
            self._unsettled[record.name] -= 1
            self._unsettled += Counter()  # names of which nothing is left go
            copy = self._copies.get(record.name)
            if published or copy is None or copy.record != record:
                return 0
            del self._copies[record.name]
            users = self._drained(copy)
        # A load that still runs does not outlive the model either.
        copy.loaded.wait()
        if copy.model is not None:
            copy.model.forget()
        copy.model = copy.model if users else None
        del copy
        gc.collect()
        release_memory()
        return users

    def _drained(self, copy: _Copy) -> int:
        self._changed.wait_for(lambda: not copy.users, DRAIN_SECONDS)
        return copy.users

    def _settled(self, name: str) -> _Copy | None:
        with self._changed:
            copy = self._copies.get(name)
            if copy is None or not copy.settled:
                return None
            copy.users += 1
            return copy

    def _left(self, copy: _Copy) -> None:
        with self._changed:
            copy.users -= 1
            if not copy.users:
                self._changed.notify_all()

    def _taken(self, name: str) -> _Copy:
        while True:
            record = self._registry.find(name)
            if record is None:
                raise ModelNotLoadedError(f"Model not found: {name:.1000}")
            copy = self._copy_of(record)
            if copy.error is not None and self._registry.find(name) == copy.record:
                raise ModelUnavailableError(
                    f"model {name:.200} cannot be loaded again: {copy.error}; delete it and load "
                    "it anew"
                ) from copy.error
            with self._changed:
                if copy.record == record and self._copies.get(name) is copy:
                    copy.settled = not self._unsettled[name]
                    copy.users += 1
                    return copy
            # It was dropped, or failed, in the meantime: what does the registry say now?

    def _copy_of(self, record: Record) -> _Copy:
        """Return the copy of a record, loaded or failed, or that of a later one."""
        with self._changed:
            copy = self._copies.get(record.name)
            absent = copy is None or copy.record.generation < record.generation
            if copy is None or absent:
                copy = self._copies[record.name] = _Copy(record)
        if absent:
            self._fill(copy)
        else:
            copy.loaded.wait()
        return copy

    def _fill(self, copy: _Copy) -> None:
        try:
            copy.model = self._load(copy.record)
        except Exception as error:
            if not isinstance(error, (ArtifactError, UserError, RequestError, MemoryError)):
                log.exception("%s cannot be loaded", copy.record)
            # Nor do frames of the traceback keep what was loaded of it.
            copy.error = error.with_traceback(None)
            with self._changed:
                if self._copies.get(copy.record.name) is copy:
                    del self._copies[copy.record.name]
        finally:
            copy.loaded.set()
