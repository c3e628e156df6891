"""What a row is in JSON and JSON Lines, by name, by position or as SageMaker's algorithms have it.

Those take `{"features": [...]}` and `{"data": {"features": {"values": [...]}}}`, also with the
`keys` and the `shape` of a row that lacks the others
(https://docs.aws.amazon.com/sagemaker/latest/dg/cdf-inference.html).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final

import orjson

from churn_daal.errors import SchemaError
from churn_daal.serving.decoders.blocks import rows_at_a_time
from churn_daal.tabular.encoder import Encoder, Matrix
from churn_daal.tabular.schema import Schema

_TENSOR: Final = frozenset({"keys", "shape", "values"})


def encode_rows(
    rows: Iterator[tuple[int, Any]], encoder: Encoder, *, absent: bool = False
) -> Iterator[Matrix]:
    """Encode parsed rows, block by block.

    Parameters
    ----------
    rows
        Each row's number and what it is.
    encoder
        The model's.
    absent
        See `values_of`.

    Raises
    ------
    SchemaError
        A row breaks the schema; row and column are named.
    """
    schema = encoder.schema
    size = rows_at_a_time(len(schema.columns))
    while block := list(islice(rows, size)):
        values = [values_of(row, number, schema, absent=absent) for number, row in block]
        try:
            yield encoder.from_json_rows(values)
        except SchemaError as fault:
            raise SchemaError(
                fault.reason,
                row=block[(fault.row or 1) - 1][0],
                column=fault.column,
                name=fault.name,
            ) from None


def values_of(
    row: Any,  # noqa: ANN401 - JSON of any shape
    number: int,
    schema: Schema,
    *,
    absent: bool = False,
) -> Sequence[Any]:
    """Return a row's values in the order of the schema's columns, None where one is missing.

    Parameters
    ----------
    row
        JSON of any shape.
    number
        The row's, for messages.
    schema
        The model's.
    absent
        Whether a record may leave names out, whose values are missing then.

    Raises
    ------
    SchemaError
        It is no row, or not one of this schema.
    """
    if isinstance(row, dict):
        try:
            values = schema.values_of(row)
        except KeyError:
            return _lacking(row, number, schema, absent=absent)
        if len(row) != len(values):
            schema.check_names(row, row=number)
        return values
    if isinstance(row, list):
        schema.check_count(len(row), row=number)
        return row
    raise SchemaError(f"{_shown(row)} is no row; expected a record or a list of values", row=number)


def _lacking(row: dict[str, Any], number: int, schema: Schema, *, absent: bool) -> Sequence[Any]:
    """Return the values of a record that does not name every column."""
    features = _features(row, number, schema)
    if isinstance(features, list):
        return values_of(features, number, schema)
    if features is not None:
        return _tensor(features, number, schema)
    if not (absent and all(map(schema.knows, row))):
        schema.check_names(row, row=number)
    return [row.get(name) for name in schema.names]


def _features(row: dict[str, Any], number: int, schema: Schema) -> Any:  # noqa: ANN401 - JSON
    """Return what stands under SageMaker's names; None where the row does not have them."""
    if "data" in row and row.keys() <= {"data", "configuration"} and not schema.knows("data"):
        row = row["data"]
        if not isinstance(row, dict) or row.keys() != {"features"}:
            raise SchemaError(
                f'data is {_shown(row)}; send {{"data": {{"features": {{"values": [...]}}}}}}',
                row=number,
            )
    if "features" not in row or schema.knows("features") or not row.keys() <= {"features", "label"}:
        return None
    features = row["features"]
    tensor = isinstance(features, dict) and "values" in features and features.keys() <= _TENSOR
    if not tensor and not isinstance(features, list):
        raise SchemaError(
            f'features is {_shown(features)}; send a list of values, {{"values": [...]}}, or for '
            'a sparse row {"keys": [...], "shape": [n], "values": [...]}',
            row=number,
        )
    return features


def _tensor(tensor: Mapping[str, Any], number: int, schema: Schema) -> Sequence[Any]:
    """Return the values of a dense tensor, or of one whose keys count columns from 0."""
    values, keys, shape = (tensor.get(name) for name in ("values", "keys", "shape"))
    width = len(schema.columns)
    if not isinstance(values, list):
        raise SchemaError(f"values is {_shown(values)}; send a list", row=number)
    if shape and shape != [width]:
        raise SchemaError(
            f"the shape is {_shown(shape)}, but the model has {width} columns; send [{width}]",
            row=number,
        )
    if not keys and (values or not shape):
        return values_of(values, number, schema)
    keys = keys or []
    if not isinstance(keys, list) or len(keys) != len(values):
        came = len(keys) if isinstance(keys, list) else "no list of"
        raise SchemaError(
            f"{came} keys for {len(values)} values; send one key for each value", row=number
        )
    full: list[Any] = [None] * width
    seen = set()
    for key, value in zip(keys, values, strict=True):
        if type(key) is not int or not 0 <= key < width or key in seen:
            twice = isinstance(key, int) and key in seen
            raise SchemaError(
                f"the key {_shown(key)} {'comes twice' if twice else 'is no column'}; send each "
                f"column's place once, from 0 to {width - 1}",
                row=number,
            )
        seen.add(key)
        full[key] = value
    return full


def _shown(data: Any) -> str:  # noqa: ANN401 - JSON of any shape
    return f"{orjson.dumps(data).decode():.40}"
