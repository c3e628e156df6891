"""A large answer goes by way of the disk, and is the same body."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from flask.testing import FlaskClient

from churn_daal.artifact import Model
from churn_daal.errors import NoRoomError
from churn_daal.serving import spool
from churn_daal.serving.app import create_app
from churn_daal.serving.invocation import ModelService
from churn_daal.serving.spool import SENT, sent, spooled
from churn_daal.settings import ServeSettings

from .http.test_arrival import room
from .test_app import ROW, post


@pytest.mark.parametrize("pieces", [[], [b"ab"], [b"a", b"", b"b"]])
def test_a_small_body_stays_in_memory(pieces: list[bytes]) -> None:
    """In one piece, whatever it came in."""
    assert spooled(pieces) == b"".join(pieces)
    assert isinstance(spooled(pieces), bytes)


def test_a_large_body_is_mapped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the same bytes, and sent in pieces that make it whole again."""
    monkeypatch.setattr(spool, "HELD", 10)
    whole = bytes(range(256)) * (SENT // 256) + b"end"
    pieces = [whole[:7], whole[7:14], whole[14:]]

    body = spooled(pieces)

    assert isinstance(body, memoryview)
    assert body == whole
    assert [len(piece) for piece in sent(body)] == [SENT, 3]
    assert b"".join(sent(body)) == whole


def test_no_room_for_an_answer_is_507(monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder is named."""
    monkeypatch.setattr(spool, "HELD", 1)
    monkeypatch.setattr(tempfile, "tempdir", "/nowhere at all")

    with pytest.raises(NoRoomError, match=r"the answer cannot be kept .*/nowhere at all") as caught:
        spooled([b"ab", b"cd"])
    assert caught.value.status == 507


def test_a_fault_of_a_later_piece_is_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """And not the disk's, even where it is an OSError."""
    monkeypatch.setattr(spool, "HELD", 1)

    def pieces() -> Iterator[bytes]:
        yield b"abc"
        raise OSError("of its own")

    with pytest.raises(OSError, match="of its own"):
        spooled(pieces())


def test_a_mapped_answer_is_whole(monkeypatch: pytest.MonkeyPatch, churn: Model) -> None:
    """With its length, a line a row."""
    app = create_app(ModelService(churn), ServeSettings(Path("unused")))
    client: FlaskClient = app.test_client()
    expected = post(client, f"{ROW}\n" * 500).data
    monkeypatch.setattr(spool, "HELD", 100)

    response = post(client, f"{ROW}\n" * 500)

    assert response.data == expected
    assert response.content_length == len(expected)
    assert len(np.array(response.data.split(), dtype=np.float32)) == 500


def test_a_disk_that_fills_up_is_507() -> None:
    """Whatever the file still holds back."""
    pieces = [b"x" * 1000] * (2 * spool.HELD // 1000)
    with room(spool.HELD + 300_100), pytest.raises(NoRoomError, match="the answer cannot be kept"):
        spooled(pieces)
