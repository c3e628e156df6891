"""JSON Lines gives what the same data in CSV gives, and every fault names its file and row."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from churn_daal.errors import UserError
from churn_daal.tabular.csv_channel import CsvReader
from churn_daal.tabular.jsonlines_channel import JsonLinesReader
from churn_daal.tabular.reading import read_table

ROWS = [
    {"y": "no", "n": 1, "x": 0.1, "s": "a", "b": True},
    {"y": "yes", "n": 2, "x": None, "b": None},
    {"b": False, "y": "no", "x": 1e-7, "s": "NA"},
    {"y": "yes", "n": 18446744073709551615, "x": "2.5", "s": "b", "b": True},
]
CSV = (
    "y,n,x,s,b\nno,1,0.1,a,true\nyes,2,,,\nno,,1e-7,NA,false\nyes,18446744073709551615,2.5,b,true\n"
)


def write(folder: Path, **files: str | list[Any]) -> list[Path]:
    """Write files of texts or of rows, and return them sorted."""
    for name, rows in files.items():
        text = rows if isinstance(rows, str) else "".join(json.dumps(row) + "\n" for row in rows)
        (folder / f"{name}.jsonl").write_text(text, encoding="utf-8")
    return sorted(folder.glob("*.jsonl"))


def read(files: list[Path], **options: object) -> None:
    """Read every column."""
    reader = JsonLinesReader(files, **options)
    read_table(reader, features=range(1, reader.width), keep=(0,))


@pytest.mark.parametrize("kind", ["record", "list"])
@pytest.mark.parametrize("block_bytes", [1, 100, 1 << 20])
def test_the_same_data_as_csv_gives_the_same_schema_and_matrix(
    tmp_path: Path, learn: Callable[..., Any], kind: str, block_bytes: int
) -> None:
    """Numbers, null, absent keys, texts, booleans, a number in quotes; in blocks of any size."""
    header = CSV.partition("\n")[0].split(",")
    rows = [[row.get(name) for name in header] for row in ROWS]
    files = write(tmp_path, t=ROWS if kind == "record" else rows)
    csv = CSV if kind == "record" else CSV.partition("\n")[2]
    (tmp_path / "t.csv").write_text(csv)

    ours = learn(JsonLinesReader(files, block_bytes=block_bytes))

    theirs = learn(CsvReader([tmp_path / "t.csv"], header="auto" if kind == "record" else "absent"))
    assert ours.schema == theirs.schema
    assert ours.labels == theirs.labels
    np.testing.assert_array_equal(ours.matrix, theirs.matrix)


def test_features_and_label_are_sagemakers_dense_rows(
    tmp_path: Path, learn: Callable[..., Any]
) -> None:
    """The label comes first whatever the order of the keys; the features are f0, f1, ..."""
    rows = [{"features": [1.5, "a"], "label": 0}, {"label": 1.0, "features": [None, "b"]}]

    learned = learn(JsonLinesReader(write(tmp_path, t=rows)))

    assert learned.schema.names == ("f0", "f1")
    assert learned.labels == ["0", "1.0"]
    np.testing.assert_array_equal(learned.matrix[:, 0], np.float32([1.5, np.nan]))


def test_numbers_and_words_in_a_column_are_categories(
    tmp_path: Path, learn: Callable[..., Any]
) -> None:
    """A number as a CSV would hold it, also where the words come in a later file."""
    rows = [{"y": k % 2, "c": c} for k, c in enumerate([415, "x", 1.5, "y", "x", True])]

    learned = learn(JsonLinesReader(write(tmp_path, a=rows[:1], b=rows[1:])))

    assert learned.schema.columns[0].categories == ("1.5", "415", "true", "x", "y")


def test_the_names_are_all_of_the_first_block_in_order(tmp_path: Path) -> None:
    """A key the first record leaves out is a column too; another channel's names are taken."""
    files = write(tmp_path, t=[{"y": 1, "b": 2}, {"a": 3, "y": 0}])

    assert JsonLinesReader(files).names == ("y", "b", "a")
    assert JsonLinesReader(files, known=("a", "b", "c", "y")).names == ("a", "b", "c", "y")


def test_rows_are_counted_as_lines(tmp_path: Path) -> None:
    """Empty lines and the file's end without a line break do not matter."""
    text = '\n{"y": 1, "a": 2}\r\n\n  \n{"y": 0, "a": 3}\n{"y": 1, "a": 4}'
    reader = JsonLinesReader(write(tmp_path, t=text), block_bytes=8)

    table = read_table(reader, features=(1,), keep=(0,))

    assert table.rows == 3
    assert [reader.line(0, index) for index in range(3)] == [2, 5, 6]
    assert str(table.fault("bad", index=1, position=1)) == "t.jsonl: row 5, column 2 ('a'): bad"


