"""The only reader of the environment; everything else is handed frozen values.

The names are SageMaker's and its toolkits' own: see docs/environment.md.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from churn_daal.errors import UserError

BASE_DIR = "/opt/ml"
MAX_PORT = 65_535
_WHOLE_NUMBER = re.compile(r"[0-9]{1,18}")


def base_dir(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the prefix under which SageMaker lays its files, `/opt/ml` unless set."""
    return Path(_text(environ, "SAGEMAKER_BASE_DIR", BASE_DIR))


@dataclass(frozen=True)
class ServeSettings:
    """What `serve` takes from the environment.

    Attributes
    ----------
    model_dir
        The untarred model, read only (rule S4).
    port
        `SAGEMAKER_BIND_TO_PORT`, 8080 unless set (rule S1).
    workers
        Server processes, one a core unless `SAGEMAKER_MODEL_SERVER_WORKERS` says otherwise.
    timeout
        Seconds a worker may go without a sign of life before it is replaced.
    max_content_length
        Bytes of a request body; larger ones are answered 413.
    multi_model
        Whether the platform asks for a multi-model server (`SAGEMAKER_MULTI_MODEL`).
    """

    model_dir: Path
    port: int = 8080
    workers: int = 1
    timeout: int = 60
    max_content_length: int = 25 * 2**20
    multi_model: bool = False

    @classmethod
    def from_env(cls, environ: Mapping[str, str] = os.environ) -> ServeSettings:
        """Read the settings of `serve`.

        Raises
        ------
        UserError
            A variable is set to something that is not a whole number in its range.
        """
        return cls(
            model_dir=base_dir(environ) / "model",
            port=_integer(environ, "SAGEMAKER_BIND_TO_PORT", 8080, high=MAX_PORT),
            workers=_integer(environ, "SAGEMAKER_MODEL_SERVER_WORKERS", usable_cores()),
            timeout=_integer(environ, "SAGEMAKER_MODEL_SERVER_TIMEOUT", 60),
            max_content_length=_integer(environ, "MAX_CONTENT_LENGTH", 25 * 2**20),
            multi_model=_text(environ, "SAGEMAKER_MULTI_MODEL", "false").casefold() == "true",
        )


@dataclass(frozen=True)
class JavaSettings:
    """What the image with multi-model-server takes from the environment beside `ServeSettings`.

    Attributes
    ----------
    model_workers
        Worker processes of each model in multi-model mode (`SAGEMAKER_NUM_MODEL_WORKERS`).
    job_queue_size
        Requests that may wait for a model; further ones are answered 503
        (`SAGEMAKER_MODEL_JOB_QUEUE_SIZE`).
    vmargs
        Options for Java beside, and over, those it is given (`SAGEMAKER_MODEL_SERVER_VMARGS`).
    """

    model_workers: int = 1
    job_queue_size: int = 100
    vmargs: str = ""

    @classmethod
    def from_env(cls, environ: Mapping[str, str] = os.environ) -> JavaSettings:
        """Read the settings.

        Raises
        ------
        UserError
            A variable is set to something that is not a whole number in its range.
        """
        return cls(
            model_workers=_integer(environ, "SAGEMAKER_NUM_MODEL_WORKERS", 1),
            job_queue_size=_integer(environ, "SAGEMAKER_MODEL_JOB_QUEUE_SIZE", 100),
            vmargs=_text(environ, "SAGEMAKER_MODEL_SERVER_VMARGS", ""),
        )


def inherited(**changes: str) -> dict[str, str]:
    """Return this process's environment, with changes, for one it starts."""
    return {**os.environ, **changes}


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


def _text(environ: Mapping[str, str], name: str, default: str) -> str:
    # The SDK's local mode sets variables to "" and means "not set".
    return environ.get(name, "").strip() or default


def _integer(
    environ: Mapping[str, str], name: str, default: int, *, low: int = 1, high: int | None = None
) -> int:
    text = _text(environ, name, str(default))
    span = f"from {low} to {high}" if high is not None else f"of {low} or more"
    # int() takes more: underscores, other scripts' digits, thousands of places.
    value = int(text) if _WHOLE_NUMBER.fullmatch(text) else None
    if value is None or value < low or (high is not None and value > high):
        raise UserError(
            f"environment variable {name} is {text[:40]!r}; expected a whole number {span}. "
            f"Unset it for the default of {default}."
        )
    return value
