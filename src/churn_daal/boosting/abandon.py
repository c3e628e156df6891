"""Work in a thread of its own, so that a request to stop does not wait for a long round.

A round of boosting is one call into XGBoost: nothing ends it, and Python runs no signal handler
in the thread that made it. The main thread therefore waits outside of it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

from churn_daal.contract.signals import StopSignal

T = TypeVar("T")
# How often the waiting thread looks whether it was asked to stop, in seconds.
_LOOK = 0.1


def run_or_abandon(
    work: Callable[[], T], salvage: Callable[[], T], stop: StopSignal, *, patience: float
) -> T:
    """Run `work` in another thread; leave it behind if it does not heed a request to stop.

    Parameters
    ----------
    work
        Looks at `stop` between its rounds; what it raises is raised here.
    salvage
        Called in this thread where `work` is left behind, while it still runs.
    stop
        The request.
    patience
        Seconds from the request to leaving `work` behind.
    """
    results: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:
            errors.append(error)

    # A daemon, or Python would wait at the end for a thread that was left behind.
    thread = threading.Thread(target=run, name="boosting", daemon=True)
    thread.start()
    deadline = None
    while thread.is_alive():
        thread.join(_LOOK)
        if stop.requested and deadline is None:
            deadline = time.monotonic() + patience
        if deadline is not None and time.monotonic() >= deadline and thread.is_alive():
            return salvage()
    if errors:
        raise errors[0]
    return results[0]
