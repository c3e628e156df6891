"""Bodies as the user's functions take and return them."""

from __future__ import annotations

from typing import Final

from churn_daal.errors import UndecodableBodyError
from churn_daal.serving import media
from churn_daal.serving.decoders import FORMATS
from churn_daal.serving.request import Request

# As sagemaker-inference hands them over; every other body comes as bytes.
_AS_TEXT: Final = ("text/csv", "application/json")


def kind_of(content_type: str) -> str:
    """Return a format's name in a refusal, as `Format.kind`; "" for a type that is none of ours."""
    return FORMATS[content_type].kind if content_type in FORMATS else ""


def given(request: Request, content_type: str) -> str | bytes:
    """Return a request's body as `input_fn` and `transform_fn` take it.

    Raises
    ------
    UndecodableBodyError
        415: CSV or JSON that is not UTF-8.
    """
    body = bytes(request.body)
    if content_type not in _AS_TEXT:
        return body
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise UndecodableBodyError(
            f"Loading {kind_of(content_type)} data failed: byte 0x{body[error.start]:02x} at "
            f"{error.start + 1} is not UTF-8 text; send the body as UTF-8"
        ) from None


def sent(name: str, made: object, accept: str) -> tuple[bytes, str]:
    """Take what a function returned, a body or a body and its type, as a body and its type.

    Raises
    ------
    TypeError
        It is neither.
    """
    written = media.declared(accept)
    if isinstance(made, tuple) and len(made) == 2:
        made, said = made
        written = str(said) if said else written
    if isinstance(made, str):
        return made.encode(), written
    if isinstance(made, bytes | bytearray | memoryview):
        return bytes(made), written
    raise TypeError(
        f"{name} returned a {type(made).__name__}; expected bytes, str or (body, content type)"
    )
