"""What cores and memory there are, from the files in which the kernel tells it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from churn_daal.machine import available_memory, release_memory, usable_cores

MB = 2**20


def lay(base: Path, files: dict[str, str]) -> Path:
    """Lay a cgroup's files."""
    for name, text in files.items():
        path = base / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return base


TWO = {
    "memory.max": f"{400 * MB}\n",
    "memory.current": f"{150 * MB}\n",
    "memory.stat": f"anon {100 * MB}\nactive_file {10 * MB}\ninactive_file {30 * MB}\n",
}
ONE = {
    "memory/memory.limit_in_bytes": f"{400 * MB}\n",
    "memory/memory.usage_in_bytes": f"{150 * MB}\n",
    "memory/memory.stat": f"active_file 1\ntotal_active_file {10 * MB}\n"
    f"total_inactive_file {30 * MB}\n",
}


@pytest.mark.parametrize("files", [TWO, ONE], ids=["version 2", "version 1"])
def test_a_container_has_what_its_limit_leaves(tmp_path: Path, files: dict[str, str]) -> None:
    """Pages of files are not counted: the kernel drops them."""
    meminfo = tmp_path / "meminfo"
    meminfo.write_text("MemTotal: 8000000 kB\nMemAvailable:  4000000 kB\n")

    assert available_memory(lay(tmp_path, files), meminfo) == 290 * MB


def test_the_machine_may_have_less(tmp_path: Path) -> None:
    """Other containers share it."""
    meminfo = tmp_path / "meminfo"
    meminfo.write_text("MemTotal: 8000000 kB\nMemAvailable:  1024 kB\n")

    assert available_memory(lay(tmp_path, TWO), meminfo) == MB


@pytest.mark.parametrize(
    "files",
    [
        TWO | {"memory.max": "max\n"},
        ONE | {"memory/memory.limit_in_bytes": "9223372036854771712\n"},
    ],
    ids=["version 2", "version 1"],
)
def test_without_a_limit_the_machine_counts(tmp_path: Path, files: dict[str, str]) -> None:
    """Both versions have their way of saying that there is none."""
    meminfo = tmp_path / "meminfo"
    meminfo.write_text("MemAvailable:  4000000 kB\n")

    assert available_memory(lay(tmp_path, files), meminfo) == 4_000_000 * 1024


def test_over_the_limit_nothing_is_left(tmp_path: Path) -> None:
    """Not less than nothing."""
    files = TWO | {"memory.current": f"{500 * MB}\n"}

    assert available_memory(lay(tmp_path, files), tmp_path / "none") == 0


def test_a_system_that_says_nothing_has_no_answer(tmp_path: Path) -> None:
    """Then nothing is held against it."""
    assert available_memory(tmp_path, tmp_path / "none") is None


def test_this_machine_says_something() -> None:
    """And release_memory runs on it."""
    release_memory()

    assert (available_memory() or 0) > 0


@pytest.mark.parametrize(
    ("files", "cores"),
    [
        ({"cpu.max": "50000 100000\n"}, 1),
        ({"cpu.max": "100000 100000\n"}, 1),
        ({"cpu.max": "max 100000\n"}, None),
        ({"cpu/cpu.cfs_quota_us": "100000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 1),
        ({"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, None),
        ({"cpu.max": "999999900000 100000\n"}, None),
        ({"cpu.max": "?"}, None),
        ({}, None),
    ],
)
def test_a_containers_quota_counts(
    tmp_path: Path, files: dict[str, str], cores: int | None
) -> None:
    """`docker run --cpus 1` means one worker, whichever version of cgroups says so."""
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)

    assert usable_cores(tmp_path) == (cores or len(os.sched_getaffinity(0)))
