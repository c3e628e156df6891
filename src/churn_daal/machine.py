"""What cores and memory this process may use, what is left, and giving back what nobody uses."""

from __future__ import annotations

import ctypes
import math
import os
import re
import sys
from contextlib import suppress
from pathlib import Path

# Of cgroups version 2 and 1: the limit, the use, the statistics, and what these call files' pages.
_CGROUPS = (
    ("memory.max", "memory.current", "memory.stat", ""),
    (
        *("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes", "memory/memory.stat"),
        "total_",
    ),
)


def usable_cores(cgroup: Path = Path("/sys/fs/cgroup")) -> int:
    """Return how many cores this process may use.

    An affinity mask can make them fewer than the machine's, and so can a container's CPU quota
    (`docker run --cpus`), of which a part of a core counts as one.

    Parameters
    ----------
    cgroup
        Where the container's limits stand, of cgroups version 2 or 1.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    quota = _cpu_quota(cgroup)
    return max(1, min(cores or 1, math.ceil(quota) if quota else cores or 1))


def usable_memory(
    cgroup: Path = Path("/sys/fs/cgroup"), meminfo: Path = Path("/proc/meminfo")
) -> int | None:
    """Return how many bytes of memory this process may use; None where nothing says.

    That is the container's limit (`docker run --memory`) or the machine's memory, the smaller.

    Parameters
    ----------
    cgroup
        Where the container's limits stand, of cgroups version 2 or 1.
    meminfo
        Where the kernel tells the machine's memory.
    """
    limits = []
    for file in (cgroup / "memory.max", cgroup / "memory" / "memory.limit_in_bytes"):
        with suppress(OSError, ValueError):  # "max" is no number, and no limit
            limits.append(int(file.read_text()))
    with suppress(OSError, AttributeError):
        total = re.search(r"^MemTotal:\s*([0-9]+) kB", meminfo.read_text(), re.MULTILINE)
        limits.append(int(total[1]) * 1024 if total else 0)
    return min((limit for limit in limits if limit > 0), default=None)


def available_memory(
    cgroup: Path = Path("/sys/fs/cgroup"), meminfo: Path = Path("/proc/meminfo")
) -> int | None:
    """Return how many bytes may still be taken before the kernel ends a process.

    That is what the container's limit leaves or what the machine has, the smaller. Pages of files
    count as free, since the kernel drops them first.

    Parameters
    ----------
    cgroup
        Where the container's limits stand, of cgroups version 2 or 1.
    meminfo
        Where the kernel tells the machine's memory.

    Returns
    -------
    None where nothing says.
    """
    left = []
    for limit, used, statistics, prefix in _CGROUPS:
        with suppress(OSError, ValueError):  # "max" is no number, and no limit
            allowed = int((cgroup / limit).read_text())
            taken = int((cgroup / used).read_text())
            pages = dict(line.split() for line in (cgroup / statistics).read_text().splitlines())
            files = (int(pages.get(f"{prefix}{kind}_file", 0)) for kind in ("active", "inactive"))
            left.append(allowed - taken + sum(files))
    with suppress(OSError):
        free = re.search(r"^MemAvailable:\s*([0-9]+) kB", meminfo.read_text(), re.MULTILINE)
        left += [int(free[1]) * 1024] if free else []
    return max(0, min(left)) if left else None


def release_memory() -> None:
    """Give the system back what the allocators keep.

    Parsing in threads leaves holes of 170 MB in glibc's arenas, as measured on 2.4 GB of CSV; the
    matrix that comes next could not use them.
    """
    if arrow := sys.modules.get("pyarrow"):
        arrow.default_memory_pool().release_unused()
    with suppress(OSError, AttributeError):  # another C library has no such call
        ctypes.CDLL("libc.so.6").malloc_trim(0)


def _cpu_quota(cgroup: Path) -> float | None:
    """Return the cores a container may fill; None where nothing says."""
    one, two = cgroup / "cpu", cgroup / "cpu.max"
    try:
        if two.is_file():
            quota, period = two.read_text().split()
        else:
            quota = (one / "cpu.cfs_quota_us").read_text()
            period = (one / "cpu.cfs_period_us").read_text()
        return int(quota) / int(period) if int(quota) > 0 else None
    except (OSError, ValueError, ZeroDivisionError):  # "max" is no number, and no limit
        return None
