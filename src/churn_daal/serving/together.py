"""Requests that came at the same moment, answered in one go.

The first row of a prediction takes several times what a further one takes, and so does the first
of a decoder: their code and tables have to come from memory that everything else has used
meanwhile. So the rows of several requests are decoded and predicted together. Each answer is the
one its request gets alone, to the bit; what is out of the ordinary is left to that way.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from time import perf_counter_ns
from typing import Final, TypeVar

import numpy as np

from churn_daal.artifact import Model
from churn_daal.errors import DataError, RequestError
from churn_daal.serving import media
from churn_daal.serving.decoders import Format
from churn_daal.serving.decoders.csv_rows import plain_rows
from churn_daal.serving.encoders import ENCODERS, SCORE_ALONE
from churn_daal.serving.outputs import Plan
from churn_daal.serving.predictions import Predictions, usual
from churn_daal.serving.reading import Reader, agreed
from churn_daal.serving.request import Answer, Request
from churn_daal.tabular.encoder import Matrix

_CSV: Final = "text/csv"
# Float32 cells of what is decoded together, whatever the number of requests.
_CELLS: Final = 1 << 20
Rows = TypeVar("Rows", Matrix, list[bytes])


@dataclass(slots=True)
class _Part:
    """A request, its place among those given, and its rows."""

    place: int
    request: Request
    read: Format
    declared: media.MediaType
    wanted: str
    # Lines that each end with a line feed, where the body is CSV without a header, and how many.
    text: bytes | None = None
    lines: int = 0
    matrix: Matrix | None = None


class Together:
    """Answers requests for the usual answer of a model.

    Parameters
    ----------
    model
        The model.
    reader
        Reads its rows.
    plan
        What it answers who has no wish.
    """

    def __init__(self, model: Model, reader: Reader, plan: Plan) -> None:
        self._model, self._reader, self._plan = model, reader, plan

    def answers(self, requests: Sequence[Request]) -> list[Answer | None]:
        """Answer what can be answered together.

        Parameters
        ----------
        requests
            Some small ones.

        Returns
        -------
        An answer for each request, its trace filled in; None, and the trace as it was, for one
        that has to be asked by itself, as all are that will be refused.
        """
        answers: list[Answer | None] = [None] * len(requests)
        parts = iter(()) if self._plan.outputs else _parts(requests, self._reader)
        most = self._model.engine.rows_alike
        for batch in _batches(parts, _CELLS // max(1, self._reader.encoder.schema.width)):
            plain = [part for part in batch if 0 < part.lines <= most]
            if len(plain) > 1:
                self._decode_plain(plain)
            for group in self._groups(batch, most):
                for part, answer in zip(group, self._answered(group), strict=True):
                    answers[part.place] = answer
                    part.matrix = None
        for request, answer in zip(requests, answers, strict=True):
            if answer is None:
                request.trace.forget()
        return answers

    def _decode_plain(self, parts: Sequence[_Part]) -> None:
        start = perf_counter_ns()
        unseen: dict[int, int] = {}
        encoder = self._reader.encoder.counting(unseen)
        X = encoder.from_plain_text(b"".join([part.text or b"" for part in parts]))
        if X is None or unseen:
            return  # whose cell it is shows when each is read alone
        outside: dict[int, int] = {}
        ranges = self._reader.ranges
        if ranges is not None:
            ranges.count(X, outside)
        first = 0
        for part in parts:
            last = first + part.lines
            part.matrix = X[first:last]
            part.request.trace.rows = last - first
            if outside and ranges is not None:
                ranges.count(part.matrix, part.request.trace.outside)
            first = last
        share = (perf_counter_ns() - start) // len(parts)
        for part in parts:
            part.request.trace.decode = share

    def _decode_alone(self, part: _Part) -> None:
        try:
            found = [*islice(self._reader.blocks(part.read, part.request, part.declared), 2)]
        except RequestError:
            return
        if len(found) == 1:
            part.matrix = found[0]

    def _groups(self, parts: Sequence[_Part], most: int) -> Iterator[list[_Part]]:
        """Yield parts that have rows, no more rows together than `most`, or one part alone.

        Many rows are decoded when it is their turn, so that no more than one part's are held.
        """
        group: list[_Part] = []
        rows = 0
        for part in parts:
            if part.matrix is None:
                self._decode_alone(part)
            if part.matrix is None:
                continue
            if group and rows + len(part.matrix) > most:
                yield group
                group, rows = [], 0
            group.append(part)
            rows += len(part.matrix)
        if group:
            yield group

    def _answered(self, group: Sequence[_Part]) -> Iterator[Answer | None]:
        """Yield an answer for each part of a group; None where its type cannot hold it."""
        start = perf_counter_ns()
        rows = [part.matrix for part in group if part.matrix is not None]
        response = self._model.predict(rows[0] if len(rows) == 1 else np.concatenate(rows))
        predicted = perf_counter_ns()
        bodies = self._encoded(group, response)
        encoded = perf_counter_ns()
        for part, body in zip(group, bodies, strict=True):
            trace = part.request.trace
            trace.predict = (predicted - start) // len(group)
            trace.encode = (encoded - predicted) // len(group)
            trace.engine = self._model.manifest.engine.name
            yield None if body is None else Answer(200, body, media.declared(part.wanted))

    def _encoded(self, group: Sequence[_Part], response: Matrix) -> list[bytes | None]:
        if all(part.wanted == _CSV for part in group):
            # Each row's answer is a line of its own.
            lines = ENCODERS[_CSV]([self._usual(response, _CSV)]).splitlines(keepends=True)
            if len(lines) == len(response):
                return [b"".join(own) for own in _split(lines, group)]
        bodies: list[bytes | None] = []
        for part, own in zip(group, _split(response, group), strict=True):
            try:
                bodies.append(ENCODERS[part.wanted]([self._usual(own, part.wanted)]))
            except RequestError:
                bodies.append(None)
        return bodies

    def _usual(self, response: Matrix, wanted: str) -> Predictions:
        labelled = wanted not in SCORE_ALONE
        return usual(self._model.manifest, response, self._plan.threshold, labelled=labelled)


def _parts(requests: Sequence[Request], reader: Reader) -> Iterator[_Part]:
    """Yield the requests that have no wish of their own."""
    for place, request in enumerate(requests):
        if request.query or request.attributes or not len(request.body):
            continue
        try:
            part = _Part(place, request, *agreed(request))
            if part.read.kind == "csv":
                part.text = _lines(
                    plain_rows(request.body, part.declared.parameters, reader.encoder.schema)
                )
                part.lines = part.text.count(b"\n") if part.text else 0
        except (DataError, RequestError):
            continue
        yield part


def _lines(text: bytes | None) -> bytes | None:
    """Return lines, the last ended; None where a line feed would make another line of it."""
    if not text or text.endswith(b"\r"):
        return None
    return text if text.endswith(b"\n") else text + b"\n"


def _batches(parts: Iterable[_Part], most: int) -> Iterator[list[_Part]]:
    """Yield parts, no more lines together than `most`, or one part alone."""
    batch: list[_Part] = []
    lines = 0
    for part in parts:
        if batch and lines + part.lines > most:
            yield batch
            batch, lines = [], 0
        batch.append(part)
        lines += part.lines
    if batch:
        yield batch


def _split(rows: Rows, group: Sequence[_Part]) -> Iterator[Rows]:
    """Yield what of all rows is each part's."""
    first = 0
    for part in group:
        last = first + part.request.trace.rows
        yield rows[first:last]
        first = last
