"""What memory is left to this container, and giving back what nobody uses any more."""

from __future__ import annotations

import ctypes
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
