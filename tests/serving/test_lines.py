"""Lines are gathered for a moment and written whole, in order, few at a time."""

from __future__ import annotations

import select
import subprocess
import sys
import threading

from churn_daal.serving.lines import Lines

PATIENCE = 30


class Written:
    """Keeps what was written, and tells when it has so many bytes."""

    def __init__(self, size: int) -> None:
        self.pieces: list[bytes] = []
        self._size, self.whole = size, threading.Event()

    def __call__(self, piece: bytes) -> None:
        """Take a write."""
        self.pieces.append(piece)
        if sum(map(len, self.pieces)) >= self._size:
            self.whole.set()


def test_lines_come_in_order_and_many_at_a_time() -> None:
    """In pieces that a pipe takes at once, each of whole lines."""
    lines = [f"{number:0199}\n".encode() for number in range(1000)]
    written = Written(200 * 1000)
    log = Lines(written)
    for line in lines:
        log.add(line)

    assert written.whole.wait(PATIENCE)
    assert b"".join(written.pieces) == b"".join(lines)
    assert all(piece.endswith(b"\n") and len(piece) <= select.PIPE_BUF for piece in written.pieces)
    assert len(written.pieces) < 200


def test_a_line_that_is_longer_goes_by_itself() -> None:
    """Whole."""
    long = b"x" * 10_000 + b"\n"
    written = Written(len(long) + 4)
    log = Lines(written)
    for line in (b"a\n", long, b"b\n"):
        log.add(line)

    assert written.whole.wait(PATIENCE)
    assert b"".join(written.pieces) == b"a\n" + long + b"b\n"
    assert any(piece == long for piece in written.pieces)


def test_lines_of_many_threads_are_all_there() -> None:
    """None is lost and none is cut."""
    written = Written(8 * 500 * 2)
    log = Lines(written)
    threads = [
        threading.Thread(target=lambda n=n: [log.add(b"%d\n" % n) for _ in range(500)])
        for n in range(8)
    ]
    for thread in threads:
        thread.start()

    assert written.whole.wait(PATIENCE)
    assert sorted(b"".join(written.pieces).split()) == sorted(
        b"%d" % n for n in range(8) for _ in range(500)
    )


def test_the_last_lines_are_written_at_the_end() -> None:
    """By a process that ends as soon as it has added one."""
    code = "from churn_daal.serving.lines import Lines; Lines().add(b'last\\n')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)

    assert done.stdout == b"last\n"
