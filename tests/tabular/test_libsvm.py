"""libsvm text is read whole, fast, and refused by line."""

from __future__ import annotations

import io
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from churn_daal.errors import DecodeError, UserError
from churn_daal.tabular import libsvm, libsvm_lines, libsvm_tokens
from churn_daal.tabular.sparse_block import SparseBlock

Row = dict[int, float]

values = st.floats(width=32, allow_nan=True, allow_infinity=False)
rows = st.lists(st.dictionaries(st.integers(0, 2**31 - 2), values, max_size=4), max_size=8)
# Pieces that lines are made of, sound and unsound ones.
pieces = st.sampled_from(
    [
        *("1", "0", "-1.5", "1:2", "2:nan", "3:NA", "4:1e-3", "4:1e39", "5:.5", "6:5.", "7:+1"),
        *("qid:3", "qid:", "qid:x", ":", "::", ":5", "1:", "1:2:3", "-1:2", "1.5:2", "8:1e", "a"),
        *("9:1.2.3", "9:--1", "9:1-2", "9:inf", "?", "9:?", "# x", "\n", "\n", "\r\n", "\t", "3:."),
        *("8:1e-0005", "8:123456789012345678901234567890", "8:0.1234567890123456789e-7", "1:0.5"),
        *("2147483647:1", "10:1E+5", "qid:9007199254740993", "0.1234567890123456789:1", "1:-0"),
    ]
)


def parsed(text: str, *, labels: bool = True) -> SparseBlock:
    """Read a text."""
    return libsvm.parse(text.encode(), labels=labels)


def dicts(block: SparseBlock) -> list[Row]:
    """Return each row's entries."""
    assert block.indices is not None
    return [
        dict(zip(block.indices[a:b].tolist(), block.values[a:b].tolist(), strict=True))
        for a, b in zip(block.indptr[:-1], block.indptr[1:], strict=True)
    ]


def fields(block: SparseBlock) -> dict[str, Any]:
    """Return a block as plain lists and dtypes, which compare."""
    return {
        name: None if array is None else (array.dtype, array.astype(str).tolist())
        for name, array in vars(block).items()
        if name != "width"
    }


def test_every_part_of_a_line_is_read() -> None:
    """Label, weight, query, pairs in any order, comments, blank lines, tabs and CRLF."""
    block = parsed("# head\r\n1:0.5 qid:7 3:2.5\t1:-1 # 9:9\r\n\r\n0:2 qid:8\n")

    assert dicts(block) == [{1: -1.0, 3: 2.5}, {}]
    assert block.labels is not None
    assert block.labels.tolist() == [1.0, 0.0]
    assert block.weights is not None
    assert block.weights.tolist() == [0.5, 2.0]
    assert block.groups is not None
    assert block.groups.tolist() == [7, 8]
    assert block.rows.tolist() == [2, 4]
    assert block.indices is not None
    assert block.indices.tolist() == [1, 3]


@pytest.mark.parametrize("word", ["nan", "NaN", "NAN", "NA"])
def test_missing_words_are_nan(word: str) -> None:
    """The missing words of a CSV cell mean the same here."""
    assert math.isnan(dicts(parsed(f"0 1:{word} 2:3\n"))[0][1])


def test_a_request_may_come_with_or_without_labels() -> None:
    """A request's line starts with its pairs; a label in front is passed over."""
    block = parsed("1:2 2:3\n0 1:4\n5\nqid:3 1:1", labels=False)

    assert block.labels is None
    assert block.groups is None
    assert dicts(block) == [{1: 2.0, 2: 3.0}, {1: 4.0}, {}, {1: 1.0}]


@pytest.mark.parametrize("odd", ["", " 3:5.0e0001"], ids=["scan", "walk"])
def test_every_line_of_a_request_is_a_row(odd: str) -> None:
    """An answer lines up with its line: an empty one lacks all features, but not at the end."""
    block = parsed(f"\n1:2{odd}\n\n# nothing\n1:3\n\n \n", labels=False)

    assert [row.get(1) for row in dicts(block)] == [None, 2.0, None, None, 3.0]
    assert block.rows.tolist() == [1, 2, 3, 4, 5]


@given(rows=rows, labels=st.data(), size=st.integers(1, 200))
def test_what_is_written_is_read_back(rows: list[Row], labels: st.DataObject, size: int) -> None:
    """Rows come back bit for bit, whatever the size of a block."""
    y = labels.draw(st.lists(values.filter(math.isfinite), min_size=len(rows), max_size=len(rows)))
    text = "".join(
        f"{label!r} {' '.join(f'{i}:{v!r}' for i, v in row.items())}\n"
        for label, row in zip(y, rows, strict=True)
    )
    blocks = list(libsvm.read_blocks(io.BytesIO(text.encode()), name="a", block_bytes=size))

    read = [row for block in blocks for row in dicts(block)]
    assert str(read) == str([dict(sorted(row.items())) for row in rows])
    assert [label for b in blocks if b.labels is not None for label in b.labels] == y
    assert [line for b in blocks for line in b.rows] == list(range(1, len(rows) + 1))


