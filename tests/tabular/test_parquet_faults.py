"""Every fault of a Parquet channel names its file, and the column and row where there is one."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from churn_daal.errors import UserError
from churn_daal.tabular.parquet_channel import ParquetReader
from churn_daal.tabular.reading import read_table

Write = Callable[..., ParquetReader]


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (
            pa.array([date(2026, 1, 2)] * 2),
            (
                "t.parquet: column 2 ('c'): the type date32[day] holds dates or times, and trees "
                "need numbers; turn it into them (such as days since a fixed day), or list the "
                "column in drop_columns or categorical_columns"
            ),
        ),
        (
            pa.array([[1, 2], [3]]),
            (
                "t.parquet: column 2 ('c'): the type list<element: int64> is neither numbers, "
                "booleans nor text; write its parts as columns of their own (bytes as text), or "
                "list the column in drop_columns"
            ),
        ),
        (
            pa.array([b"a", b"b"]),
            "t.parquet: column 2 ('c'): the type binary is neither numbers, booleans nor text; ",
        ),
        (pa.array([{"a": 1}] * 2), "t.parquet: column 2 ('c'): the type struct<a: int64> is "),
        (
            pa.array([1.0, float("inf")]),
            (
                "t.parquet: row 2, column 2 ('c'): 'inf' is not a number; send a decimal number "
                "such as 12.5, or leave it empty for missing"
            ),
        ),
        (
            pa.array([1.0, -1e39]),
            "t.parquet: row 2, column 2 ('c'): '-1e+39' is beyond float32's range",
        ),
    ],
)
def test_a_column_that_is_no_feature_is_named(
    write_parquet: Write, learn: Callable[..., Any], column: pa.Array, message: str
) -> None:
    """By file, place and name, with its type; dropped, it does not matter."""
    reader = write_parquet(t={"y": [1, 0], "c": column, "x": [1, 2]})
    numbers = {"numbers": {1}} if pa.types.is_floating(column.type) else {}

    with pytest.raises(UserError, match=re.escape(message)):
        read_table(reader, features=(1, 2), keep=(0,), **numbers)
    assert learn(reader, drop_columns=("c",)).schema.names == ("x",)


def _twice() -> pa.Table:
    return pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"])


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        ({"t": _twice()}, "t.parquet: the columns have the name 'a' twice; give every column its"),
        (
            {"a": {"y": [1], "n": [2]}, "b": {"y": [1], "m": [2]}},
            (
                "b.parquet: no column 'n', a column 'm' more than a.parquet; every file of a "
                "channel needs the same columns, in any order"
            ),
        ),
        ({"t": pa.table({})}, "t.parquet: no columns; expected a label and features"),
    ],
)
def test_columns_that_cannot_be_matched_are_refused(
    write_parquet: Write, tables: dict[str, Any], message: str
) -> None:
    """Before a row is read."""
    with pytest.raises(UserError, match=re.escape(message)):
        write_parquet(**tables)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda good: good[:-30],
        lambda _: b"y,x\n1,2\n",
        gzip.compress,
        lambda good: b"PAR1" + good,
    ],
    ids=["cut off", "CSV", "compressed", "shifted"],
)
def test_a_file_that_is_not_parquet_is_named(
    tmp_path: Path, write_parquet: Write, spoil: Callable[[bytes], bytes]
) -> None:
    """With what to do; the last of several files before the first is read."""
    write_parquet(a={"y": [1], "x": [2]}, b={"y": [1], "x": [2]})
    bad = tmp_path / "b.parquet"
    bad.write_bytes(spoil(bad.read_bytes()))

    with pytest.raises(
        UserError,
        match=r"^b.parquet: not a Parquet file, cut off or damaged \(.+\); write it again, or set "
        "the channel's ContentType to what its files are$",
    ):
        list(ParquetReader([tmp_path / "a.parquet", bad]).batches({0, 1}, set()))


def test_encrypted_parquet_is_named(tmp_path: Path) -> None:
    """Such a file begins otherwise, and the remedy is another."""
    path = tmp_path / "t.parquet"
    path.write_bytes(b"PARE" + b"\0" * 60 + (48).to_bytes(4, "little") + b"PARE")

    with pytest.raises(UserError, match=r"^t.parquet: encrypted Parquet is not read"):
        ParquetReader([path])


def test_text_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    """Parquet holds any bytes; a writer may call them text."""
    raw = pa.array([b"a", b"\xff"]).view(pa.string())
    pq.write_table(pa.table({"y": [1, 0], "s": raw}), tmp_path / "t.parquet")

    with pytest.raises(UserError, match=r"^t.parquet: .*UTF8"):
        list(ParquetReader([tmp_path / "t.parquet"]).batches({1}, {1}))
