"""SageMaker's Record messages become rows, whatever numbers they hold."""

from __future__ import annotations

import io
import struct
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from churn_daal.errors import UserError
from churn_daal.tabular import record_protobuf
from churn_daal.tabular.record_message import encode_record, read_record
from churn_daal.tabular.recordio import frame
from churn_daal.tabular.sparse_block import SparseBlock

F32, F64, I32, OPAQUE = 2, 3, 7, 9
# features {"values": float32_tensor [1.5, -2]}, label {"values": float32_tensor [1]}, by hand.
BY_HAND = bytes.fromhex(
    "0a 16  0a 06 76616c756573  12 0c  12 0a  0a 08 0000c03f 000000c0"
    "12 12  0a 06 76616c756573  12 08  12 06  0a 04 0000803f"
)


def varint(value: int) -> bytes:
    """Encode a varint, apart from the module's own."""
    value %= 2**64
    head = [value >> shift & 0x7F | 0x80 for shift in range(0, 63, 7) if value >> shift + 7]
    return bytes([*head, value >> 7 * len(head)])


def field(number: int, content: bytes, wire: int = 2) -> bytes:
    """Encode a field."""
    size = varint(len(content)) if wire == 2 else b""
    return varint(number << 3 | wire) + size + content


def tensor(
    kind: int, values: Sequence[float], keys: Sequence[int] = (), shape: Sequence[int] = ()
) -> bytes:
    """Encode a Value."""
    packed = {
        F32: lambda: struct.pack(f"<{len(values)}f", *values),
        F64: lambda: struct.pack(f"<{len(values)}d", *values),
        I32: lambda: b"".join(varint(int(value)) for value in values),
        OPAQUE: lambda: b"jpeg",
    }[kind]()
    content = field(1, packed) if values or kind == OPAQUE else b""
    for number, numbers in ((2, keys), (3, shape)):
        content += field(number, b"".join(map(varint, numbers))) if numbers else b""
    return field(kind, content)


def entry(number: int, value: bytes, name: str = "values") -> bytes:
    """Encode an entry of features (1) or label (2)."""
    return field(number, field(1, name.encode()) + field(2, value))


def record(value: bytes, label: bytes | None = None, tail: bytes = b"") -> bytes:
    """Encode a record with a label of 1 unless told otherwise."""
    return entry(1, value) + entry(2, tensor(F32, [1.0]) if label is None else label) + tail


def read(*records: bytes, labels: bool = True, block_bytes: int = 1 << 20) -> list[SparseBlock]:
    """Read records out of a file."""
    stream = io.BytesIO(b"".join(map(frame, records)))
    return list(
        record_protobuf.read_blocks(stream, name="a.pb", labels=labels, block_bytes=block_bytes)
    )


def test_bytes_made_by_hand_are_read_and_written() -> None:
    """The message is the one that is documented, byte by byte."""
    [block] = read(BY_HAND)

    assert block.values.tolist() == [1.5, -2.0]
    assert block.labels is not None
    assert block.labels.tolist() == [1.0]
    features, label = np.array([1.5, -2], np.float32), {"values": np.ones(1, np.float32)}
    assert encode_record(features, label=label) == BY_HAND


@pytest.mark.parametrize("label", [F32, F64, I32])
@pytest.mark.parametrize("kind", [F32, F64, I32])
def test_every_kind_of_number_is_read(kind: int, label: int) -> None:
    """float32, float64 and int32, negative ones too, as features and as labels, dense or not."""
    rows = [
        record(tensor(kind, [1, -2, 300]), tensor(label, [-7])),
        record(tensor(kind, [5], [2], [3]), tensor(label, [200])),
    ]
    [dense], [both] = read(rows[0], rows[0]), read(*rows)

    assert dense.indices is None
    assert dense.dense(3).tolist() == [[1, -2, 300]] * 2
    assert np.array_equal(both.dense(3), [[1, -2, 300], [np.nan, np.nan, 5]], equal_nan=True)
    assert both.labels is not None
    assert both.labels.tolist() == [-7, 200]


def test_kinds_may_differ_between_records() -> None:
    """Each record is read by its own kind."""
    kinds = [F64, I32, F32, I32]
    [block] = read(*(record(tensor(kind, [n, n + 1])) for n, kind in enumerate(kinds)))

    assert block.dense(2).tolist() == [[0, 1], [1, 2], [2, 3], [3, 4]]


def test_empty_features_are_all_missing() -> None:
    """A row without values, without a tensor or without features has none."""
    rows = [
        *(record(tensor(F32, [], shape=[2])), record(tensor(F32, [])), record(b"")),
        *(entry(2, tensor(F32, [1.0])), record(tensor(F32, [4.0, 5.0]))),
    ]
    [block] = read(*rows)

    assert len(block) == 5
    assert np.isnan(block.dense(2)[:4]).all()
    assert block.dense(2)[4].tolist() == [4, 5]
    assert block.span() == (0, 1)


def test_numbers_need_not_be_packed() -> None:
    """A parser has to take both forms, and a packed field in several parts."""
    value = struct.pack("<f", 2.5)
    parts = field(1, value, 5) * 2 + field(2, varint(300), 0) + field(2, varint(4))
    [block] = read(record(field(F32, parts + field(3, varint(301), 0))))

    assert block.indices is not None
    assert block.indices.tolist() == [4, 300]
    assert block.values.tolist() == [2.5, 2.5]


