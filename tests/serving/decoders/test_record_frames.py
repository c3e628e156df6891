"""recordio-protobuf requests: dense and sparse records, whatever bytes come."""

from __future__ import annotations

import re
import struct

import numpy as np
import pytest

from churn_daal.errors import DecodeError, SchemaError
from churn_daal.serving.decoders import blocks, record_frames
from churn_daal.tabular.record_message import encode_record
from churn_daal.tabular.recordio import frame

from .bodies import NUMBERS, RECORDS, WORDS, decode

NAN = np.nan
DENSE = frame(encode_record(np.float32([1.5, 1, 10])))


def sparse(keys: list[int], values: list[float], size: int = 3) -> bytes:
    """Write a record of some of a row's values."""
    return frame(encode_record(np.float32(values), keys=np.uint64(keys), size=size))


@pytest.mark.parametrize(
    ("body", "rows"),
    [
        (DENSE * 2, [[1.5, 1, 0, 0, 1]] * 2),
        (DENSE + sparse([2, 0], [2.5, 4]), [[1.5, 1, 0, 0, 1], [4, NAN, 0, 1, 0]]),
        (sparse([1], [0]) + DENSE, [[NAN, 0, 0, 0, 0], [1.5, 1, 0, 0, 1]]),
        (frame(b"") + DENSE, [[NAN, NAN, 0, 0, 0], [1.5, 1, 0, 0, 1]]),
        (
            frame(encode_record(np.float64([2, 0, 1]), label={"values": np.float32([1])})),
            [[2, 0, 1, 0, 0]],
        ),
        (frame(encode_record(np.int32([-2, 0, 1]))), [[-2, 0, 1, 0, 0]]),
    ],
)
def test_records(body: bytes, rows: list[list[float]]) -> None:
    """Keys count from 0, what a row lacks is missing, labels are passed over."""
    np.testing.assert_array_equal(decode(RECORDS, body, NUMBERS), rows)


@pytest.mark.parametrize(
    ("body", "error", "message"),
    [
        (b"1,2,3\n", DecodeError, "byte 0: 31 2c 32 2c is not the start of a RecordIO record"),
        (DENSE[:-1], DecodeError, "byte 0: the data ends at byte"),
        (DENSE + struct.pack("<II", 0xCED7230A, 2**29 - 1), DecodeError, "the data ends at byte"),
        (DENSE + frame(b"\xff\xff"), DecodeError, "row 2: the bytes are not a protobuf Record"),
        (DENSE + sparse([7], [1]), DecodeError, "row 2: key 7, but the shape is 3"),
        (DENSE + sparse([1], [7]), SchemaError, "row 2, column 2 ('b'): '7.0' is not a yes or no"),
        (frame(encode_record(np.float32([1, 2]))), SchemaError, "row 1: 2 features, but the model"),
        (sparse([1], [1], 2**40), DecodeError, "row 1: the shape has 1099511627776 features"),
        (
            DENSE + frame(encode_record(np.float32([np.inf, 1, 1]))),
            DecodeError,
            "row 2: a value is",
        ),
    ],
)
def test_broken_records(body: bytes, error: type[Exception], message: str) -> None:
    """Frames by byte, records by row; a huge length costs nothing."""
    with pytest.raises(error, match=re.escape(message)):
        decode(RECORDS, body, NUMBERS)


def test_a_category_of_words_is_refused() -> None:
    """A tensor holds numbers alone."""
    with pytest.raises(SchemaError, match=r"column 2 \('c'\): a category of words"):
        decode(RECORDS, DENSE, WORDS)


def test_a_body_of_many_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows keep their order and their numbers."""
    monkeypatch.setattr(blocks, "_CELLS", 10)
    monkeypatch.setattr(record_frames, "PIECE_BYTES", 100)
    body = b"".join(frame(encode_record(np.float32([k, 1, 10]))) for k in range(40))

    np.testing.assert_array_equal(decode(RECORDS, body, NUMBERS)[:, 0], range(40))
    with pytest.raises(SchemaError, match="row 42, column 2"):
        decode(RECORDS, body + DENSE + sparse([1], [3]), NUMBERS)
