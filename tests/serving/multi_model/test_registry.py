"""The registry that all workers share."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from churn_daal.serving.multi_model import registry
from churn_daal.serving.multi_model.registry import Record, Registry


@pytest.fixture
def loaded(tmp_path: Path) -> Iterator[Registry]:
    """Return an open registry."""
    registry.create(tmp_path)
    opened = Registry(tmp_path)
    yield opened
    opened.close()


def test_what_one_worker_publishes_another_finds(tmp_path: Path, loaded: Registry) -> None:
    """At once, and no longer when it is withdrawn."""
    other = Registry(tmp_path)
    record = Record("a/ü '\"%", "/models/x", 5)

    loaded.publish(record)
    assert other.find(record.name) == record
    loaded.withdraw(record)
    assert other.find(record.name) is None
    other.close()


def test_pages_go_on_where_the_last_one_ended(loaded: Registry) -> None:
    """Even where models come and go between two of them."""
    for number in range(7):
        loaded.publish(Record(f"m{number}", "/x", number))
    first = loaded.page("", 3)
    loaded.withdraw(first[2])
    loaded.publish(Record("m0-late", "/x", 9))

    rest = loaded.page(first[2].name, 100)

    assert [record.name for record in first] == ["m0", "m1", "m2"]
    assert [record.name for record in rest] == ["m3", "m4", "m5", "m6"]


def test_one_at_a_time_works_on_a_name(loaded: Registry) -> None:
    """Threads of a worker included."""
    inside = threading.Semaphore(1)

    def work(_: int) -> bool:
        with loaded.only("a"):
            alone = inside.acquire(blocking=False)
            inside.release()
            return alone

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(100)))


def test_a_worker_that_is_killed_leaves_no_lock(tmp_path: Path, loaded: Registry) -> None:
    """Nor half a line."""
    program = (
        "import sys, time\nfrom pathlib import Path\n"
        "from churn_daal.serving.multi_model.registry import Record, Registry\n"
        "held = Registry(Path(sys.argv[1]))\n"
        "with held.only('a'):\n    held.publish(Record('a', '/x', 1))\n"
        "    print('in', flush=True)\n    time.sleep(600)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "in\n"
        process.kill()

    with loaded.only("a"):
        assert loaded.find("a") == Record("a", "/x", 1)
