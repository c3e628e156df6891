"""Arrow streams and Parquet files: columns by name, read as training reads Parquet."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date

import numpy as np
import pyarrow as pa
import pytest

from churn_daal.errors import DecodeError, SchemaError
from churn_daal.serving.decoders import arrow_tables, blocks

from .bodies import ARROW, NUMBERS, PARQUET, WORDS, decode, parquet, stream

TABLE = pa.table({"b": [True, None], "y": ["go", "go"], "c": ["v", None], "n": [1.5, None]})
EXPECTED = [[1.5, 0, 1, 0, 1], [np.nan, 0, 0, 0, np.nan]]
BOTH = pytest.mark.parametrize(
    ("kind", "write"), [(ARROW, stream), (PARQUET, parquet)], ids=["arrow", "parquet"]
)
Write = Callable[..., bytes]


def with_column(name: str, values: pa.Array) -> pa.Table:
    """Return the table with another column in the place of one."""
    return TABLE.set_column(TABLE.schema.get_field_index(name), name, values)


@BOTH
@pytest.mark.parametrize("compression", [None, "zstd", "lz4"])
def test_columns_come_by_name(kind: str, write: Write, compression: str | None) -> None:
    """In any order, the label and pandas' row numbers passed over, null missing."""
    indexed = TABLE.append_column("__index_level_0__", pa.array([7, 8]))

    for table in (TABLE, indexed):
        option = {"compression": compression or "none"} if kind == PARQUET else {}
        body = write(table, **option) if option else write(table, compression)
        np.testing.assert_array_equal(decode(kind, body, WORDS), EXPECTED)


@BOTH
@pytest.mark.parametrize(
    "words",
    [
        pa.array(["v", None], pa.large_string()),
        pa.array(["v", None]).dictionary_encode(),
        pa.array([" v ", "NA"]),
    ],
)
def test_texts(kind: str, write: Write, words: pa.Array) -> None:
    """Strings of each type, and pandas' Categorical."""
    np.testing.assert_array_equal(decode(kind, write(with_column("c", words)), WORDS), EXPECTED)


@BOTH
@pytest.mark.parametrize(
    ("numbers", "flags"),
    [
        (pa.array([1.5, np.nan]), pa.array([1, None], pa.int8())),
        (pa.array(["1.5", ""]), pa.array(["yes", ""])),
        (pa.array([1.5, None], pa.float32()), pa.array([1.0, np.nan])),
        (pa.array([1.5, None]).dictionary_encode(), pa.array(["Y", None]).dictionary_encode()),
        (pa.array([1.5, None]).cast(pa.decimal128(10, 3)), pa.array([True, None])),
    ],
)
def test_numbers_and_flags(kind: str, write: Write, numbers: pa.Array, flags: pa.Array) -> None:
    """Each type means what it means in a training file."""
    table = with_column("n", numbers).set_column(0, "b", flags)

    np.testing.assert_array_equal(decode(kind, write(table), WORDS), EXPECTED)


@BOTH
def test_a_category_of_numbers(kind: str, write: Write) -> None:
    """A number is the category a CSV would hold for it."""
    columns = {"b": [True, False, None], "n": pa.nulls(3), "k": [1.0, 2.5, 10.0]}
    expected = [[np.nan, 1, 1, 0, 0], [np.nan, 0, 0, 1, 0], [np.nan, np.nan, 0, 0, 1]]

    np.testing.assert_array_equal(decode(kind, write(pa.table(columns)), NUMBERS), expected)
    texts = pa.table(columns | {"k": ["1.0", "2.5", "10"]})
    np.testing.assert_array_equal(decode(kind, write(texts), NUMBERS), expected)


