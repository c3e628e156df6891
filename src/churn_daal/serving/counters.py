"""Counters of all worker processes, in memory that they share.

Each worker writes to a slot of its own, so none waits for another; a reader adds the slots up. The
memory is made before the fork and needs no folder, so a read-only file system will do, and what
a worker that died has counted stays counted. Against prometheus_client's multiprocess mode a
request costs 3 us in place of 27 (docs/observability.md).
"""

from __future__ import annotations

import mmap
from bisect import bisect_left
from dataclasses import dataclass
from threading import Lock
from typing import Final

import numpy as np

from churn_daal.serving.trace import Trace

STATUSES: Final = (200, 204, 400, 403, 404, 405, 406, 408, 409, 413, 415, 424, 500, 503, 507)
_PLACES: Final = {status: place for place, status in enumerate(STATUSES)}
STAGES: Final = ("decode", "predict", "encode", "total")
# Upper bounds in seconds: a row takes some 0.1 ms, a batch of 100 MB a minute.
BOUNDS: Final = (
    *(0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5),
    *(1.0, 2.5, 10.0, 60.0, 600.0),
)
# Columns with counters of their own; the cells of further ones are counted in the totals alone.
COLUMNS: Final = 4096

# Places in a slot.
_OTHER = len(STATUSES)
_ROWS, _BYTES_IN, _BYTES_OUT, _FLYING, _STARTS, _OUTSIDE, _UNSEEN = range(_OTHER + 1, _OTHER + 8)
_STAGE = _UNSEEN + 1
_SUM = len(BOUNDS) + 1
_PER_STAGE = _SUM + 1
_OUTSIDE_OF = _STAGE + _PER_STAGE * len(STAGES)
_UNSEEN_OF = _OUTSIDE_OF + COLUMNS
_SLOT = _UNSEEN_OF + COLUMNS


@dataclass(frozen=True)
class Histogram:
    """How long a stage took: requests within each bound and beyond the last, and their sum."""

    counts: tuple[int, ...]
    seconds: float


@dataclass(frozen=True)
class Totals:
    """The counters of all workers together."""

    requests: dict[str, int]
    rows: int
    bytes_in: int
    bytes_out: int
    in_flight: int
    starts: int
    outside: int
    unseen: int
    stages: dict[str, Histogram]
    outside_of: list[int]
    unseen_of: list[int]


class Counters:
    """The shared memory.

    Parameters
    ----------
    slots
        How many processes write.
    """

    def __init__(self, slots: int) -> None:
        self.slots = slots
        # Anonymous and shared: children of a fork go on seeing it.
        self._memory = mmap.mmap(-1, slots * _SLOT * 8)
        self._cells = memoryview(self._memory).cast("d")

    def tally(self, slot: int) -> Tally:
        """Return the writer of a slot."""
        return Tally(self, self._cells[slot * _SLOT : (slot + 1) * _SLOT])

    def totals(self) -> Totals:
        """Add the slots up."""
        cells = np.frombuffer(self._memory).reshape(self.slots, _SLOT).sum(axis=0).tolist()
        whole = [int(cell) for cell in cells]
        requests = {str(code): whole[place] for place, code in enumerate(STATUSES)}
        stages = {}
        for place, stage in enumerate(STAGES):
            base = _STAGE + place * _PER_STAGE
            stages[stage] = Histogram(tuple(whole[base : base + _SUM]), cells[base + _SUM])
        return Totals(
            requests=requests | {"other": whole[_OTHER]},
            rows=whole[_ROWS],
            bytes_in=whole[_BYTES_IN],
            bytes_out=whole[_BYTES_OUT],
            in_flight=whole[_FLYING],
            starts=whole[_STARTS],
            outside=whole[_OUTSIDE],
            unseen=whole[_UNSEEN],
            stages=stages,
            outside_of=whole[_OUTSIDE_OF:_UNSEEN_OF],
            unseen_of=whole[_UNSEEN_OF:],
        )


class Tally:
    """One worker's counters; its threads share it."""

    def __init__(self, counters: Counters, cells: memoryview[float]) -> None:
        self.counters, self._cells, self._lock = counters, cells, Lock()

    def start(self) -> None:
        """Begin a process: what an earlier one had in flight when it died is so no more."""
        self._cells[_FLYING] = 0
        self._cells[_STARTS] += 1

    def begin(self) -> None:
        """Count a request that came."""
        with self._lock:
            self._cells[_FLYING] += 1

    def end(
        self, status: int, trace: Trace, *, seconds: float, came: int, went: int, columns: bool
    ) -> None:
        """Count a request that is answered.

        Parameters
        ----------
        status
            Of the answer.
        trace
            What it cost and showed.
        seconds
            From its first line to its answer.
        came, went
            Bytes of the bodies.
        columns
            Whether the trace's columns are those of the one model that is served.
        """
        cells = self._cells
        with self._lock:
            cells[_FLYING] -= 1
            cells[_PLACES.get(status, _OTHER)] += 1
            cells[_BYTES_IN] += came
            cells[_BYTES_OUT] += went
            self._observe(3, seconds)
            if trace.rows or trace.predict:
                cells[_ROWS] += trace.rows
                self._observe(0, trace.decode / 1e9)
                self._observe(1, trace.predict / 1e9)
                self._observe(2, trace.encode / 1e9)
            if trace.outside:
                self._add(trace.outside, _OUTSIDE, _OUTSIDE_OF if columns else None)
            if trace.unseen:
                self._add(trace.unseen, _UNSEEN, _UNSEEN_OF if columns else None)

    def _observe(self, stage: int, seconds: float) -> None:
        base = _STAGE + stage * _PER_STAGE
        self._cells[base + bisect_left(BOUNDS, seconds)] += 1
        self._cells[base + _SUM] += seconds

    def _add(self, counts: dict[int, int], total: int, base: int | None) -> None:
        self._cells[total] += sum(counts.values())
        if base is not None:
            for place, count in counts.items():
                if place < COLUMNS:
                    self._cells[base + place] += count
