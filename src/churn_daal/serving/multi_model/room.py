"""Whether a model finds room in the memory: guessed before it is loaded, measured after."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from churn_daal.artifact import Manifest
from churn_daal.errors import NoRoomError
from churn_daal.machine import available_memory, usable_memory

# Bytes of memory a byte of a model's files takes: 1.06 and 0.88 as measured for 200 trees of depth
# 5 and 500 of depth 8, and room for what is read twice while it loads.
PER_FILE_BYTE: Final = 1.5
# What a worker takes for XGBoost itself, with the first model that oneDAL cannot hold: 74 MiB as
# measured in a worker without a model, 55 in one with (bench/multi_model.py). Pages of its files,
# which all workers share, come on top and count as free.
XGBOOST_BYTES: Final = 75 << 20
# Loads of one size that the threads of all workers could begin at once, about.
_AT_A_TIME: Final = 64
# What stays free for the requests themselves.
_LEAST_RESERVE: Final = 64 << 20
_RESERVED_PART: Final = 20


@dataclass(frozen=True)
class Room:
    """What the memory has room for.

    Attributes
    ----------
    left
        Gives the bytes that may still be taken, None where nothing says.
    reserve
        Bytes that models may not take.
    """

    left: Callable[[], int | None]
    reserve: int

    @classmethod
    def of_this_container(cls) -> Room:
        """Return the room this container's limit, or the machine, has."""
        whole = usable_memory() or 0
        return cls(available_memory, max(_LEAST_RESERVE, whole // _RESERVED_PART))

    def measure(self) -> int | None:
        """Return the bytes models may still take; less than 0 where they took too much."""
        left = self.left()
        return None if left is None else left - self.reserve

    def is_short(self, needed: int) -> bool:
        """Tell whether several loads of this size at a time could take more than there is."""
        free = self.measure()
        return free is not None and free < needed * _AT_A_TIME

    def check(self, name: str, needed: int, why: str) -> None:
        """Make sure of room for so many bytes more.

        Raises
        ------
        NoRoomError
            There is not; the platform unloads another model and tries again.
        """
        free = self.measure()
        if free is not None and free < needed:
            raise NoRoomError(
                f"there is no memory for model {name:.200}: {why}, and {_mb(free)} are left "
                f"beside the {_mb(self.reserve)} kept for requests; unload another model and load "
                "it again, or take an instance with more memory"
            )


def estimate(folder: Path, copies: int) -> int:
    """Return the bytes that so many copies of a model are likely to take."""
    files = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return int(files * PER_FILE_BYTE) * copies


def brings_xgboost(manifest: Manifest | None) -> bool:
    """Tell whether a model makes the workers load XGBoost.

    This process is taken for all: each has every model. One that took another's place may lack it
    still, and then more is asked for than is taken.
    """
    native = manifest is not None and manifest.engine.name == "xgboost"
    return native and "xgboost" not in sys.modules


def wants(size: int, copies: int) -> str:
    """Return for a message what is asked for."""
    return f"it takes about {_mb(size)} for {copies} worker{'s' * (copies != 1)}"


def _mb(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"
