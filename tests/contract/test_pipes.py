"""Pipe mode: a FIFO is read once, to its end, without ever hanging the job."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from churn_daal.contract.pipes import spool
from churn_daal.contract.signals import StopSignal
from churn_daal.errors import UserError
from churn_daal.tabular import recordio


@contextmanager
def writer(fifo: Path, *pieces: bytes, make: bool = True) -> Iterator[None]:
    """Write pieces into a FIFO from another thread, as SageMaker does; make it first."""

    def write() -> None:
        if make:
            os.mkfifo(fifo)
        try:
            with fifo.open("wb", buffering=0) as file:
                for piece in pieces:
                    file.write(piece)
        except BrokenPipeError:  # a reader that gave up
            pass

    if not make:
        os.mkfifo(fifo)
    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield
    finally:
        thread.join(10)
        assert not thread.is_alive()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder for what is spooled."""
    (tmp_path / "spool").mkdir()
    return tmp_path / "spool"


@pytest.mark.parametrize("make", [True, False], ids=["late", "early"])
def test_a_channel_is_spooled_as_file_mode_would_lay_it(
    tmp_path: Path, folder: Path, make: bool
) -> None:
    """All bytes, in order, in one file, though the FIFO may come late."""
    pieces = [bytes([n]) * 100_000 for n in range(30)]
    with writer(tmp_path / "train_0", *pieces, make=make):
        found = spool(tmp_path / "train", folder)

    assert found == folder / "train"
    [file] = found.iterdir()
    assert file.read_bytes() == b"".join(pieces)


def test_wrapped_objects_become_files(tmp_path: Path, folder: Path) -> None:
    """With RecordWrapperType RecordIO each record is an object of the channel."""
    objects = [b"1,2\n", b"", b"x" * (3 << 20)]
    with writer(tmp_path / "train_0", b"".join(map(recordio.frame, objects))):
        found = spool(tmp_path / "train", folder, unwrap=recordio.unwrap)

    assert [file.read_bytes() for file in sorted(found.iterdir())] == objects


def test_memory_stays_bounded(tmp_path: Path, folder: Path) -> None:
    """A channel of 64 MB in one record is not held in memory."""
    program = (
        "import resource, sys; from pathlib import Path\n"
        "from churn_daal.contract.pipes import spool; from churn_daal.tabular import recordio\n"
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "before = peak()\n"
        "spool(Path(sys.argv[1]), Path(sys.argv[2]), unwrap=recordio.unwrap)\n"
        "print(peak() - before)"
    )
    payload = recordio.frame(bytes(64 << 20))
    with writer(tmp_path / "train_0", payload, make=False):
        run = subprocess.run(
            [sys.executable, "-c", program, str(tmp_path / "train"), str(folder)],
            capture_output=True,
            text=True,
            check=True,
        )

    assert int(run.stdout) < 24 << 10


@pytest.mark.parametrize(
    ("made", "missing"), [(False, "there is no FIFO"), (True, "nothing has come through")]
)
def test_what_never_comes_is_not_waited_for_forever(
    tmp_path: Path, folder: Path, made: bool, missing: str
) -> None:
    """After the limit the message says what was missing."""
    if made:
        os.mkfifo(tmp_path / "train_0")

    with pytest.raises(UserError, match=rf"^train_0: {missing}.* within 0.2 seconds; check the"):
        spool(tmp_path / "train", folder, wait_seconds=0.2)
    assert list(folder.iterdir()) == []


def test_an_empty_channel_is_named(tmp_path: Path, folder: Path) -> None:
    """A writer that closes at once leaves nothing to learn from."""
    with (
        writer(tmp_path / "train_0"),
        pytest.raises(UserError, match=r"^train_0: the pipe was closed without a byte in it;"),
    ):
        spool(tmp_path / "train", folder)
    assert list(folder.iterdir()) == []


def test_a_record_cut_short_leaves_nothing_behind(tmp_path: Path, folder: Path) -> None:
    """Where the framing tells that the writer died, the half channel is removed."""
    with (
        writer(tmp_path / "train_0", recordio.frame(b"abcd"), recordio.frame(b"abcdefgh")[:-4]),
        pytest.raises(UserError, match=r"^train_0: byte 12: the data ends at byte 24, within"),
    ):
        spool(tmp_path / "train", folder, unwrap=recordio.unwrap)
    assert list(folder.iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's /dev/full")
def test_a_full_disk_is_the_users_to_mend(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message says how far it came and what to enlarge."""
    plain = Path.open

    def full(path: Path, mode: str = "r", buffering: int = -1) -> object:
        return plain(
            Path("/dev/full") if path.parent == folder / "train" else path, mode, buffering
        )

    monkeypatch.setattr(Path, "open", full)
    with (
        writer(tmp_path / "train_0", bytes(2 << 20)),
        pytest.raises(UserError, match=r"^train_0: no room on the local disk after .* bytes \(No"),
    ):
        spool(tmp_path / "train", folder)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("stage", ["no fifo", "no writer", "half read"])
def test_a_signal_ends_the_wait(tmp_path: Path, folder: Path, stage: str) -> None:
    """SIGTERM is heard while the FIFO is missing, has no writer, or has one that is silent."""
    fifo, silent = tmp_path / "train_0", None
    if stage != "no fifo":
        os.mkfifo(fifo)
    if stage == "half read":
        silent = os.open(fifo, os.O_RDWR)
        os.write(silent, b"1,2\n")
    sent: list[float] = []

    def send() -> None:
        sent.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGTERM)

    timer = threading.Timer(0.3, send)
    with StopSignal() as stop:
        timer.start()
        with pytest.raises(UserError, match=r"^train_0: stopped by a signal while the channel was"):
            spool(tmp_path / "train", folder, stop=stop)
        timer.join()
    if silent is not None:
        os.close(silent)

    assert sent
    assert list(folder.iterdir()) == []
