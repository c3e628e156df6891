"""RecordIO frames are told apart, and refused by the byte."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from churn_daal.errors import UserError
from churn_daal.tabular.recordio import frame, read_records, unwrap

MAGIC = bytes.fromhex("0a23d7ce")


class Trickle(io.BytesIO):
    """A stream that gives a few bytes at a time, as a pipe may."""

    def read(self, size: int | None = -1, /) -> bytes:
        """Return up to three bytes."""
        return super().read(min(3, size) if size and size > 0 else 3)


def part(kind: int, payload: bytes) -> bytes:
    """Return a frame of any kind, built by hand."""
    word = kind << 29 | len(payload)
    return MAGIC + word.to_bytes(4, "little") + payload + b"\0" * (-len(payload) % 4)


def read(data: bytes) -> list[bytes]:
    """Read all records."""
    return list(read_records(io.BytesIO(data), name="a.rec"))


def test_a_frame_is_what_the_format_says() -> None:
    """Magic number, length, payload, padding to four bytes."""
    assert frame(b"abcde") == bytes.fromhex("0a23d7ce 05000000 6162636465 000000")


@given(st.lists(st.binary(max_size=20)))
def test_records_are_read_back(payloads: list[bytes]) -> None:
    """Whatever they hold, the magic number too, and however the stream comes."""
    payloads += [MAGIC, b""]
    data = b"".join(map(frame, payloads))

    assert read(data) == payloads
    assert list(read_records(Trickle(data), name="a")) == payloads


def test_a_record_in_parts_is_joined() -> None:
    """Writers that split a payload at the magic number leave it out."""
    data = frame(b"one") + part(1, b"ab") + part(2, b"") + part(3, b"cd") + frame(b"two")

    assert read(data) == [b"one", b"ab" + MAGIC + MAGIC + b"cd", b"two"]


def test_a_large_record_comes_in_pieces() -> None:
    """No piece is larger than a megabyte."""
    payload = bytes(range(256)) * 10_000
    pieces = list(unwrap(io.BytesIO(frame(payload)), name="a"))

    assert b"".join(piece for piece, _ in pieces) == payload
    assert max(len(piece) for piece, _ in pieces) <= 1 << 20
    assert [ends for _, ends in pieces] == [False, False, True]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"1,2,3\n", "byte 0: 31 2c 32 2c is not the start of a RecordIO record, 0a 23 d7 ce; set"),
        (frame(b"abcd") + b"PAR1", "byte 12: 50 41 52 31 is not the start of a RecordIO record"),
        (frame(b"ab") + MAGIC + b"\1", "byte 12: the data ends at byte 17, within the record that"),
        (frame(b"abcd")[:-1], "byte 0: the data ends at byte 11, within the record that starts"),
        (frame(b"abc")[:-1], "byte 0: the data ends at byte 11, within the record that starts"),
        (part(1, b"a"), "byte 12: the data ends within a record of several frames; it is cut"),
        (part(2, b"a"), "byte 0: a frame of kind 2 after one of kind 0; the parts of a record are"),
        (part(1, b"a") + frame(b"b"), "byte 12: a frame of kind 0 after one of kind 1; the parts"),
        (part(5, b""), "byte 0: a frame of kind 5; expected 0 to 3. The data is damaged"),
    ],
)
def test_faults_name_the_byte(data: bytes, reason: str) -> None:
    """Foreign bytes, a file cut short and frames out of order are told where they are."""
    with pytest.raises(UserError) as caught:
        read(data)

    assert str(caught.value).startswith(f"a.rec: {reason}")


def test_a_payload_too_large_for_a_frame_is_refused() -> None:
    """The length has 29 bits."""

    class Large(bytes):
        def __len__(self) -> int:
            return 1 << 29

    with pytest.raises(ValueError, match="do not fit a frame of 536870912"):
        frame(Large())
