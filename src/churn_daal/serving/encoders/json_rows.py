"""`application/json`: the rows as records in one document."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import orjson

from churn_daal.serving.predictions import Predictions


def encode_json(blocks: Iterable[Predictions]) -> bytes:
    """Write `{"predictions": [{"score": ..., ...}, ...]}`; a number that is not finite is null."""
    # Between the brackets of each block's list.
    inner = b",".join(_dumped(list(records(block)))[1:-1] for block in blocks)
    return b'{"predictions":[%b]}' % inner


def records(block: Predictions) -> Iterator[dict[str, Any]]:
    """Yield a record for each row."""
    names = tuple(block.columns)
    for values in zip(*block.columns.values(), strict=True):
        yield dict(zip(names, values, strict=True))


def _dumped(data: Any) -> bytes:  # noqa: ANN401 - whatever JSON holds
    return orjson.dumps(data, option=orjson.OPT_SERIALIZE_NUMPY)
