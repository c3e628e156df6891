"""One invocation as a function of bytes and headers: no server, no framework."""

from __future__ import annotations

from dataclasses import dataclass

from churn_daal.artifact import Model
from churn_daal.errors import (
    DecodeError,
    RequestError,
    SchemaError,
    UndecodableBodyError,
    UnsupportedMediaTypeError,
)
from churn_daal.serving import media
from churn_daal.serving.decode import DECODERS, refusal
from churn_daal.serving.encode import ENCODERS

_OFFERED = tuple(ENCODERS)


@dataclass(frozen=True)
class Answer:
    """What goes back: a status, a body and its type."""

    status: int
    body: bytes = b""
    content_type: str | None = None


def answer(model: Model, body: bytes, *, content_type: str, accept: str) -> Answer:
    """Answer `POST /invocations`.

    Parameters
    ----------
    model
        The loaded model.
    body
        The request's bytes.
    content_type, accept
        The headers as they came, "" where absent. Without Content-Type a body is CSV, as in
        AWS's image; without Accept the answer is CSV for CSV and JSON for JSON.

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
    declared = media.parse(content_type or "text/csv")
    decode = DECODERS.get(declared.name)
    if decode is None:
        raise UnsupportedMediaTypeError(
            f"Content-Type {content_type:.200} is not one this server reads; "
            f"send one of: {media.listed(DECODERS)}"
        )
    offered = tuple(sorted(_OFFERED, key=lambda name: name != declared.name))
    wanted = media.choose(accept, offered)
    if not body:
        return Answer(204)
    kind = declared.name.rpartition("/")[2]
    try:
        matrix = decode(body, declared.parameters, model.encoder)
    except DecodeError as error:
        raise UndecodableBodyError(refusal(kind, error)) from error
    except SchemaError as error:
        raise RequestError(refusal(kind, error)) from error
    if not len(matrix):
        return Answer(204)
    response = model.predict(matrix)
    # JSON is UTF-8 by its own rule; CSV has to say so.
    written = f"{wanted}; charset=utf-8" if wanted == "text/csv" else wanted
    return Answer(200, ENCODERS[wanted](model.manifest, response), written)
