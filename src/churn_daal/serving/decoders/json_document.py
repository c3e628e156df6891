"""`application/json`: a record, a list of values, or rows of either."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson

from churn_daal.errors import DecodeError, SchemaError
from churn_daal.serving.decoders.blocks import without_mark
from churn_daal.tabular.encoder import Encoder, Matrix
from churn_daal.tabular.schema import Schema


def decode_json(body: memoryview, _: Mapping[str, str], encoder: Encoder) -> Iterator[Matrix]:
    """Decode `{"instances": [...]}`, a list of rows, one record or one list of values.

    A row is a record of named values in any order, a list of values by position, or
    `{"features": [...]}`. The document is parsed whole: large bodies are better sent as JSON
    Lines.

    Raises
    ------
    DecodeError
        The body is not JSON.
    SchemaError
        It is JSON of another shape, or a row breaks the schema; row and column are named.
    """
    try:
        data = orjson.loads(without_mark(body))
    except orjson.JSONDecodeError as error:
        raise DecodeError(
            f"{error.msg}, at character {error.pos + 1}; send JSON, as json.dumps writes it",
            row=error.lineno,
        ) from None
    rows = _instances(data, encoder.schema)
    if not rows:
        raise SchemaError("an empty list of rows; send at least one row")
    values = [values_of(row, number, encoder.schema) for number, row in enumerate(rows, start=1)]
    yield encoder.from_json(list(zip(*values, strict=True)))


def values_of(row: Any, number: int, schema: Schema) -> Sequence[Any]:  # noqa: ANN401 - JSON of any shape
    """Return a row's values in the order of the schema's columns.

    Raises
    ------
    SchemaError
        It is no row, or not one of this schema; `number` is named.
    """
    if isinstance(row, dict):
        try:
            values = [row[name] for name in schema.names]
        except KeyError:
            if len(row) == 1 and isinstance(row.get("features"), list):
                return values_of(row["features"], number, schema)
        else:
            if len(row) == len(values):
                return values
        schema.check_names(row, row=number)
        return values
    if isinstance(row, list):
        schema.check_count(len(row), row=number)
        return row
    raise SchemaError(
        f"{orjson.dumps(row).decode():.40} is no row; expected a record or a list of values",
        row=number,
    )


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