def test_a_compressed_file_is_read(tmp_path: Path) -> None:
    """By its first bytes, whatever its name."""
    (path,) = write(tmp_path, t=ROWS)
    path.write_bytes(gzip.compress(path.read_bytes()))

    assert JsonLinesReader([path]).width == 5


GOOD = '{"y": 1, "a": 2}\n'
FAULTS = [
    (
        GOOD + '\n{"y": 0, "z": 3}\n',
        (
            "t.jsonl: row 3: the key 'z' is not one of the columns (y, a), which the first "
            "records of the train channel name; name every column in its first record, null where "
            "it is missing, or take the key out"
        ),
    ),
    (
        GOOD + '{"y": 0, "a": {"b": 1}}\n',
        (
            "t.jsonl: row 2, 'a': an object, but a cell is a number, a text, true, false or null; "
            "write its parts as values of their own, or list the column in drop_columns"
        ),
    ),
    (GOOD + '{"y": 0, "a": [1]}\n', "t.jsonl: row 2, 'a': a list, but a cell is a number,"),
    (
        GOOD + '{"y": 0, "a": NaN}\n',
        (
            "t.jsonl: row 2: unexpected character, expected a JSON value, at character 15; write "
            "one whole record on each line (in pandas, to_json with orient='records' and "
            "lines=True), and null for missing"
        ),
    ),
    ('{\n  "y": 1\n}\n', "t.jsonl: row 1: unexpected end of data"),
    (
        '[{"y": 1}, {"y": 2}]\n',
        (
            "t.jsonl: row 1: a list of rows, but JSON Lines has one row a line; take the outer "
            "list away (in pandas, to_json with orient='records' and lines=True)"
        ),
    ),
    (
        "[1, 2]\n[1]\n",
        "t.jsonl: row 2: 1 values, but the first row has 2; write null for a missing one",
    ),
    (
        '{"label": 1, "features": [1]}\n{"label": 1, "features": [1, 2]}\n',
        "t.jsonl: row 2: 2 values, but the first row has 1; write null for a missing one",
    ),
    ("[1, 2]\n[1, [2]]\n", "t.jsonl: row 2, column 2: a list, but a cell is a number,"),
    (
        GOOD + "[1, 2]\n",
        (
            "t.jsonl: row 2: [1,2] where a record was expected; write every line alike: a "
            "record, a list of values, or both label and features"
        ),
    ),
    ("[1, 2]\n" + GOOD, 't.jsonl: row 2: {"y":1,"a":2} where a list of values was expected;'),
    ("5\n", "t.jsonl: row 1: 5 where a list of values was expected;"),
    ("\n \n", "t.jsonl: only empty lines; expected a record a line"),
    ('{"y": 1, "a": 1e999}\n', "t.jsonl: row 1: number is infinity when parsed as double"),
]


@pytest.mark.parametrize(("text", "message"), FAULTS)
def test_a_broken_line_is_named(tmp_path: Path, text: str, message: str) -> None:
    """By file, row and key, and with what to do."""
    with pytest.raises(UserError, match=re.escape(message)):
        read(write(tmp_path, t=text), block_bytes=8)


@pytest.mark.parametrize("text", [fault[0] for fault in FAULTS[:5]])
def test_the_row_is_the_same_in_blocks_of_any_size(tmp_path: Path, text: str) -> None:
    """A line is counted from the file's start, not from its block's."""
    files = write(tmp_path, t=text)
    faults = []
    for size in (1, 20, 1 << 20):
        with pytest.raises(UserError) as fault:
            read(files, block_bytes=size, known=("y", "a"))
        faults.append(str(fault.value))

    assert len(set(faults)) == 1


def test_a_number_beyond_float32_is_named(tmp_path: Path) -> None:
    """As in CSV: it would be infinite."""
    files = write(tmp_path, t=[{"y": 1, "a": 1.5}, {"y": 0, "a": 1e39}])

    with pytest.raises(UserError, match=r"^t.jsonl: row 2, column 2 \('a'\): '1e\+39' is beyond"):
        read_table(JsonLinesReader(files), features=(1,), keep=(0,), numbers={1})


def test_a_dropped_column_may_hold_anything(tmp_path: Path, learn: Callable[..., Any]) -> None:
    """Lists and objects are refused in columns that are used."""
    rows = [{"y": k, "a": k, "list": [1, {"b": 2}]} for k in (0, 1)]

    assert learn(JsonLinesReader(write(tmp_path, t=rows)), drop_columns=("list",)).schema.width == 1
