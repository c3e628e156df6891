"""A signal that comes while CSV is parsed reaches the program's own handler."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

from churn_daal.tabular.csv_channel import CsvReader


def test_signals_do_not_end_the_reading(tmp_path: Path) -> None:
    """A job decides by itself when it stops; the start of each file is parsed in this thread."""
    text = "".join(f"{row},{row % 7}\n" for row in range(60_000))
    files = []
    for number in range(4):
        files.append(tmp_path / f"{number}.csv")
        files[-1].write_text(text)
    caught: list[int] = []
    ended = threading.Event()

    def send() -> None:
        while not ended.wait(0.002):
            os.kill(os.getpid(), signal.SIGTERM)

    before = signal.signal(signal.SIGTERM, lambda number, _: caught.append(number))
    sender = threading.Thread(target=send)
    sender.start()
    try:
        reader = CsvReader(tuple(files), header="absent", delimiter=",", charset="utf-8")
        rows = sum(batch.rows for batch in reader.batches(range(2), ()))
    finally:
        ended.set()
        sender.join()
        signal.signal(signal.SIGTERM, before)

    assert rows == 4 * 60_000
    assert caught
