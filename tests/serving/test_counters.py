"""Counters of several processes add up, and outlive the process that counted."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

from churn_daal.serving.counters import BOUNDS, COLUMNS, Counters, Tally
from churn_daal.serving.trace import Trace


def count(tally: Tally, status: int = 200, *, rows: int = 1, columns: bool = True) -> None:
    """Count one request."""
    trace = Trace()
    trace.rows, trace.decode, trace.predict, trace.encode = rows, 200_000, 3_000_000, 70 * 10**9
    trace.outside, trace.unseen = {0: 2, COLUMNS: 1}, {1: 1}
    tally.begin()
    tally.end(status, trace, seconds=0.25, came=10, went=5, columns=columns)


def test_slots_add_up() -> None:
    """Requests by status, rows, bytes, and each stage in the bucket of its seconds."""
    counters = Counters(3)
    for slot, status in enumerate((200, 415, 299)):
        count(counters.tally(slot), status)

    totals = counters.totals()

    assert {code: n for code, n in totals.requests.items() if n} == {"200": 1, "415": 1, "other": 1}
    assert (totals.rows, totals.bytes_in, totals.bytes_out, totals.in_flight) == (3, 30, 15, 0)
    placed = {name: histogram.counts.index(3) for name, histogram in totals.stages.items()}
    bounds = (*BOUNDS, float("inf"))
    assert {name: bounds[place] for name, place in placed.items()} == {
        "decode": 0.00025,
        "predict": 0.005,
        "encode": 600.0,
        "total": 0.25,
    }
    assert abs(totals.stages["total"].seconds - 0.75) < 1e-9
    assert (totals.outside, totals.unseen) == (9, 3)
    assert (totals.outside_of[0], totals.unseen_of[1]) == (6, 3)
    assert sum(totals.outside_of) == 6


def test_a_client_that_stalls_has_a_status_of_its_own() -> None:
    """The event loop's 408 is no `other`."""
    counters = Counters(1)
    count(counters.tally(0), 408)

    assert counters.totals().requests["408"] == 1


def test_columns_of_several_models_are_not_mixed() -> None:
    """Place 0 of one model is not place 0 of another: only the sums are counted."""
    counters = Counters(1)
    count(counters.tally(0), columns=False)

    totals = counters.totals()

    assert totals.outside == 3
    assert not any(totals.outside_of)


def test_a_process_that_dies_leaves_its_counts() -> None:
    """Its successor counts on; what was in flight is not any more."""
    counters = Counters(1)
    for _ in range(2):
        child = os.fork()
        if not child:
            tally = counters.tally(0)
            tally.start()
            count(tally)
            tally.begin()
            os._exit(0)
        os.waitpid(child, 0)
        assert counters.totals().in_flight == 1

    totals = counters.totals()

    assert (totals.starts, totals.rows, totals.in_flight) == (2, 2, 1)


def test_threads_lose_no_count() -> None:
    """All threads of a worker share its slot."""
    counters = Counters(1)
    tally = counters.tally(0)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: count(tally), range(4000)))

    totals = counters.totals()
    assert (totals.requests["200"], totals.rows, totals.in_flight) == (4000, 4000, 0)
