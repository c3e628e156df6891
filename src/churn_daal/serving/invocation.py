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
from churn_daal.tabular.encoder import Matrix

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
    """

    model: Model

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
            400: the body breaks the model's schema.
        """
        declared = media.parse(request.content_type or "text/csv")
        read = FORMATS.get(declared.name)
        if read is None:
            raise UnsupportedMediaTypeError(
                f"Content-Type {request.content_type:.200} is not one this server reads; "
                f"send one of: {media.listed(FORMATS)}"
            )
        wanted = media.choose(request.accept, _OFFERED[declared.name])
        if not len(request.body):
            return Answer(204)
        blocks = _decoded(read, request, declared, self.model)
        first = next(blocks, None)
        if first is None:
            return Answer(204)
        body = ENCODERS[wanted](self._predict(chain([first], blocks)))
        # JSON is UTF-8 by its own rule, and other types are no text; CSV has to say so.
        written = f"{wanted}; charset=utf-8" if wanted == "text/csv" else wanted
        return Answer(200, body, written)

    def _predict(self, blocks: Iterable[Matrix]) -> Iterator[Predictions]:
        for matrix in blocks:
            yield usual(self.model.manifest, self.model.predict(matrix))


def _decoded(
    read: Format, request: Request, declared: media.MediaType, model: Model
) -> Iterator[Matrix]:
    try:
        yield from read.decode(request.body, declared.parameters, model.encoder)
    except DecodeError as error:
        raise UndecodableBodyError(_refusal(read.kind, error)) from error
    except SchemaError as error:
        raise RequestError(_refusal(read.kind, error)) from error


def _refusal(kind: str, error: DataError) -> str:
    """Return the text of a refused body, beginning as AWS's image does: clients match on it."""
    return f"Loading {kind} data failed: {error}"
