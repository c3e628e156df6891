"""What comes in and what goes back, and who answers: no server, no framework, no model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import orjson

from churn_daal.artifact import Manifest
from churn_daal.serving.trace import Trace


@dataclass(slots=True)
class Request:
    """An invocation.

    Attributes
    ----------
    body
        Its bytes, in memory or mapped from a file.
    content_type, accept
        The headers as they came, "" where absent.
    attributes
        `X-Amzn-SageMaker-Custom-Attributes` as it came, "" where absent (rule S6).
    query
        What the URL asks for beside the path.
    trace
        Filled in by whoever answers.
    headers
        Every header's name, as it came, and value.
    """

    body: memoryview
    content_type: str = ""
    accept: str = ""
    attributes: str = ""
    query: Mapping[str, str] = field(default_factory=dict)
    trace: Trace = field(default_factory=Trace)
    headers: Iterable[tuple[str, str]] = ()


@dataclass(slots=True)
class Answer:
    """What goes back: a status, a body, its type, and headers beside it.

    A large body is a memoryview mapped from a file, so that it takes no memory until it is sent.
    """

    status: int
    body: bytes | memoryview = b""
    content_type: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


def refused(text: str, status: int) -> Answer:
    """Return a refusal: every one is JSON of one shape, as clients are shown its body (rule S9)."""
    body = orjson.dumps({"error": text, "status": status})
    return Answer(status, body, "application/json")


class Service(Protocol):
    """What answers invocations. Both methods may be called from many threads at once.

    Attributes
    ----------
    quick
        Whether a few rows are answered within a few milliseconds, whatever they hold.
    """

    @property
    def quick(self) -> bool:
        """See above."""

    @property
    def manifest(self) -> Manifest | None:
        """Of the model that answers; None where that is none of this toolkit's."""

    def answer(self, request: Request) -> Answer:
        """Answer an invocation.

        Raises
        ------
        RequestError
            The request is refused, with the error's status.
        """

    def together(self, requests: Sequence[Request]) -> list[Answer | None]:
        """Answer those of several small invocations that can be answered in one go.

        Returns
        -------
        What `answer` returns for each; None for one that has to be asked by itself.
        """

    def ready(self) -> bool:
        """Tell whether it answers, for `/ping`."""
