"""What a user's function may ask about a request, and say about its answer.

The names are those of the `context` that sagemaker-inference hands over.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from churn_daal.serving.carried import ATTRIBUTES, INFERENCE_ID
from churn_daal.serving.request import Request

# Both servers carry these back, and look for them by these names.
_NAMED: Final = {name.lower(): name for name in (ATTRIBUTES, INFERENCE_ID)}
# Of the message and the connection, which are the server's (RFC 9110, section 7.6.1).
_FRAMING: Final = frozenset(
    {"content-length", "transfer-encoding", "connection", "keep-alive", "proxy-connection"}
    | {"te", "trailer", "upgrade", "date"}
)


class Context:
    """The optional last argument of each function.

    Parameters
    ----------
    model_dir
        The model's folder.
    request
        The request; None while the model is loaded.

    Attributes
    ----------
    system_properties
        `model_dir`, as text.
    custom_attributes
        `X-Amzn-SageMaker-Custom-Attributes`, "" where absent.
    query
        What the URL asks for beside the path.
    """

    def __init__(self, model_dir: Path, request: Request | None = None) -> None:
        self.system_properties = {"model_dir": str(model_dir)}
        self.custom_attributes = request.attributes if request else ""
        self.query: Mapping[str, str] = request.query if request else {}
        self._headers = _headers(request) if request else {}
        self.content_type: str | None = None
        self.status = 200
        self.response_headers: dict[str, str] = {}

    def get_all_request_header(self, _index: int = 0) -> dict[str, str]:
        """Return the request's headers."""
        return dict(self._headers)

    def get_request_header(self, _index: int, key: str) -> str | None:
        """Return a header, whatever the case of its name; None where it is absent."""
        wanted = key.casefold()
        return next((v for name, v in self._headers.items() if name.casefold() == wanted), None)

    def set_response_content_type(self, _index: int, value: str) -> None:
        """Say the answer's Content-Type."""
        self.content_type = value

    def set_response_header(self, _index: int, key: str, value: str) -> None:
        """Set a header of the answer, whatever the case of its name.

        `Content-Type` is what `set_response_content_type` sets. `Content-Length` and those of the
        connection are the server's, which frames the body: others would be a fault of HTTP.
        """
        lower = key.lower()
        if lower == "content-type":
            self.content_type = value
        elif lower not in _FRAMING:
            for name in [name for name in self.response_headers if name.lower() == lower]:
                del self.response_headers[name]
            self.response_headers[_NAMED.get(lower, key)] = value

    def set_response_status(self, code: int = 200, phrase: str = "", _index: int = 0) -> None:
        """Say the answer's status; HTTP has its own phrase for it."""
        del phrase
        self.status = code


def _headers(request: Request) -> dict[str, str]:
    named = {
        "Content-Type": request.content_type,
        "Accept": request.accept,
        "X-Amzn-SageMaker-Custom-Attributes": request.attributes,
    }
    return {name: value for name, value in named.items() if value} | dict(request.headers)
