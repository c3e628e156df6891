"""`application/json`: a record, a list of values, or rows of either."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from churn_daal.errors import DecodeError, SchemaError
from churn_daal.serving.decoders.blocks import UTF8, as_utf8
from churn_daal.serving.decoders.json_rows import encode_rows, values_of
from churn_daal.tabular.encoder import Encoder, Matrix
from churn_daal.tabular.schema import Schema


def decode_json(
    body: memoryview, parameters: Mapping[str, str], encoder: Encoder
) -> Iterator[Matrix]:
    """Decode `{"instances": [...]}`, a list of rows, one record or one list of values.

    What a row may be, see `json_rows.values_of`. The document is parsed whole: large bodies are
    better sent as JSON Lines.

    Raises
    ------
    DecodeError
        The body is not JSON.
    SchemaError
        It is JSON of another shape, or a row breaks the schema; row and column are named.
    """
    try:
        data = orjson.loads(as_utf8(body, parameters.get("charset", UTF8)))
    except orjson.JSONDecodeError as error:
        raise DecodeError(
            f"{error.msg}, at character {error.pos + 1}; send JSON, as json.dumps writes it",
            row=error.lineno,
        ) from None
    rows = _instances(data, encoder.schema)
    if not rows:
        raise SchemaError("an empty list of rows; send at least one row")
    if len(rows) == 1:
        # Most requests are one row: they are spared what blocks cost.
        values = values_of(rows[0], 1, encoder.schema)
        return iter((encoder.from_json_rows([values]),))
    return encode_rows(enumerate(rows, start=1), encoder)


def _instances(data: Any, schema: Schema) -> list[Any]:  # noqa: ANN401 - JSON of any shape
    if isinstance(data, dict):
        if "instances" in data and not schema.knows("instances"):
            data = data["instances"]
            if not isinstance(data, list):
                raise SchemaError('instances is not a list; send {"instances": [row, ...]}')
            return data
        return [data]
    if isinstance(data, list):
        if data and not isinstance(data[0], dict | list):
            return [data]
        return data
    raise SchemaError(
        f"the body is {orjson.dumps(data).decode():.40}; expected a record, a list of values, a "
        'list of rows or {"instances": [row, ...]}'
    )
