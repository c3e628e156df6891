"""One invocation on one model, from bytes and headers to bytes and headers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import chain

from churn_daal.artifact import Model
from churn_daal.errors import (
    DataError,
    DecodeError,
    RequestError,
    SchemaError,
    UndecodableBodyError,
    UnsupportedMediaTypeError,
)
from churn_daal.serving import media
from churn_daal.serving.decoders import FORMATS, Format
from churn_daal.serving.drift import Ranges
from churn_daal.serving.encoders import CONCATENATED, ENCODERS, SCORE_ALONE
from churn_daal.serving.options import USUAL, read_options
from churn_daal.serving.outputs import Plan, plan
from churn_daal.serving.predictions import Predictions, predictions
from churn_daal.serving.request import Answer, Request
from churn_daal.serving.spool import spooled
from churn_daal.tabular.encoder import Encoder, Matrix

# The types that are written, for each that is read the one it is answered with first.
_OFFERED = {
    name: (read.answer, *(written for written in ENCODERS if written != read.answer))
    for name, read in FORMATS.items()
}


@dataclass(frozen=True)
class ModelService:
    """Answers from a loaded model.

    Attributes
    ----------
    model
        The model.
    outputs
        Names of what is answered where a request names nothing; empty for the usual answer.
    """

    model: Model
    outputs: tuple[str, ...] = ()
    _usual: Plan = field(init=False, repr=False)
    _ranges: Ranges | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # Worked out once: most requests have no wish of their own.
        object.__setattr__(self, "_usual", plan(self.model.manifest, USUAL, self.outputs))
        object.__setattr__(self, "_ranges", Ranges.of(self.model.manifest))

    def ready(self) -> bool:
        """Tell whether the model answers a row of missing values with a number."""
        return self.model.answers()

    def answer(self, request: Request) -> Answer:
        """Answer an invocation.

        Without Content-Type a body is CSV, as in AWS's image; without Accept the answer is of the
        type that `FORMATS` has for the body's.

        Returns
        -------
        200 with one answer a row in the order of the rows, or 204 for a body without any.

        Raises
        ------
        UnsupportedMediaTypeError, UndecodableBodyError
            415; the latter's text begins `Loading csv data failed`, as AWS's image has it.
        NotAcceptableError
            406; also for a type that cannot hold the answer.
        RequestError
            400: the body breaks the model's schema, or the request asks for an output that the
            model has not.
        """
        read, declared = format_of(request)
        wanted = media.choose(request.accept, _OFFERED[declared.name])
        planned = self._plan(request)
        if not len(request.body):
            return Answer(204)
        trace = request.trace
        trace.engine = self.model.manifest.engine.name
        blocks = trace.decoding(self._rows(read, request, declared))
        first = next(blocks, None)
        if first is None:
            return Answer(204)
        predict = partial(predictions, self.model, planned, labelled=wanted not in SCORE_ALONE)
        second = next(blocks, None)
        if second is None:
            # Most requests: they are spared what blocks cost.
            body: bytes | memoryview = trace.encoding(
                ENCODERS[wanted], [trace.predicting(predict, first)]
            )
        else:
            answered = map(partial(trace.predicting, predict), chain([first, second], blocks))
            body = trace.encoding(partial(_encoded, wanted), answered)
        # JSON is UTF-8 by its own rule, and other types are no text; CSV has to say so.
        written = f"{wanted}; charset=utf-8" if wanted == "text/csv" else wanted
        return Answer(200, body, written)

    def _plan(self, request: Request) -> Plan:
        options = read_options(request.query, request.attributes)
        if options is USUAL:
            return self._usual
        return plan(self.model.manifest, options, self.outputs)

    def _rows(self, read: Format, request: Request, declared: media.MediaType) -> Iterator[Matrix]:
        trace = request.trace
        encoder = self.model.encoder.counting(trace.unseen)
        for matrix in decoded(read, request, declared, encoder):
            if self._ranges is not None:
                self._ranges.count(matrix, trace.outside)
            yield matrix


def _encoded(wanted: str, blocks: Iterable[Predictions]) -> bytes | memoryview:
    encode = ENCODERS[wanted]
    if wanted in CONCATENATED:
        return spooled(encode([block]) for block in blocks)
    return encode(blocks)


def format_of(request: Request) -> tuple[Format, media.MediaType]:
    """Return how a body is read, and the type it declares; CSV where it declares none.

    Raises
    ------
    UnsupportedMediaTypeError
        415: the type is none of `FORMATS`.
    """
    declared = media.parse(request.content_type or "text/csv")
    read = FORMATS.get(declared.name)
    if read is None:
        raise UnsupportedMediaTypeError(
            f"Content-Type {request.content_type:.200} is not one this server reads; "
            f"send one of: {media.listed(FORMATS)}"
        )
    return read, declared


def decoded(
    read: Format, request: Request, declared: media.MediaType, encoder: Encoder
) -> Iterator[Matrix]:
    """Yield a body's rows, float32 (n, width) at a time.

    Raises
    ------
    UndecodableBodyError
        415.
    RequestError
        400: the body breaks the schema.
    """
    try:
        yield from read.decode(request.body, declared.parameters, encoder)
    except DecodeError as error:
        raise UndecodableBodyError(_refusal(read.kind, error)) from error
    except SchemaError as error:
        raise RequestError(_refusal(read.kind, error)) from error


def _refusal(kind: str, error: DataError) -> str:
    """Return the text of a refused body, beginning as AWS's image does: clients match on it."""
    return f"Loading {kind} data failed: {error}"
