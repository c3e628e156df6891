"""What hosts may say to each other beside XGBoost's own traffic: six small forms, nothing else.

A message is one line of JSON, an object with the members its form names and no others. What is
longer, or anything else, is refused: the port is open to whoever reaches the host.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any, Final

MAX_LINE: Final = 8_192
MAX_REASON: Final = 1_024  # characters; SageMaker shows no more of a failure (rule T11)
# The members of each form beside "kind", and their types.
FORMS: Final[dict[str, dict[str, type]]] = {
    "hello": {"host": str, "job": str},
    "start": {"port": int},
    "beat": {},
    "failed": {"host": str, "reason": str},
    "done": {},
    "end": {},
}

Message = dict[str, Any]


class ProtocolError(Exception):
    """What came is none of the forms."""


def job_id(hosts: Sequence[str]) -> str:
    """Return what the hosts of one job have in common, so that those of two do not mix."""
    return hashlib.sha256("\n".join(hosts).encode("utf-8", "replace")).hexdigest()[:16]


def encode(kind: str, **members: str | int) -> bytes:
    """Return a message as a line.

    Parameters
    ----------
    kind
        A key of `FORMS`.
    members
        What the form asks for.
    """
    line = json.dumps({"kind": kind, **members}, ensure_ascii=False).encode("utf-8", "replace")
    return line + b"\n"


def decode(line: bytes) -> Message:
    """Read a line.

    Raises
    ------
    ProtocolError
        It is none of the forms.
    """
    try:
        message = json.loads(line)
        form = FORMS[message["kind"]]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ProtocolError(f"{line[:40]!r} is not a message") from error
    members = {name: type(value) for name, value in message.items() if name != "kind"}
    if members != form:
        raise ProtocolError(f"{message['kind']!r} with the members {sorted(members)[:6]}")
    return dict(message)


class Lines:
    """Messages out of a stream of bytes that is cut anywhere."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[Message]:
        """Take the next bytes and return the messages they complete.

        Raises
        ------
        ProtocolError
            A line is too long or is none of the forms.
        """
        *lines, self._rest = (self._rest + data).split(b"\n")
        if max(map(len, (*lines, self._rest))) > MAX_LINE:
            raise ProtocolError(f"a line of more than {MAX_LINE} bytes")
        return [decode(line) for line in lines]
