"""Headers that a client gets back as it sent them (rule S6).

SageMaker hands the client what the container puts on the response, and nothing where it puts none.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from churn_daal.errors import RequestError

ATTRIBUTES: Final = "X-Amzn-SageMaker-Custom-Attributes"
INFERENCE_ID: Final = "X-Amzn-SageMaker-Inference-Id"
# By the name WSGI has for each, and the characters that SageMaker allows it.
_CARRIED: Final = (
    ("HTTP_X_AMZN_SAGEMAKER_CUSTOM_ATTRIBUTES", ATTRIBUTES, 1024),
    ("HTTP_X_AMZN_SAGEMAKER_INFERENCE_ID", INFERENCE_ID, 64),
)
_FIRST, _SECOND = (key for key, _, _ in _CARRIED)


def carried(environ: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the headers to carry back, those that are not valid left out."""
    return [(name, value) for name, value, most in _came(environ) if _valid(value, most)]


def check_carried(environ: Mapping[str, Any]) -> None:
    """Refuse headers that SageMaker would not pass on.

    Raises
    ------
    RequestError
        400: one is too long, or holds something else than visible ASCII and blanks.
    """
    for name, value, most in _came(environ):
        if not _valid(value, most):
            raise RequestError(
                f"header {name} has {len(value):,} characters, {value[:40]!a}; send at most "
                f"{most:,}, of visible ASCII and blanks alone"
            )


def _came(environ: Mapping[str, Any]) -> list[tuple[str, str, int]]:
    if _FIRST not in environ and _SECOND not in environ:
        return []  # most requests have none
    return [(name, environ[key], most) for key, name, most in _CARRIED if environ.get(key)]


def _valid(value: str, most: int) -> bool:
    return len(value) <= most and value.isascii() and value.isprintable()
