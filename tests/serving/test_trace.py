"""Times of the stages do not overlap, and what was odd is told in few words."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from time import perf_counter_ns

import numpy as np
import pytest

from churn_daal.serving.trace import Trace
from churn_daal.tabular.encoder import Matrix

PAUSE = threading.Event()


def slow(count: int) -> Iterator[Matrix]:
    """Yield blocks of two rows that each take a while."""
    for _ in range(count):
        PAUSE.wait(0.01)
        yield np.zeros((2, 1), dtype=np.float32)


def test_each_stage_has_its_own_time() -> None:
    """Though the encoder pulls the predictions, and those the blocks, none is counted twice."""
    trace = Trace()

    def predict(block: Matrix) -> Matrix:
        PAUSE.wait(0.02)
        return block[:, 0]

    def encode(answers: Iterable[Matrix]) -> bytes:
        PAUSE.wait(0.03)
        return b"".join(answer.tobytes() for answer in answers)

    start = perf_counter_ns()
    blocks = trace.decoding(slow(3))
    body = trace.encoding(encode, (trace.predicting(predict, block) for block in blocks))
    spent = perf_counter_ns() - start

    assert (trace.rows, len(body)) == (6, 24)
    least = {"decode": 0.03, "predict": 0.06, "encode": 0.03}
    assert all(getattr(trace, stage) >= seconds * 1e9 for stage, seconds in least.items())
    assert trace.decode + trace.predict + trace.encode <= spent


@pytest.mark.parametrize(
    ("outside", "unseen", "text"),
    [
        ({}, {}, ""),
        ({3: 2, 1: 1}, {}, "out-of-range=3"),
        ({}, {0: 1}, "unseen=1"),
        ({1: 1}, {2: 5}, "out-of-range=1; unseen=5"),
    ],
)
def test_warnings_are_counts_of_cells(
    outside: dict[int, int], unseen: dict[int, int], text: str
) -> None:
    """Over all columns; nothing to say is no text."""
    trace = Trace()
    trace.outside, trace.unseen = outside, unseen

    assert trace.warnings() == text
