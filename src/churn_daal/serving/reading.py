"""A request's rows: decoded, held against what training saw, and timed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from churn_daal.artifact import Manifest
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
from churn_daal.serving.encoders import ENCODERS
from churn_daal.serving.request import Request
from churn_daal.tabular.encoder import Encoder, Matrix

# The types that are written, for each that is read the one it is answered with first.
OFFERED: Final = {
    name: (read.answer, *(written for written in ENCODERS if written != read.answer))
    for name, read in FORMATS.items()
}


@dataclass(frozen=True)
class Reader:
    """Reads the rows of one model's requests.

    Attributes
    ----------
    encoder
        The model's.
    ranges
        Those of its training data; None where they are not known.
    """

    encoder: Encoder
    ranges: Ranges | None

    @classmethod
    def of(cls, manifest: Manifest) -> Reader:
        """Return the reader that a manifest describes."""
        return cls(Encoder(manifest.schema), Ranges.of(manifest))

    def blocks(self, read: Format, request: Request, declared: media.MediaType) -> Iterator[Matrix]:
        """Yield a body's rows, float32 (n, width) at a time, and fill in the request's trace.

        Parameters
        ----------
        read, declared
            What `format_of` says of the request.
        request
            The request.

        Raises
        ------
        UndecodableBodyError
            415.
        RequestError
            400: the body breaks the schema.
        """
        return request.trace.decoding(self._compared(read, request, declared))

    def _compared(
        self, read: Format, request: Request, declared: media.MediaType
    ) -> Iterator[Matrix]:
        trace = request.trace
        encoder = self.encoder.counting(trace.unseen)
        try:
            for matrix in read.decode(request.body, declared.parameters, encoder):
                if self.ranges is not None:
                    self.ranges.count(matrix, trace.outside)
                yield matrix
        except (DecodeError, SchemaError) as error:
            raise refusal(read.kind, error) from error


def agreed(request: Request) -> tuple[Format, media.MediaType, str]:
    """Return what `format_of` does, and the type of the answer.

    Raises
    ------
    UnsupportedMediaTypeError
        415: as `format_of`.
    NotAcceptableError
        406: the request accepts no type that is written.
    """
    read, declared = format_of(request)
    return read, declared, media.choose(request.accept, OFFERED[declared.name])


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


def refusal(kind: str, error: DataError) -> RequestError:
    """Return the refusal of a body, beginning as AWS's image does: clients match on it.

    Parameters
    ----------
    kind
        The format's name, see `Format`; "" for one that is none of ours.
    error
        What is wrong with the body: 415 where it is not of its type, 400 where it breaks the
        schema.
    """
    text = f"Loading {kind} data failed: {error}" if kind else f"Loading data failed: {error}"
    return UndecodableBodyError(text) if isinstance(error, DecodeError) else RequestError(text)