@given(st.lists(pieces, max_size=12), st.booleans())
def test_the_scan_reads_what_the_walk_reads(parts: list[str], labels: bool) -> None:
    """Where whole-array operations accept a text, they agree with the walk to the last bit."""
    text = (" ".join(parts) + "\n").encode()
    fast = libsvm_tokens.scan(text, 1, labels=labels)
    if fast is not None:
        assert fields(fast) == fields(libsvm_lines.walk(text, 1, labels=labels))


@pytest.mark.parametrize(
    "text",
    [
        "1 1:2 2:3.5\n0 3:nan\n",
        "1:2 1:2\n1:3 2:1e-5 # c\n",
        "1 qid:1 3:4\n\n2 qid:2 1:-1E+5\n",
        "0.12345678901234567 5:0.12345678901234567 4:5.\n",
    ],
)
def test_the_scan_accepts_the_usual_forms(text: str) -> None:
    """The slow walk is for faults and oddities alone."""
    assert libsvm_tokens.scan(text.encode(), 1, labels=True) is not None


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("a 1:2", "the label 'a' is not a number; write `label index:value ...`"),
        ("1,2 1:2", "'1,2' is several labels; write one label a row"),
        ("nan 1:2", "the label is 'nan'; expected a number. Give the row a label or leave it out"),
        ("qid:1 1:2", "the label 'qid' is not a number"),
        ("1:-1 1:2", "the weight '-1' is not a number of 0 or more; write label:weight"),
        ("1 2", "'2' is not index:value; write pairs such as 3:0.5, without blanks around"),
        ("1 2 :3", "'2' is not index:value"),
        ("1 2:", "index 2 has no value; leave out a feature that is missing"),
        ("1 -1:2", "'-1:2': the index '-1' is not a whole number from 0 to 2147483646"),
        ("1 age:2", "'age:2': the index 'age' is not a whole number"),
        (
            "1 2147483647:2",
            "'2147483647:2': the index '2147483647' is not a whole number from 0 to 2147483646",
        ),
        ("1 3:1 2:1 3:2", "index 3 comes twice; give each feature one value a row"),
        ("1 3:inf", "index 3: 'inf' is not a number; write a decimal number such as 12.5, or"),
        ("1 3:1e39", "index 3: '1e39' is beyond float32's range of +-3.403e+38"),
        ("1 3:1.2.3", "index 3: '1.2.3' is not a number"),
        ("1 1:2 qid:3", "'qid:3' comes late; write qid:N once, right after the label"),
        ("1 qid:1.5 1:2", "the query '1.5' is not a whole number of 0 or more; write qid:N"),
        ("1 qid:1", "some rows have `qid:N` and some do not; write it in every row or in none"),
        ("1:1 1:1", "some rows have `label:weight` and some do not"),
        ("1 1:\u0661", "index 1: '\u0661' is not a number"),
    ],
)
@pytest.mark.parametrize("size", [1, 1 << 20])
def test_faults_name_the_file_and_the_line(line: str, reason: str, size: int) -> None:
    """A fault says where it is, what came and the remedy, in this block or a later one."""
    text = f"# comment\n1 1:2\n\n0 2:1\n{line}\n".encode()

    with pytest.raises(UserError) as caught:
        list(libsvm.read_blocks(io.BytesIO(text), name="a.libsvm", block_bytes=size))

    assert str(caught.value).startswith(f"a.libsvm: row 5: {reason}")


def test_a_file_without_lines_is_not_held_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """A binary file taken for libsvm is refused before it fills the memory."""
    monkeypatch.setattr(libsvm, "MAX_LINE", 1 << 20)
    stream = io.BytesIO(b"1" * (3 << 20))

    with pytest.raises(UserError, match=r"^a: a line of more than 1 MB; expected libsvm text"):
        list(libsvm.read_blocks(stream, name="a"))
    assert stream.tell() < 2 << 20


def test_a_byte_order_mark_and_a_missing_last_line_end_do_no_harm() -> None:
    """Editors leave both."""
    [block] = libsvm.read_blocks(io.BytesIO(b"\xef\xbb\xbf1 1:2\n0 1:3"), name="a")

    assert dicts(block) == [{1: 2.0}, {1: 3.0}]


def test_nothing_is_no_row() -> None:
    """Blank lines and comments alone give no block; the caller tells an empty channel."""
    assert list(libsvm.read_blocks(io.BytesIO(b"\n# x\n\n"), name="a")) == []
    assert len(parsed("")) == 0


def test_labels_keep_their_digits() -> None:
    """A label is read as float64, a value as the float32 XGBoost computes in."""
    block = parsed("0.12345678901234567 1:16777217\n")

    assert block.labels is not None
    assert block.labels[0] == 0.12345678901234567
    assert block.values[0] == np.float32(16777217)


def test_a_body_raises_what_serving_answers() -> None:
    """`parse` names the line without a file."""
    with pytest.raises(DecodeError, match=r"^row 2: index 1: 'x' is not a number"):
        parsed("1:1\n1:x\n", labels=False)


def test_a_file_is_read_a_block_at_a_time() -> None:
    """The first block comes before the rest of the file is touched."""
    stream = io.BytesIO(b"1 1:2 2:3\n" * 500_000)
    first = next(libsvm.read_blocks(stream, name="a", block_bytes=1 << 20))

    assert len(first.values) == 2 * len(first)
    assert 100_000 < len(first) < 200_000
    assert stream.tell() < 2 << 20
