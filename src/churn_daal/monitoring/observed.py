"""What the captured requests held, column by column, added up request after request."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from churn_daal.artifact import Manifest
from churn_daal.errors import RequestError
from churn_daal.monitoring.baseline import ColumnBaseline
from churn_daal.monitoring.captured import Exchange, Side
from churn_daal.serving.reading import Reader, format_of
from churn_daal.serving.request import Request
from churn_daal.serving.trace import Trace
from churn_daal.tabular.encoder import Matrix


@dataclass
class ColumnCounts:
    """Cells of one raw column.

    Attributes
    ----------
    missing, out_of_range, unseen
        How many were so; see docs/observability.md.
    buckets
        float64, how many fell in each bucket of the baseline.
    """

    buckets: NDArray[np.float64]
    missing: int = 0
    out_of_range: int = 0
    unseen: int = 0


@dataclass
class Observed:
    """All that is counted.

    Attributes
    ----------
    columns
        In the schema's order.
    exchanges, rows
        Captured lines, and rows of those that could be read.
    without_request
        Lines that hold no request: its capture was off.
    refused
        Requests that do not fit the model, whose rows are in no figure.
    first_refusal
        Of them the first, with its place.
    earliest, latest
        Times of the first and the last exchange; "" where that is not told.
    """

    columns: list[ColumnCounts]
    exchanges: int = 0
    rows: int = 0
    without_request: int = 0
    refused: int = 0
    first_refusal: str = ""
    earliest: str = ""
    latest: str = ""
    _spans: list[tuple[int, int]] = field(default_factory=list, repr=False)


class Counter:
    """Reads captured requests as the server read them.

    Parameters
    ----------
    manifest
        The model's.
    baseline
        Of each column; its buckets are counted.
    """

    def __init__(self, manifest: Manifest, baseline: Sequence[ColumnBaseline]) -> None:
        self._reader = Reader.of(manifest)
        self._baseline = baseline
        self.seen = Observed([ColumnCounts(_zeros(column)) for column in baseline])
        first = 0
        for column in manifest.schema.columns:
            self.seen._spans.append((first, first + column.width))  # noqa: SLF001 - of this module
            first += column.width

    def add(self, exchange: Exchange) -> None:
        """Count an exchange's request."""
        seen = self.seen
        seen.exchanges += 1
        if exchange.time:
            seen.earliest = min(seen.earliest or exchange.time, exchange.time)
            seen.latest = max(seen.latest, exchange.time)
        if exchange.request is None:
            seen.without_request += 1
            return
        try:
            blocks, trace = self._read(exchange.request)
        except RequestError as error:
            seen.refused += 1
            seen.first_refusal = seen.first_refusal or f"{exchange.place}: {error}"
            return
        for matrix in blocks:
            self._count(matrix)
        for counts, name in ((trace.outside, "out_of_range"), (trace.unseen, "unseen")):
            for place, count in counts.items():
                column = seen.columns[place]
                setattr(column, name, getattr(column, name) + count)
                if name == "unseen":
                    # To the trees an unseen category is as a missing one; here it is not.
                    column.missing -= count

    def _read(self, side: Side) -> tuple[list[Matrix], Trace]:
        """Return a body's rows whole: what is refused at its end must not be counted."""
        request = Request(memoryview(side.body), content_type=side.content_type)
        read, declared = format_of(request)
        return list(self._reader.blocks(read, request, declared)), request.trace

    def _count(self, matrix: Matrix) -> None:
        self.seen.rows += len(matrix)
        spans = self.seen._spans  # noqa: SLF001 - of this module
        for base, counts, (first, last) in zip(
            self._baseline, self.seen.columns, spans, strict=True
        ):
            values = matrix[:, first:last]
            if base.column.encoding == "onehot":
                counts.missing += int(np.count_nonzero(~values.any(axis=1)))
                counts.buckets += np.count_nonzero(values, axis=0)
                continue
            present = values[~np.isnan(values)].astype(np.float64)
            counts.missing += len(values) - len(present)
            if len(base.edges):
                counts.buckets += _bucketed(present, base.edges)
            elif base.names:
                counts.buckets += np.bincount(present.astype(int), minlength=len(base.names))


def _zeros(base: ColumnBaseline) -> NDArray[np.float64]:
    return np.zeros(len(base.edges) + 1 if len(base.edges) else len(base.names))


def _bucketed(values: NDArray[np.float64], edges: NDArray[np.float64]) -> NDArray[np.float64]:
    """Count values below the first edge, in each bucket, and above the last edge."""
    places = np.searchsorted(edges, values, side="right")
    # The largest training value is in the last bucket, not above it.
    places[values == edges[-1]] = len(edges) - 1
    return np.bincount(places, minlength=len(edges) + 1).astype(np.float64)
