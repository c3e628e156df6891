"""What one request costs and shows: filled in while it is answered, read when it is logged."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from time import perf_counter_ns
from typing import TypeVar

from churn_daal.tabular.encoder import Matrix

Given = TypeVar("Given")
Made = TypeVar("Made")


class Trace:
    """Rows, times and warnings of one request. One thread fills it.

    Attributes
    ----------
    came
        Bytes of the body.
    rows
        Rows decoded, or as the user's own code shows them; 0 where that cannot be told.
    decode, predict, encode
        Nanoseconds.
    engine
        Which engine answered, `own` for a model of the user's own loading; "" unless known.
    outside, unseen
        Cells outside of the range they had in training, and cells with a category that training
        has not seen: counts by the place of the raw column.
    """

    __slots__ = ("came", "decode", "encode", "engine", "outside", "predict", "rows", "unseen")

    def __init__(self) -> None:
        self.came = self.rows = self.decode = self.predict = self.encode = 0
        self.engine = ""
        self.outside: dict[int, int] = {}
        self.unseen: dict[int, int] = {}

    def forget(self) -> None:
        """Be as before the first row was read."""
        self.rows = self.decode = self.predict = self.encode = 0
        self.engine = ""
        self.outside, self.unseen = {}, {}

    def decoding(self, blocks: Iterator[Matrix]) -> Iterator[Matrix]:
        """Pass blocks on as they are decoded; the time each takes is decoding."""
        while True:
            start = perf_counter_ns()
            block = next(blocks, None)
            self.decode += perf_counter_ns() - start
            if block is None:
                return
            self.rows += len(block)
            yield block

    def reading(self, read: Callable[[Given], Made], body: Given) -> Made:
        """Return what is read of a body whole; the time it takes is decoding."""
        start = perf_counter_ns()
        data = read(body)
        self.decode += perf_counter_ns() - start
        return data

    def predicting(self, predict: Callable[[Given], Made], block: Given) -> Made:
        """Return what is predicted of a block; the time it takes is predicting."""
        start = perf_counter_ns()
        response = predict(block)
        self.predict += perf_counter_ns() - start
        return response

    def encoding(self, encode: Callable[[Given], Made], items: Given) -> Made:
        """Return an encoder's body; what it takes beside decoding and predicting is encoding."""
        start = perf_counter_ns()
        before = self.decode + self.predict
        body = encode(items)
        self.encode += perf_counter_ns() - start - (self.decode + self.predict - before)
        return body

    def warnings(self) -> str:
        """Return `out-of-range=3; unseen=1`, counts of cells; "" where there is nothing to say."""
        if not (self.outside or self.unseen):
            return ""
        counts = {"out-of-range": self.outside, "unseen": self.unseen}
        return "; ".join(f"{name}={sum(of.values())}" for name, of in counts.items() if of)
