"""`application/json` and `application/jsonlines`: the rows as records."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

import numpy as np
import orjson

from churn_daal.serving.predictions import Predictions

_LINE: Final = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_APPEND_NEWLINE


def encode_json(blocks: Iterable[Predictions]) -> bytes:
    """Write `{"predictions": [{"score": ..., ...}, ...]}`; a number that is not finite is null."""
    # Between the brackets of each block's list.
    inner = b",".join(_dumped(list(records(block)))[1:-1] for block in blocks)
    return b'{"predictions":[%b]}' % inner


def encode_json_lines(blocks: Iterable[Predictions]) -> bytes:
    """Write one such record a line, the last one's end too."""
    # Copied line by line: what orjson returns keeps the room of a longer text while it lives.
    lines = bytearray()
    for block in blocks:
        for record in records(block):
            lines += orjson.dumps(record, option=_LINE)
    return bytes(lines)


def records(block: Predictions) -> Iterator[dict[str, Any]]:
    """Yield a record for each row."""
    names = tuple(block.columns)
    # orjson reads rows of an array where they lie, and wants them in one piece.
    columns = [
        np.ascontiguousarray(column) if isinstance(column, np.ndarray) else column
        for column in block.columns.values()
    ]
    for values in zip(*columns, strict=True):
        yield dict(zip(names, values, strict=True))


def _dumped(data: Any) -> bytes:  # noqa: ANN401 - whatever JSON holds
    return orjson.dumps(data, option=orjson.OPT_SERIALIZE_NUMPY)
