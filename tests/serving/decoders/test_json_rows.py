"""SageMaker's own JSON dialect names a row's values, dense or by their places."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np
import pytest

from churn_daal.errors import SchemaError
from churn_daal.serving.decoders import blocks
from churn_daal.tabular.encoder import Encoder
from churn_daal.tabular.schema import Column, Schema

from .bodies import JSON, LINES, WORDS, decode

ONE = [1.5, 0, 1, 0, 1]
SPARSE = {"keys": [2, 0], "shape": [3], "values": [True, 1.5]}


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"features": [1.5, "v", True]}, ONE),
        ({"features": {"values": [1.5, "v", True]}}, ONE),
        ({"data": {"features": {"values": [1.5, "v", True]}}}, ONE),
        ({"data": {"features": [1.5, "v", True]}, "configuration": {}}, ONE),
        ({"features": {"keys": [], "shape": [3], "values": [1.5, "v", True]}}, ONE),
        ({"features": [1.5, "v", True], "label": 1}, ONE),
        ({"data": {"features": SPARSE}}, [1.5, 0, 0, 0, 1]),
        ({"features": {"keys": [1], "values": ["v"]}}, [np.nan, 0, 1, 0, np.nan]),
        ({"features": {"keys": [], "shape": [3], "values": []}}, [np.nan, 0, 0, 0, np.nan]),
    ],
)
def test_the_dialect(row: dict[str, Any], expected: list[float]) -> None:
    """In a document, in its instances and on a line; a key counts from 0, others are missing."""
    instances = json.dumps({"instances": [row, row]}).encode()
    line = json.dumps(row).encode()

    np.testing.assert_array_equal(decode(JSON, line, WORDS), [expected])
    np.testing.assert_array_equal(decode(JSON, instances, WORDS), [expected, expected])
    np.testing.assert_array_equal(decode(LINES, line, WORDS), [expected])


def test_names_of_columns_come_first() -> None:
    """A model whose columns have the dialect's names reads records of them."""
    encoder = Encoder(Schema((Column("features", "number"), Column("data", "number"))))

    np.testing.assert_array_equal(decode(JSON, b'{"data": 2, "features": 1}', encoder), [[1, 2]])
    with pytest.raises(SchemaError, match="1 names came, 'data' of the model's 2 columns not"):
        decode(JSON, b'{"features": [1, 2]}', encoder)


@pytest.mark.parametrize(
    ("features", "message"),
    [
        ({"values": [1, "v"]}, "row 2: 2 values came, the model expects 3"),
        ({"values": 1}, "row 2: values is 1; send a list"),
        ({"keys": [1], "shape": [4], "values": ["v"]}, "row 2: the shape is [4], but the model"),
        ({"keys": [1, 2], "values": ["v"]}, "row 2: 2 keys for 1 values; send one key"),
        ({"keys": 7, "values": ["v"]}, "row 2: no list of keys for 1 values"),
        ({"keys": [3], "values": ["v"]}, "row 2: the key 3 is no column; send each column's place"),
        ({"keys": [True], "values": ["v"]}, "row 2: the key true is no column"),
        ({"keys": [1, 1], "values": ["v", "u"]}, "row 2: the key 1 comes twice"),
        ({"keys": [0], "values": ["x"]}, "row 2, column 1 ('n'): 'x' is not a number"),
        ({"value": [1]}, 'row 2: features is {"value":[1]}; send a list of values'),
        ("abc", 'row 2: features is "abc"; send a list of values'),
    ],
)
def test_broken_tensors(features: Any, message: str) -> None:  # noqa: ANN401 - JSON
    """The row is named, what came, and what to send."""
    good = {"features": [1, "v", 0]}
    for kind, body in (
        (JSON, json.dumps({"instances": [good, {"features": features}]})),
        (LINES, json.dumps(good) + "\n" + json.dumps({"features": features})),
    ):
        with pytest.raises(SchemaError, match=re.escape(message)):
            decode(kind, body.encode(), WORDS)


def test_other_data_is_told_its_shape() -> None:
    """`data` holds `features` and nothing else."""
    with pytest.raises(SchemaError, match=r'row 1: data is \{"x":1\}; send \{"data": \{"feat'):
        decode(JSON, b'{"data": {"x": 1}}', WORDS)


def test_many_rows_of_few_values_are_held_a_block_at_a_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Rows keep their order and number; no block is larger than its cells allow."""
    monkeypatch.setattr(blocks, "_CELLS", 6)
    rows = [{"features": {"keys": [0], "values": [k]}} for k in range(7)]

    X = decode(JSON, json.dumps(rows).encode(), WORDS)

    np.testing.assert_array_equal(X[:, 0], range(7))
    with pytest.raises(SchemaError, match=r"row 8, column 1 \('n'\): 'x' is not"):
        decode(JSON, json.dumps([*rows, ["x", "v", 1]]).encode(), WORDS)
