"""One invocation on one model, from bytes and headers to bytes and headers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
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
from churn_daal.serving.encoders import ENCODERS
from churn_daal.serving.predictions import Predictions, usual
from churn_daal.serving.request import Answer, Request
from churn_daal.tabular.encoder import Encoder, Matrix

_OFFERED = tuple(ENCODERS)


@dataclass(frozen=True)
class ModelService:
    """Answers from a loaded model.

    Attributes
    ----------
    model
        The model.
    """

    model: Model

    def ready(self) -> bool:
        """Tell whether the model answers a row of missing values with a number."""
        return self.model.answers()

    def answer(self, request: Request) -> Answer:
        """Answer an invocation.

        Without Content-Type a body is CSV, as in AWS's image; without Accept the answer is CSV
        for CSV and JSON for JSON.

        Returns
        -------
        200 with one answer a row in the order of the rows, or 204 for a body without any.

        Raises
        ------
        UnsupportedMediaTypeError, UndecodableBodyError
            415; the latter's text begins `Loading csv data failed`, as AWS's image has it.
        NotAcceptableError
            406.
        RequestError
            400: the body breaks the model's schema.
        """
        read, declared = format_of(request)
        offered = tuple(sorted(_OFFERED, key=lambda name: name != declared.name))
        wanted = media.choose(request.accept, offered)
        if not len(request.body):
            return Answer(204)
        blocks = decoded(read, request, declared, self.model.encoder)
        first = next(blocks, None)
        if first is None:
            return Answer(204)
        body = ENCODERS[wanted](self._predict(chain([first], blocks)))
        # JSON is UTF-8 by its own rule; CSV has to say so.
        written = f"{wanted}; charset=utf-8" if wanted == "text/csv" else wanted
        return Answer(200, body, written)

    def _predict(self, blocks: Iterable[Matrix]) -> Iterator[Predictions]:
        for matrix in blocks:
            yield usual(self.model.manifest, self.model.predict(matrix))


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
