"""Another channel's files are read in the order of the train channel's columns."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from churn_daal.errors import UserError
from churn_daal.tabular.aligned import AlignedReader
from churn_daal.tabular.csv_channel import CsvReader
from churn_daal.tabular.parquet_channel import ParquetReader
from churn_daal.tabular.reading import read_table


def open_csv(folder: Path, name: str, text: str, block_bytes: int = 1 << 20) -> CsvReader:
    """Write and open one file."""
    (folder / name).write_text(text)
    return CsvReader([folder / name], block_bytes=block_bytes)


@pytest.mark.parametrize("block_bytes", [5, 1 << 20])
def test_columns_come_by_name_and_faults_by_place(tmp_path: Path, block_bytes: int) -> None:
    """The positions are the train channel's; a message counts as the file does."""
    train = open_csv(tmp_path, "a.csv", "y,n,s\n0,1,u\n")
    other = open_csv(tmp_path, "b.csv", "s,y,n\n7,1,2\n8,0,3\nx,1,4\n", block_bytes)

    aligned = AlignedReader(other, train)
    table = read_table(aligned, features=(1, 2), keep=(0,))

    assert (aligned.names, aligned.width) == (("y", "n", "s"), 3)
    assert table.kept[0].tolist() == [1, 0, 1]
    numbers, words = table.store.table().columns
    assert numbers.to_pylist() == [2, 3, 4]
    assert [table.columns[2].distinct[code] for code in words.to_pylist()] == ["7", "8", "x"]
    assert str(table.fault("bad", index=2, position=1)) == "b.csv: row 4, column 3 ('n'): bad"


def test_formats_may_differ(tmp_path: Path, write_parquet: Callable[..., ParquetReader]) -> None:
    """What is a category by its type stays one at its new position."""
    train = open_csv(tmp_path, "a.csv", "y,n,s\n0,1,u\n")
    coded = pa.array(["u", "v"]).dictionary_encode()
    other = write_parquet(b={"s": coded, "n": [1.5, 2.0], "y": [1, 0]})

    aligned = AlignedReader(other, train)

    assert aligned.categorical == {2}
    (batch,) = aligned.batches({1, 2}, {2})
    assert batch.columns[2].to_pylist() == ["u", "v"]
    np.testing.assert_array_equal(batch.columns[1], np.float32([1.5, 2.0]))
    assert aligned.source(0).order == (2, 1, 0)
    assert aligned.line(0, 1) == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("y,n\n0,1\n", "b.csv: row 1: the header y, n, but a.csv has the header y, n, s; "),
        ("y,n,z\n0,1,u\n", "b.csv: row 1: the header y, n, z, but a.csv has the header y, n, s; "),
        ("5,1,2\n6,2,3\n", "b.csv: row 1: 3 columns without a header, but a.csv has the header"),
    ],
)
def test_other_columns_are_refused(tmp_path: Path, text: str, message: str) -> None:
    """Both sides are named."""
    train = open_csv(tmp_path, "a.csv", "y,n,s\n0,1,u\n")
    other = open_csv(tmp_path, "b.csv", text)

    with pytest.raises(UserError, match=re.escape(message)):
        AlignedReader(other, train)
