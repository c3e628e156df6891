"""Plain JSON rows are read in one go, to the bit as the strict way has them, errors included."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from churn_daal.errors import DataError
from churn_daal.serving.decoders import FORMATS
from churn_daal.tabular.encoder import Encoder, Matrix
from churn_daal.tabular.schema import Column, Schema


class Strict(Encoder):
    """An encoder that reads each cell by its grammar."""

    def from_json_rows(self, rows: Sequence[Sequence[Any]]) -> Matrix:
        """Go the strict way at once."""
        return self.from_json(list(zip(*rows, strict=True)))


CATEGORIES = ("a", "é", "415", "1", "0", "true", "False", "2.5", "", "NaN")
COLUMNS = (
    Column("n", "number"),
    Column("b", "boolean"),
    Column("c", "category", "onehot", CATEGORIES),
    Column("o", "category", "ordinal", CATEGORIES),
)
VALUES = [
    *(0, 1, -1, 415, 2**53 + 1, 2**63, 2**64 - 1, 0.0, -0.0, 1.0, 2.5, 415.0, 1e38, 1e39, -1e300),
    *(
        3.4028234663852886e38,
        3.4028235677973366e38,
        3.4028235677973362e38,
        1e-46,
        True,
        False,
        None,
    ),
    *("1", "1.5", "nan", "NA", "1e39", "inf", "x", "a", "é", " a", "415.0", "true", "TRUE", ""),
    *("yes", "No ", "true.", "0", [], [1], {}, {"a": 1}, "\x00"),
]


def outcome(encoder: Encoder, rows: object, kind: str) -> object:
    """Return the bits of what is decoded and what was unseen, or the error."""
    if kind == "application/json":
        body = orjson.dumps({"instances": rows})
    else:
        body = b"\n".join(map(orjson.dumps, rows))
    unseen: dict[int, int] = {}
    try:
        found = list(FORMATS[kind].decode(memoryview(body), {}, encoder.counting(unseen)))
    except DataError as error:
        return type(error), str(error)
    assert all(block.flags.c_contiguous and block.dtype == np.float32 for block in found)
    return b"".join(block.tobytes() for block in found), unseen


@pytest.mark.parametrize("column", COLUMNS, ids=lambda column: f"{column.kind}-{column.encoding}")
def test_both_ways_agree_on_each_value(column: Column) -> None:
    """Alone and among others, by position and by name."""
    alone, among = Schema((column,)), Schema((Column("m", "number"), column, Column("k", "number")))
    for value in VALUES:
        for schema, rows in (
            (alone, [[value]]),
            (alone, [[1], [value], ["1"]]),
            (alone, [{column.name: value}]),
            (among, [[1, value, 2]]),
            (
                among,
                [{"m": 1, column.name: "1", "k": 2.5}, {"k": 0, "m": None, column.name: value}],
            ),
        ):
            quick, strict = (
                outcome(kind(schema), rows, "application/json") for kind in (Encoder, Strict)
            )
            assert quick == strict, rows


@st.composite
def bodies(draw: st.DrawFn) -> tuple[Schema, list[Any]]:
    """Return a schema and rows that are near to it."""
    columns = draw(st.lists(st.sampled_from(COLUMNS), min_size=1, max_size=4))
    schema = Schema(
        tuple(
            Column(f"{c.name}{k}", c.kind, c.encoding, c.categories) for k, c in enumerate(columns)
        ),
        ignored=("y",),
    )
    values = st.one_of(st.sampled_from(VALUES), st.floats(), st.integers(-(2**63), 2**64 - 1))
    fitting = st.tuples(*map(_fitting, columns)).map(list)
    lists = st.one_of(fitting, fitting, st.lists(values, max_size=4))
    records = st.one_of(
        fitting.map(lambda row: dict(zip(schema.names, row, strict=True))),
        st.dictionaries(st.sampled_from([*schema.names, "y", "z"]), values),
    )
    return schema, draw(st.lists(st.one_of(lists, records), min_size=1, max_size=4))


def _fitting(column: Column) -> st.SearchStrategy[Any]:
    if column.kind == "number":
        return st.one_of(st.floats(allow_nan=False, allow_infinity=False, width=32), st.none())
    if column.kind == "boolean":
        return st.sampled_from([True, False, 0, 1, "yes", "no", None])
    return st.sampled_from([*column.categories, "unseen", None, True, 415, 1, 2.5])


@settings(max_examples=300, deadline=None)
@given(bodies(), st.sampled_from(["application/json", "application/jsonlines"]))
def test_both_ways_agree(case: tuple[Schema, list[Any]], kind: str) -> None:
    """Whatever the rows, they are the same bits, the counts and the errors the same."""
    schema, rows = case

    assert outcome(Encoder(schema), rows, kind) == outcome(Strict(schema), rows, kind)
