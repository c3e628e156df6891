"""JSON becomes the matrix its rows mean, or is refused at a row and column."""

from __future__ import annotations

import re

import numpy as np
import pytest

from churn_daal.artifact import Model
from churn_daal.errors import DecodeError, SchemaError
from churn_daal.serving.decoders import FORMATS
from churn_daal.tabular.encoder import Encoder, Matrix

# Columns: n, c=u, c=v, c=w, b.
ONE = [1.5, 0, 1, 0, 1]
NONE = [np.nan, 0, 0, 0, np.nan]


def decode_json(body: bytes, encoder: Encoder) -> Matrix:
    """Decode a body into one matrix."""
    return np.concatenate(list(FORMATS["application/json"].decode(memoryview(body), {}, encoder)))


@pytest.mark.parametrize(
    "body",
    [
        '{"n": 1.5, "c": "v", "b": true}',
        '{"b": "yes", "y": "go", "n": "1.5", "c": "v"}',
        '[1.5, "v", true]',
        '[[1.5, "v", 1]]',
        '{"instances": [{"n": 1.5, "c": "v", "b": true}]}',
        '{"instances": [[1.5, "v", true]]}',
        '{"instances": [{"features": [1.5, "v", true]}]}',
        '[{"features": [1.5, "v", "y"]}]',
    ],
)
def test_json(small: Model, body: str) -> None:
    """A record, a list, rows of either, and the built-in algorithms' dialect."""
    np.testing.assert_array_equal(decode_json(body.encode(), small.encoder), [ONE])


def test_json_may_begin_with_a_byte_order_mark(small: Model) -> None:
    """As CSV may."""
    body = b'\xef\xbb\xbf[1.5, "v", true]'

    np.testing.assert_array_equal(decode_json(body, small.encoder), [ONE])


def test_json_null_is_missing(small: Model) -> None:
    """Null by name and by position."""
    body = b'[{"n": null, "c": null, "b": null}, [null, null, null]]'

    np.testing.assert_array_equal(decode_json(body, small.encoder), [NONE, NONE])


@pytest.mark.parametrize(
    ("body", "error", "message"),
    [
        ('{"n": 1', DecodeError, "row 1: unexpected end of data, at character"),
        ("[NaN]", DecodeError, "at character 2"),
        ("7", SchemaError, "the body is 7; expected a record"),
        ("[]", SchemaError, "an empty list of rows"),
        ('{"instances": 1}', SchemaError, "instances is not a list"),
        ('{"instances": [1]}', SchemaError, "row 1: 1 is no row"),
        ("[[1, 2]]", SchemaError, "row 1: 2 values came, the model expects 3"),
        ('[[1, "u", true], 3]', SchemaError, "row 2: 3 is no row"),
        ('{"n": 1, "c": "u"}', SchemaError, "row 1: 2 names came, 'b' of the model's 3 columns"),
        (
            '{"n": 1, "c": "u", "bb": 1}',
            SchemaError,
            "row 1: unknown name 'bb' (did you mean 'b'?); the",
        ),
        ('{"features": [1, "u", true], "n": 1}', SchemaError, "row 1: unknown name 'features'"),
        ('{"n": 1, "c": "u", "b": 1, "z": 1}', SchemaError, "row 1: unknown name 'z'"),
        ('[["x", "u", true]]', SchemaError, "row 1, column 1 ('n'): 'x' is not a number"),
        ('[[{}, "u", true]]', SchemaError, "row 1, column 1 ('n'): an object is not a number"),
    ],
)
def test_broken_json(small: Model, body: str, error: type[Exception], message: str) -> None:
    """Not JSON is undecodable; JSON of another shape is against the schema."""
    with pytest.raises(error, match=re.escape(message)):
        decode_json(body.encode(), small.encoder)