@BOTH
@pytest.mark.parametrize(
    ("table", "message"),
    [
        (TABLE.drop_columns("n"), "3 names came, 'n' of the model's 3 columns not among them"),
        (TABLE.rename_columns(["bb", "y", "c", "n"]), "unknown name 'bb' (did you mean 'b'?)"),
        (TABLE.rename_columns(["b", "b ", "c", "n"]), "the name 'b' comes twice"),
        (with_column("n", pa.array(["1", "x"])), "row 2, column 4 ('n'): 'x' is not a number"),
        (with_column("n", pa.array([1.0, np.inf])), "row 2, column 4 ('n'): 'inf' is not a num"),
        (with_column("n", pa.array([1.0, 1e39])), "row 2, column 4 ('n'): '1e+39' is beyond"),
        (with_column("n", pa.array([True, None])), "row 1, column 4 ('n'): 'true' is not a num"),
        (with_column("b", pa.array([1, 2])), "row 2, column 1 ('b'): '2' is not a yes or no"),
        (
            with_column("n", pa.array([date(2026, 1, 2)] * 2)),
            "and trees need numbers; send numbers, booleans or text, as in training",
        ),
        (with_column("n", pa.array([[1], [2]])), "column 4 ('n'): the type list<"),
    ],
)
def test_tables_of_another_schema(kind: str, write: Write, table: pa.Table, message: str) -> None:
    """Named by row, column and name, with the remedy."""
    with pytest.raises(SchemaError, match=re.escape(message)):
        decode(kind, write(table), WORDS)


@BOTH
@pytest.mark.parametrize("compression", ["none", "zstd"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.95])
def test_a_body_cut_short(kind: str, write: Write, compression: str, share: float) -> None:
    """It is told apart from one of another schema."""
    body = (
        write(TABLE, compression=compression)
        if kind == PARQUET
        else write(TABLE, None if compression == "none" else compression)
    )

    with pytest.raises(DecodeError, match="cut off or damaged"):
        decode(kind, body[: int(len(body) * share)], WORDS)


@BOTH
def test_other_bytes(kind: str, write: Write) -> None:
    """A CSV, a length of 2**63, the other of the two types, texts that are not UTF-8."""
    other = parquet(TABLE) if kind == ARROW else stream(TABLE)
    for body in (b"1,2,3\n", b"\xff" * 7 + b"\x7f", b"PAR1" * 3, other):
        with pytest.raises(DecodeError, match="cut off or damaged"):
            decode(kind, body, WORDS)
    words = pa.Array.from_buffers(
        pa.string(), 2, [None, pa.py_buffer(np.int32([0, 1, 2])), pa.py_buffer(b"\xff\xfe")]
    )
    with pytest.raises(DecodeError, match="cut off or damaged"):
        decode(kind, write(with_column("c", words)), WORDS)


@BOTH
def test_more_rows_than_bytes_are_refused(kind: str, write: Write) -> None:
    """A few bytes can declare any number of rows of nothing."""
    rows = 3 << 20
    table = pa.table({name: pa.nulls(rows) for name in "bcn"})

    with pytest.raises(DecodeError, match=r"^3,145,728 rows in [0-9,]+ bytes; this server reads"):
        decode(kind, write(table), WORDS)


@BOTH
def test_what_unpacks_to_very_much_is_refused(
    kind: str, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the body declares it, before room is made for it."""
    monkeypatch.setattr(arrow_tables, "_UNPACKED", 1 << 16)
    monkeypatch.setattr(arrow_tables, "_GROWTH", 1)
    rows = 100_000
    table = pa.table({"n": np.zeros(rows), "b": [None] * rows, "c": [None] * rows})

    body = write(
        table, compression="zstd", **({"use_dictionary": False} if kind == PARQUET else {})
    )

    assert len(body) < 1 << 16
    with pytest.raises(DecodeError, match=r"bytes that hold [0-9,]+; this server unpacks 65,536"):
        decode(kind, body, WORDS)


@BOTH
def test_a_body_of_many_blocks(kind: str, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows keep their order and their numbers over batches and blocks."""
    monkeypatch.setattr(blocks, "_CELLS", 50)
    rows = 95
    table = pa.table({"b": [True] * rows, "n": np.arange(rows, dtype=float), "c": ["u"] * rows})
    option = {"row_group_size": 33} if kind == PARQUET else {"rows": 33}

    np.testing.assert_array_equal(decode(kind, write(table, **option), WORDS)[:, 0], range(rows))
    texts = [*map(str, range(70)), "x", *map(str, range(71, rows))]
    bad = table.set_column(1, "n", pa.array(texts))
    with pytest.raises(SchemaError, match=r"row 71, column 2 \('n'\): 'x'"):
        decode(kind, write(bad, **option), WORDS)


def test_no_rows_are_none() -> None:
    """Which is answered 204."""
    for kind, body in ((ARROW, stream(TABLE.slice(0, 0))), (PARQUET, parquet(TABLE.slice(0, 0)))):
        assert decode(kind, body, WORDS).shape == (0, 5)
