"""A body is read whole and within the limit, or refused."""

from __future__ import annotations

import io

import pytest

from churn_daal.errors import PayloadTooLargeError, RequestError
from churn_daal.serving.body import HELD, PIECE, read_body


class Trickle(io.BytesIO):
    """A stream that gives a few bytes at a time, as a socket may."""

    def read(self, size: int | None = -1) -> bytes:
        """Return at most seven bytes."""
        return super().read(7 if size is None or size < 0 else min(size, 7))


class Malformed(io.BytesIO):
    """A stream whose next chunk is none."""

    def read(self, _: int | None = -1) -> bytes:
        """Fail as a server's parser does."""
        raise OSError("zz is no chunk size")


@pytest.mark.parametrize("stream", [io.BytesIO, Trickle])
@pytest.mark.parametrize("length", [20, None])
def test_a_body_up_to_the_limit(stream: type[io.BytesIO], length: int | None) -> None:
    """With a length or in chunks, in one piece or many."""
    body = bytes(range(20))

    assert read_body(stream(body), length=length, terminated=True, limit=20) == body


@pytest.mark.parametrize("stream", [io.BytesIO, Trickle])
@pytest.mark.parametrize("length", [21, None])
def test_a_body_over_the_limit_is_refused(stream: type[io.BytesIO], length: int | None) -> None:
    """A chunked one as well, which has no length to look at first; both are read to the end."""
    source = stream(bytes(21))

    with pytest.raises(PayloadTooLargeError, match="over the limit of 20 bytes; send fewer rows"):
        read_body(source, length=length, terminated=True, limit=20)
    assert source.tell() == 21


def test_a_refused_body_is_drained() -> None:
    """So that a client still sending sees the answer."""
    source = io.BytesIO(bytes(PIECE * 3 + 5))

    with pytest.raises(PayloadTooLargeError, match="has 196,613 bytes"):
        read_body(source, length=PIECE * 3 + 5, terminated=True, limit=20)
    assert source.tell() == PIECE * 3 + 5


def test_a_short_body_is_refused() -> None:
    """A row cut in two is not answered as another row."""
    with pytest.raises(RequestError, match="ends after 3 bytes of a Content-Length of 5") as caught:
        read_body(io.BytesIO(b"1,2"), length=5, terminated=True, limit=20)
    assert caught.value.status == 400


def test_a_malformed_body_is_refused() -> None:
    """The client's fault, not the server's."""
    with pytest.raises(RequestError, match="it stalled, or its chunks are malformed"):
        read_body(Malformed(), length=None, terminated=True, limit=20)


def test_no_length_and_no_end_is_no_body() -> None:
    """Reading on would wait for ever on a server that does not end the stream."""
    assert read_body(io.BytesIO(b"abc"), length=None, terminated=False, limit=20) == b""


@pytest.mark.parametrize("extra", [0, 1, HELD + 5])
@pytest.mark.parametrize("known", [True, False])
def test_a_large_body_is_read_by_way_of_the_disk(extra: int, known: bool) -> None:
    """Its bytes are the same on either side of what is held in memory."""
    body = bytes(range(256)) * ((HELD >> 8) - 1) + bytes(256 + extra)

    read = read_body(
        io.BytesIO(body), length=len(body) if known else None, terminated=True, limit=3 * HELD
    )

    assert read == body
