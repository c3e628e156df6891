"""A table is the same however its files are cut into blocks."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from churn_daal.errors import UserError
from churn_daal.tabular.columns import NumberColumn, TextColumn
from churn_daal.tabular.csv_channel import CsvReader
from churn_daal.tabular.reading import read_table

ONE_BLOCK = 1 << 20


def open_csv(folder: Path, *texts: str, **options: int) -> CsvReader:
    """Write files without a header and open them."""
    files = [folder / f"{number}.csv" for number in range(len(texts))]
    for path, text in zip(files, texts, strict=True):
        path.write_text(text, encoding="utf-8")
    return CsvReader(files, header="absent", **options)


@pytest.mark.parametrize("threads", [1, 3])
def test_a_column_that_turns_to_text_is_read_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, threads: int
) -> None:
    """How a number was written is not kept, and 007 is a category like no other."""
    caplog.set_level(logging.INFO)
    text = "".join(f"{row},{row % 3:03}\n" for row in range(50)) + "50,x\n51,2\n"
    small = open_csv(tmp_path, text, block_bytes=40, threads=threads)

    table = read_table(small, features=(1,), keep=(0,))

    assert isinstance(table.columns[0], NumberColumn)
    column = table.columns[1]
    assert isinstance(column, TextColumn)
    assert column.distinct == ["000", "001", "002", "x", "2"]
    assert column.counts.tolist() == [17, 17, 16, 1, 1]
    assert column.first.tolist() == [0, 1, 2, 50, 51]
    assert table.rows == 52
    assert caplog.text.count("column 1 holds text below its first rows; reading again") == 1


def test_columns_that_turn_at_different_rows_are_read_again_together(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Remarks that are mostly empty are common, and a pass for each would take hours."""
    caplog.set_level(logging.INFO)
    text = "".join(f"{row},{'x' * (row == 9)},{'y' * (row == 5)},1\n" for row in range(20))

    table = read_table(open_csv(tmp_path, text, block_bytes=8), features=(1, 2, 3), keep=(0,))

    assert [table.columns[p].distinct for p in (1, 2)] == [["", "x"], ["", "y"]]
    assert isinstance(table.columns[3], NumberColumn)
    assert caplog.text.count("column 1, 2 holds text below its first rows; reading again") == 1


CELL = st.one_of(
    st.sampled_from(["1", "2.5", "-3e2", "", "NA", "+4", "007", "x", "y z", "yes", "no", "1e39"]),
    st.sampled_from(["1", "2", "3"]),
)
ROW = st.lists(CELL, min_size=3, max_size=3)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    files=st.lists(st.lists(ROW, min_size=1, max_size=12), min_size=1, max_size=2),
    block=st.integers(1, 60),
    threads=st.integers(1, 3),
)
def test_blocks_of_any_size_give_the_same(
    tmp_path: Path,
    learn: Callable[..., Any],
    files: list[list[list[str]]],
    block: int,
    threads: int,
) -> None:
    """The same schema, rows and labels, or the same message about the same row."""
    texts = ["".join(",".join(["0", *row]) + "\n" for row in rows) for rows in files]

    def result(**options: int) -> tuple[str, Any]:
        try:
            learned = learn(open_csv(tmp_path, *texts, **options))
        except UserError as error:
            return str(error), np.zeros(0)
        return repr((learned.schema, learned.labels)), learned.matrix

    expected, actual = result(block_bytes=ONE_BLOCK), result(block_bytes=block, threads=threads)

    assert actual[0] == expected[0]
    np.testing.assert_array_equal(actual[1], expected[1])


@pytest.mark.parametrize("budget", [None, 1])
def test_a_budget_changes_nothing_but_the_place(
    tmp_path: Path, learn: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, budget: int | None
) -> None:
    """Also where a column turns to text when rows have gone to the disk already."""
    monkeypatch.setattr("churn_daal.tabular.store._CELLS", 8)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    words = ["w", "v"] * 10
    rows = [f"{k % 2},{k},{k if k < 9 else words[k % 20]}\n" for k in range(40)]

    learned = learn(open_csv(tmp_path, "".join(rows), block_bytes=20), budget=budget)

    assert learned.schema.columns[0].kind == "number"
    assert learned.schema.columns[1].categories == tuple(sorted({*map(str, range(9)), "w", "v"}))
    np.testing.assert_array_equal(learned.matrix[:, 0], np.arange(40, dtype=np.float32))
    assert learned.matrix[:, 1:].sum() == 40
    assert not list(tmp_path.glob("churn-daal-*"))


@pytest.mark.parametrize("block", [4, ONE_BLOCK])
def test_a_column_that_must_hold_numbers_names_its_fault(tmp_path: Path, block: int) -> None:
    """By file and row, in the block where it stands."""
    reader = open_csv(tmp_path, "1,2\n3,4\n", "5,6\n7,x\n", block_bytes=block)
    message = "1.csv: row 2, column 2: 'x' is not a number"

    with pytest.raises(UserError, match=re.escape(message)):
        read_table(reader, features=(0,), keep=(1,), numbers={1})


def test_columns_are_read_as_asked(tmp_path: Path) -> None:
    """As texts whatever they hold; columns that are not wanted are not there."""
    reader = open_csv(tmp_path, "1,2,3\n01,x,4\n")

    table = read_table(reader, features=(2,), keep=(0,), text={0, 2})

    assert table.columns.keys() == {0, 2}
    assert [table.cell(0, index) for index in (0, 1)] == ["1", "01"]
    assert isinstance(table.columns[2], TextColumn)
    assert table.numbers(0) is None
    assert table.rows_of == (2,)


@pytest.mark.parametrize("threads", [1, 3])
def test_numbers_that_were_read_ahead_are_read_again(tmp_path: Path, threads: int) -> None:
    """A first block of the header alone tells nothing, so blocks behind it may come as numbers."""
    path = tmp_path / "t.csv"
    path.write_text("label,a_long_name_of_the_column\n" + "1,red\n" * 3 + "0,1.50\n" * 9)
    reader = CsvReader([path], header="present", threads=threads, block_bytes=18)

    table = read_table(reader, features=(), keep=(1,))

    assert [table.cell(1, row) for row in range(12)] == ["red"] * 3 + ["1.50"] * 9
