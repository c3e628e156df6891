"""The states of a run that are kept: in memory for a round nobody waits for, in the folder."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from churn_daal.boosting.checkpoints import CheckpointFolder, Checkpoints
from churn_daal.boosting.progress import read_progress

# In memory at most one a second, and for at most a twentieth of the time.
_SECONDS = 1.0
_SHARE = 20
# Seconds to wait for a file that the other thread is writing.
_PATIENCE = 2.0


class States:
    """What was last set aside of a run, and when.

    One thread runs the rounds; another may call `end` at any time.

    Parameters
    ----------
    set_aside
        Whether a state is wanted in memory too.
    """

    def __init__(self, *, set_aside: bool) -> None:
        self._wanted = set_aside
        self._folder: CheckpointFolder | None = None
        self._checkpoints: Checkpoints | None = None
        # Rounds and bytes in one, so that the other thread sees both of one state.
        self._last: tuple[int, bytes] | None = None
        self._last_at = self._written_at = time.monotonic()
        self._took = 0.0
        self._written = 0
        self._writing = threading.Lock()
        self._ended = False

    def to_folder(self, folder: CheckpointFolder, checkpoints: Checkpoints) -> None:
        """From now on, write states to a folder when they are due."""
        self._folder, self._checkpoints = folder, checkpoints

    def newest(self) -> bytes | None:
        """Return the state to go on from, or None for a run that starts anew."""
        frozen = None if self._folder is None else self._folder.newest()
        if frozen is not None:
            self._written = read_progress(frozen).rounds
            self._last = self._written, frozen
        return frozen

    def after_round(self, done: int, freeze: Callable[[], bytes], *, last: bool) -> None:
        """Keep the state after a round where it is time to.

        Parameters
        ----------
        done
            Rounds so far.
        freeze
            Returns the state; what it takes is why it is not called each round.
        last
            Whether the run ends with this round.
        """
        start = time.monotonic()
        write = self._is_due(done, start, last=last)
        if not write and (last or not self._is_wanted(start)):
            return
        frozen = freeze()
        self._last, self._last_at = (done, frozen), time.monotonic()
        self._took = self._last_at - start
        if write:
            self._write(done, frozen)

    def end(self) -> bytes | None:
        """Return the last state, in the folder by now; None where none was kept."""
        last = self._last
        # The other thread may be at a slow disk, which is no reason to lose the model.
        if self._writing.acquire(timeout=_PATIENCE):
            try:
                if last is not None and last[0] > self._written:
                    self._write_now(*last)
                self._ended = True
            finally:
                self._writing.release()
        return None if last is None else last[1]

    def _write(self, done: int, frozen: bytes) -> None:
        with self._writing:
            if not self._ended:
                self._write_now(done, frozen)

    def _write_now(self, done: int, frozen: bytes) -> None:
        if self._folder is not None:
            self._folder.write(done - 1, frozen)
            self._written, self._written_at = done, time.monotonic()

    def _is_wanted(self, now: float) -> bool:
        rare = max(_SECONDS, _SHARE * self._took)
        return self._wanted and (self._last is None or now - self._last_at > rare)

    def _is_due(self, done: int, now: float, *, last: bool) -> bool:
        if self._checkpoints is None:
            return False
        since, elapsed = done - self._written, now - self._written_at
        return last or self._checkpoints.is_due(done, since, elapsed)