def test_unknown_fields_and_texts_are_passed_over() -> None:
    """uid, metadata and what a later version may add say nothing about a row."""
    tail = field(3, b"id-1") + field(4, b"{}") + field(99, b"\0" * 8, 1)
    [block] = read(record(tensor(F32, [1.0])), record(tensor(F32, [2.0]), tail=tail))

    assert block.values.tolist() == [1.0, 2.0]


def test_a_request_needs_no_label() -> None:
    """Labels are passed over where they are not asked for, sound or not."""
    rows = [entry(1, tensor(F32, [1.0])), record(tensor(F32, [2.0]), tensor(F32, [1.0, 2.0]))]
    [block] = read(*rows, labels=False)

    assert block.labels is None
    assert block.values.tolist() == [1.0, 2.0]


numbers = st.floats(width=32, allow_infinity=False)


@given(
    table=st.lists(st.lists(numbers, min_size=3, max_size=3), min_size=1, max_size=6),
    sparse=st.booleans(),
    size=st.integers(1, 200),
)
def test_what_is_written_is_read_back(table: list[list[float]], sparse: bool, size: int) -> None:
    """Rows come back bit for bit, whatever the size of a block."""
    X = np.array(table, dtype=np.float32)
    kept = [np.flatnonzero(row != 0) if sparse else np.arange(3) for row in X]
    records = [
        encode_record(
            row[keys],
            keys=keys.astype(np.uint64) if sparse else None,
            size=3,
            label={"values": np.array([number], np.int32)},
        )
        for number, (row, keys) in enumerate(zip(X, kept, strict=True))
    ]
    blocks = read(*records, block_bytes=size)

    expected = np.where(X != 0, X, np.nan) if sparse else X
    assert np.array_equal(np.vstack([b.dense(3) for b in blocks]), expected, equal_nan=True)
    assert [label for b in blocks for label in b.labels] == list(range(len(X)))
    assert [row for b in blocks for row in b.rows] == list(range(1, len(X) + 1))


GOOD = record(tensor(F32, [1.0, 2.0]))


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (
            GOOD[:-1],
            "the bytes are not a protobuf Record of SageMaker's (package aialgs.data); set",
        ),
        (b"1,2,3\n", "the bytes are not a protobuf Record"),
        (record(field(F32, field(1, b"\0" * 7))), "the bytes are not a protobuf Record"),
        (record(tensor(OPAQUE, [])), "a tensor of bytes; expected numbers. Write float32_tensor"),
        (entry(1, tensor(F32, [1]), "age"), "features has the key(s) 'age'; expected 'values'."),
        (record(tensor(F32, [1], [0])), "keys but no shape; write the number of features as the"),
        (
            record(tensor(F32, [1, 2], [0], [2])),
            "1 keys for 2 values; write one key for each value",
        ),
        (
            record(tensor(F32, [1], [2], [2])),
            "key 2, but the shape is 2; count the keys from 0, or",
        ),
        (
            record(tensor(F32, [1, 2], [1, 1], [2])),
            "a key comes twice; give each feature one value",
        ),
        (
            record(tensor(F32, [1], shape=[2])),
            "1 values, but the shape has 2; write as many values",
        ),
        (record(tensor(F32, [1, 2, 3])), "3 features, but the records before have 2; write every"),
        (record(tensor(F32, [1], [0], [2**40])), "the shape has 1099511627776 features; XGBoost"),
        (record(tensor(F64, [1e39, 0])), "a value is infinite or beyond float32's range; write a"),
        (record(tensor(F32, [1, float("inf")])), "a value is infinite or beyond float32's range"),
        (entry(1, tensor(F32, [1, 2])), "no label; expected one. Write label['values'] with one"),
        (record(tensor(F32, [1, 2]), tensor(F32, [])), "no label; expected one."),
        (record(tensor(F32, [1, 2]), tensor(F32, [1, 2])), "2 labels; expected one."),
        (record(tensor(F32, [1, 2]), tensor(F32, [float("nan")])), "the label is nan; expected a"),
        (
            record(field(I32, field(1, b"\x80"))),
            "a number's bytes are damaged; write it anew",
        ),
    ],
)
@pytest.mark.parametrize("size", [1, 1 << 20])
def test_faults_name_the_file_and_the_record(bad: bytes, reason: str, size: int) -> None:
    """A fault says where it is, what came and the remedy, in this block or a later one."""
    with pytest.raises(UserError) as caught:
        read(GOOD, GOOD, bad, block_bytes=size)

    assert str(caught.value).startswith(f"a.pb: row 3: {reason}")


@given(st.binary(max_size=40))
def test_no_bytes_crash_the_reader(data: bytes) -> None:
    """Whatever lies in a frame is a row or a fault that is named."""
    reason = ""
    try:
        blocks = read(data, BY_HAND[: len(data)] + data)
    except UserError as error:
        blocks, reason = [], str(error)

    assert sum(map(len, blocks)) == 2 or reason.startswith("a.pb: row ")


def test_a_record_of_labels_alone_can_be_written() -> None:
    """Answers are records without features."""
    scores = {"score": np.array([0.5], np.float32)}

    assert encode_record(label=scores) == entry(2, tensor(F32, [0.5]), "score")
    assert read_record(b"") == (None, None)
