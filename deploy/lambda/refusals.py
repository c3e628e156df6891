"""What the caller is answered in place of predictions, by what SageMaker and the container say."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

_BUSY = frozenset({"ThrottlingException", "TooManyRequestsException", "ModelNotReadyException"})
_ABSENT = re.compile(r"Endpoint .* not found|Could not find endpoint", re.IGNORECASE)
_SIZE = re.compile(r"content length|body.*length|payload|too large", re.IGNORECASE | re.DOTALL)

log = logging.getLogger()


class RefusedError(Exception):
    """A status and a text.

    Parameters
    ----------
    status
        Of HTTP.
    text
        What came, what was expected and the remedy.
    body
        JSON that goes back to the letter; None for one made of the text.
    headers
        Further ones, by name.
    """

    def __init__(
        self,
        status: int,
        text: str,
        *,
        body: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.status, self.text, self.body, self.headers = status, text, body, headers or {}
        super().__init__(text)


def refused(error: ClientError) -> RefusedError:
    """Return what a fault that SageMaker tells is to the caller."""
    response: Mapping[str, Any] = error.response
    told = response.get("Error") or {}
    code, message = told.get("Code", ""), told.get("Message", "")
    if code == "ModelError":
        return _model_refused(response, message)
    if code in _BUSY:
        again = {"Retry-After": "1"}
        return RefusedError(429, "the endpoint has too many requests; ask again", headers=again)
    if code == "ServiceUnavailable":
        again = {"Retry-After": "5"}
        return RefusedError(503, "the endpoint is not available; ask again", headers=again)
    too_large = response.get("ResponseMetadata", {}).get("HTTPStatusCode") == 413
    if code in {"ValidationError", "ValidationException"} or too_large:
        return _invalid(message, too_large=too_large)
    log.error("InvokeEndpoint: %s: %s", code, message)
    return RefusedError(502, "the request could not be passed on; the log says why")


def _invalid(message: str, *, too_large: bool) -> RefusedError:
    if _ABSENT.search(message):
        return RefusedError(502, "the endpoint is not there, or is not in service")
    if too_large or _SIZE.search(message):
        return RefusedError(413, f"the endpoint takes no body of this size: {message}")
    return RefusedError(400, message)


def _model_refused(response: Mapping[str, Any], message: str) -> RefusedError:
    """Return the container's own refusal: SageMaker wraps it in a ModelError of status 424."""
    status = int(response.get("OriginalStatusCode") or 0)
    original = response.get("OriginalMessage")
    if not original:
        found = re.search(r'with message "(.*)"\. See ', message, re.DOTALL)
        original = found[1] if found else message
    if not 400 <= status <= 599:
        if "timed out" in message.lower():
            text = "the model did not answer in time; send fewer rows in a request"
            return RefusedError(504, text)
        return RefusedError(502, f"the model gave no answer: {original}")
    try:
        parsed = json.loads(original)
    except ValueError:
        parsed = None
    # This project's image refuses in JSON, which goes back to the letter; others are quoted.
    return RefusedError(status, original, body=original if isinstance(parsed, dict) else None)
