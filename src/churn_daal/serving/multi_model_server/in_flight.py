"""Whether an answer is being made in any worker: a lock in the folder the workers share.

multi-model-server ends at once on SIGTERM, whatever it has in hand; this tells when it has nothing.
"""

from __future__ import annotations

import fcntl
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

# A queued request is taken up well within this time of the one before it, and an answer sent.
QUIET_SECONDS: Final = 0.5
_PAUSE: Final = 0.05
_NAME: Final = "in-flight"


@contextmanager
def in_flight() -> Iterator[None]:
    """Show that an answer is being made; any number of processes may at the same time."""
    # The server's own folder is that of temporary files for whatever it starts.
    with (Path(tempfile.gettempdir()) / _NAME).open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        yield


def wait_until_quiet(folder: Path, seconds: float) -> bool:
    """Wait until no answer has been in the making for half a second.

    Parameters
    ----------
    folder
        The workers' folder of temporary files.
    seconds
        How long to wait at most.

    Returns
    -------
    Whether it became quiet.
    """
    now = time.monotonic()
    deadline, quiet_since = now + seconds, now
    while (now := time.monotonic()) < deadline:
        if _busy(folder / _NAME):
            quiet_since = now
        elif now - quiet_since >= QUIET_SECONDS:
            return True
        time.sleep(_PAUSE)
    return False


def _busy(path: Path) -> bool:
    with path.open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
