"""Parquet gives what the same data in CSV gives."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from churn_daal.tabular.csv_channel import CsvReader
from churn_daal.tabular.labels import as_class
from churn_daal.tabular.parquet_channel import ParquetReader

Write = Callable[..., ParquetReader]
ROWS = {
    "y": ["no", "yes", "no", "yes"],
    "n": [1, 2, None, 4],
    "x": [0.1, None, 1e-7, 2.5],
    "s": ["a", "", "NA", "b"],
    "b": [True, None, False, True],
    "t": ["1", "2.5", "3", None],
}
CSV = "y,n,x,s,b,t\nno,1,0.1,a,true,1\nyes,2,,,,2.5\nno,,1e-7,NA,false,3\nyes,4,2.5,b,true,\n"


def test_the_same_data_as_csv_gives_the_same_schema_and_matrix(
    write_parquet: Write, learn: Callable[..., Any], tmp_path: Path
) -> None:
    """Numbers, null, texts, booleans and texts that are numbers."""
    (tmp_path / "t.csv").write_text(CSV)

    ours, csv = learn(write_parquet(t=ROWS)), learn(CsvReader([tmp_path / "t.csv"]))

    assert ours.schema == csv.schema
    assert ours.labels == csv.labels
    np.testing.assert_array_equal(ours.matrix, csv.matrix)


@pytest.mark.parametrize(
    "kind",
    [
        *(pa.int8(), pa.uint64(), pa.float16(), pa.float32(), pa.float64()),
        *(pa.decimal128(10, 2), pa.decimal128(38, 0), pa.decimal256(60, 3), pa.string()),
        *(pa.large_string(), pa.string_view()),
    ],
    ids=str,
)
def test_every_type_of_number_reads_alike(
    write_parquet: Write, learn: Callable[..., Any], kind: pa.DataType
) -> None:
    """Integers, floats, decimals, texts, as features and as classes."""
    labels = pa.array([1, 0, 1, 0]).cast(pa.string()).cast(kind)
    numbers = pa.array([1, 0, None, 25]).cast(pa.string()).cast(kind)

    learned = learn(write_parquet(t={"y": labels, "n": numbers}))

    assert [as_class(cell) for cell in learned.labels] == [1, 0, 1, 0]
    assert learned.schema.columns[0].kind == "number"
    np.testing.assert_array_equal(learned.matrix[:, 0], np.float32([1, 0, np.nan, 25]))


def test_large_integers_and_decimals_round_as_the_same_digits_in_csv(
    write_parquet: Write, learn: Callable[..., Any]
) -> None:
    """Beyond 2**53, and a decimal next to the middle of two floats."""
    digits = ["18446744073709551615", "9007199254740993", "16777217.0000000001"]
    unsigned = pa.array([int(text.partition(".")[0]) for text in digits], pa.uint64())
    decimals = pa.array([Decimal(text) for text in digits], pa.decimal128(38, 10))

    learned = learn(write_parquet(t={"y": [1, 0, 1], "u": unsigned, "d": decimals}))

    expected = np.array([float(text) for text in digits]).astype(np.float32)
    np.testing.assert_array_equal(learned.matrix[:, 1], expected)
    np.testing.assert_array_equal(learned.matrix[:2, 0], expected[:2])


@pytest.mark.parametrize(
    ("values", "categories"),
    [
        (["b", "a", None, "a"], ("a", "b")),
        ([10, 9, None, 9], ("10", "9")),
        ([2.5, 1.0, None, 1.0], ("1", "2.5")),
    ],
)
def test_a_dictionary_column_holds_categories(
    write_parquet: Write,
    learn: Callable[..., Any],
    values: list[object],
    categories: tuple[str, ...],
) -> None:
    """Whatever its values, as a pandas Categorical of numbers is still one."""
    learned = learn(write_parquet(t={"y": [1, 0, 1, 0], "c": pa.array(values).dictionary_encode()}))

    column = learned.schema.columns[0]
    assert column.kind == "category"
    assert column.categories == categories
    np.testing.assert_array_equal(learned.matrix.sum(axis=1), [1, 1, 0, 1])


def test_files_are_matched_by_name_and_types_may_differ(
    write_parquet: Write, learn: Callable[..., Any], tmp_path: Path
) -> None:
    """A later file has another order, and text where the first had integers: as mixed CSV."""
    reader = write_parquet(
        a={"y": [1, 0], "n": [7, 8], "m": [1.5, 2.0]},
        b={"m": pa.nulls(3), "n": ["7", "x", "x"], "y": [True, False, True]},
        c={"m": ["3", None], "y": ["1", "0"], "n": pa.array(["z", "8"]).dictionary_encode()},
    )
    (tmp_path / "t.csv").write_text(
        "y,n,m\n1,7,1.5\n0,8,2.0\ntrue,7,\nfalse,x,\ntrue,x,\n1,z,3\n0,8,\n"
    )

    learned = learn(reader)

    csv = learn(CsvReader([tmp_path / "t.csv"], header="present"), categorical_columns=("n",))
    assert learned.schema == csv.schema
    assert learned.labels == csv.labels
    np.testing.assert_array_equal(learned.matrix, csv.matrix)


def test_a_column_that_turns_to_text_in_a_later_file_is_read_again(
    write_parquet: Write, learn: Callable[..., Any]
) -> None:
    """Integers first, words after: one column of categories."""
    learned = learn(write_parquet(a={"y": [1], "n": [7]}, b={"y": [0, 1], "n": ["x", "z"]}))

    assert learned.schema.columns[0].categories == ("7", "x", "z")


def test_dates_are_read_as_text_where_they_are_listed_as_categories(
    write_parquet: Write, learn: Callable[..., Any]
) -> None:
    """A date as 2026-01-02, a time of day after it without a fraction of zeros."""
    days = [date(2026, 1, 2), None]
    times = [datetime(2026, 1, 2, 3, 4, 5), datetime(2026, 1, 2, 3, 4, 5, 250000)]

    learned = learn(
        write_parquet(t={"y": [1, 0], "d": days, "t": times}), categorical_columns=("d", "t")
    )

    assert learned.schema.columns[0].categories == ("2026-01-02",)
    assert learned.schema.columns[1].categories == (
        "2026-01-02 03:04:05",
        "2026-01-02 03:04:05.250000",
    )


def test_row_numbers_of_pandas_and_summaries_of_spark_are_left_out(
    write_parquet: Write, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    """An index column without a name is no feature, and `_metadata` holds no rows."""
    caplog.set_level(logging.INFO)
    table = {"__index_level_0__": [5, 6], "y": [1, 0], "x": [2, 3]}
    write_parquet(t=table)
    pq.write_metadata(pa.table(table).schema, tmp_path / "_metadata")

    reader = ParquetReader(sorted(tmp_path.iterdir()))

    assert (reader.names, reader.width) == (("y", "x"), 2)
    assert [path.name for path in reader.files] == ["t.parquet"]
    assert "__index_level_0__" in caplog.text
    assert reader.source(0).order == (1, 2)


def test_batches_are_bounded_and_in_order(write_parquet: Write) -> None:
    """However large a row group is, and whichever columns are wanted."""
    rows = 200_000
    reader = write_parquet(t={"y": np.arange(rows), "a": np.arange(rows), "s": ["x"] * rows})

    batches = list(reader.batches({0, 2}, {2}))

    assert max(batch.rows for batch in batches) <= 1 << 16
    assert all(batch.columns.keys() == {0, 2} for batch in batches)
    numbers = np.concatenate([batch.columns[0] for batch in batches])
    np.testing.assert_array_equal(numbers, np.arange(rows, dtype=np.float32))


def test_folders_of_a_partitioned_table_are_told_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Their values are no columns, which is easy to miss."""
    path = tmp_path / "day=1" / "t.parquet"
    path.parent.mkdir()
    pq.write_table(pa.table({"y": [1], "x": [2]}), path)

    ParquetReader([path])

    assert "the folders' day=... are not read as columns" in caplog.text
