"""SIGTERM and Ctrl-C as a question that training asks between two rounds.

SageMaker sends SIGTERM and kills 120 seconds later (rule T13). `train` is process 1 of its
container, for which the kernel has no default action: without a handler the signal is lost.
"""

from __future__ import annotations

import signal
from types import FrameType, TracebackType
from typing import Any, Final

SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)


class StopSignal:
    """Catch SIGTERM and SIGINT for the length of a `with` block and remember that one came.

    A second SIGINT is a KeyboardInterrupt: who presses Ctrl-C twice does not want the model. The
    handlers that were there before are put back at the end. Enter the block in the main thread:
    Python lets no other one install handlers and raises `ValueError`.
    """

    def __init__(self) -> None:
        # A plain flag and no Event: an Event holds a lock, and a handler that interrupts its
        # own thread inside that lock never returns.
        self._requested = False
        self._previous: dict[signal.Signals, Any] = {}

    @property
    def requested(self) -> bool:
        """Whether the job has been asked to stop."""
        return self._requested

    def request(self) -> None:
        """Ask the job to stop, as SIGTERM does."""
        self._requested = True

    def __enter__(self) -> StopSignal:
        for number in SIGNALS:
            self._previous[number] = signal.signal(number, self._on_signal)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # None stands for a handler that was not installed from Python, which cannot be put back.
        for number, previous in self._previous.items():
            signal.signal(number, signal.SIG_DFL if previous is None else previous)

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        if number == signal.SIGINT and self._requested:
            raise KeyboardInterrupt
        # No log line here: a handler that writes to a stream its own thread is writing to raises.
        self._requested = True
