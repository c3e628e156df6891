"""A body on a disk that fills up: refused, and let go of without another fault."""

from __future__ import annotations

import contextlib
import resource
from collections.abc import Iterator

import pytest

from churn_daal.errors import NoRoomError
from churn_daal.serving.body import HELD
from churn_daal.serving.http.arrival import Arrival


@contextlib.contextmanager
def room(size: int) -> Iterator[None]:
    """Let no file of this process grow beyond a size: its writes fail as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("size", [1000, 65_000])
@pytest.mark.parametrize("fits", [HELD // 2, HELD + 200_000, HELD + 200_100])
def test_a_disk_that_fills_up(size: int, fits: int) -> None:
    """While the body comes, whichever write it is that fails, and whatever the file holds back."""
    body = Arrival(2 * HELD, None)
    with room(fits):
        for _ in range((HELD + 400_000) // size):
            body.add(b"x" * size)
        with pytest.raises(NoRoomError, match="cannot be kept on the local disk"):
            body.whole()
        body.close()


def test_a_disk_that_is_full_at_the_last_byte() -> None:
    """It shows when the file is mapped."""
    body = Arrival(2 * HELD, None)
    body.add(b"x" * HELD)
    body.add(b"x" * 100)
    body.add(b"x" * 100)
    with room(HELD):
        with pytest.raises(NoRoomError, match="cannot be kept on the local disk"):
            body.whole()
        body.close()
