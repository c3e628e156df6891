"""SageMaker's captured data: a JSON line for each request and its answer.

The fields are those of "Capture data from real-time endpoint" and of "View captured data" (Amazon
SageMaker developer guide). `data` is text where the endpoint's configuration lists the media type
as CSV or JSON, and base64 elsewhere.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson

from churn_daal.errors import UserError

SUFFIX: Final = ".jsonl"
_ENCODINGS: Final = ("CSV", "JSON", "BASE64")
_REMEDY: Final = "expected a line as SageMaker's data capture writes it; copy the file again"


@dataclass(frozen=True)
class Side:
    """A body and its media type; "" where none was observed."""

    body: bytes
    content_type: str


@dataclass(frozen=True)
class Exchange:
    """A request and its answer.

    Attributes
    ----------
    request, answer
        None where only the other was captured.
    time
        When it was answered, in ISO 8601; "" where that is not told.
    place
        File and line, for messages.
    """

    request: Side | None
    answer: Side | None
    time: str
    place: str


def files_of(path: Path) -> list[Path]:
    """Return a file, or a folder's captured files at any depth, in order.

    Raises
    ------
    UserError
        There is none.
    """
    if path.is_file():
        return [path]
    found = sorted(file for file in path.rglob(f"*{SUFFIX}") if file.is_file())
    if not found:
        there = "is not there" if not path.exists() else f"holds no {SUFFIX} file"
        raise UserError(
            f"{path} {there}; expected captured data: copy it from the endpoint's "
            "DestinationS3Uri, aws s3 sync s3://BUCKET/PREFIX FOLDER"
        )
    return found


def exchanges(files: list[Path]) -> Iterator[Exchange]:
    """Read files line by line.

    Raises
    ------
    UserError
        A line is not as SageMaker writes it, or a file cannot be read; file and line are named.
    """
    for file in files:
        try:
            with file.open("rb") as lines:
                for number, line in enumerate(lines, start=1):
                    if line.strip():
                        yield _exchange(line, f"{file}, line {number}")
        except OSError as error:
            raise UserError(f"{file} cannot be read: {error.strerror}") from None


def _exchange(line: bytes, place: str) -> Exchange:
    try:
        event = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise UserError(f"{place}: no JSON ({error.msg}); {_REMEDY}") from None
    data = event.get("captureData") if isinstance(event, dict) else None
    if not isinstance(data, dict):
        raise UserError(f"{place}: there is no captureData; {_REMEDY}")
    meta = event.get("eventMetadata")
    time = meta.get("inferenceTime") if isinstance(meta, dict) else None
    return Exchange(
        _side(data.get("endpointInput"), place),
        _side(data.get("endpointOutput"), place),
        time if isinstance(time, str) else "",
        place,
    )


def _side(side: Any, place: str) -> Side | None:  # noqa: ANN401 - JSON of any type
    if side is None:
        return None
    encoding = side.get("encoding") if isinstance(side, dict) else None
    if encoding not in _ENCODINGS or not isinstance(side.get("data"), str):
        raise UserError(
            f"{place}: {side!r:.80} has no data in one of the encodings {', '.join(_ENCODINGS)}; "
            f"{_REMEDY}"
        )
    body = side["data"].encode()
    if encoding == "BASE64":
        try:
            body = base64.b64decode(body, validate=True)
        except binascii.Error as error:
            raise UserError(f"{place}: the data is no base64 ({error}); {_REMEDY}") from None
    return Side(body, str(side.get("observedContentType") or ""))
