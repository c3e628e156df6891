"""Load from wrk, pinned to a core of its own; a single failed request fails the measurement."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.serving.home import BenchError

_SCRIPT: Final = Path(__file__).parent / "post.lua"
_ERRORS: Final = ("status", "connect", "read", "write", "timeout")
_PATIENCE: Final = 60


@dataclass(frozen=True)
class Load:
    """What one run of wrk saw: requests a second, and latency in milliseconds."""

    rate: float
    mean: float
    p50: float
    p90: float
    p99: float


def check_installed() -> None:
    """Refuse to begin without the programs that make and pin load.

    Raises
    ------
    BenchError
        One is missing.
    """
    for program, package in (("wrk", "wrk"), ("taskset", "util-linux")):
        if shutil.which(program) is None:
            raise BenchError(f"{program} is missing; Debian has it: apt-get install {package}")


def run(
    url: str, body: Path, content_type: str, *, connections: int, seconds: int, core: int | str
) -> Load:
    """Post a file again and again.

    Parameters
    ----------
    url
        Where to.
    body, content_type
        What.
    connections
        Kept open, each with one request under way.
    seconds
        How long.
    core
        That wrk runs on; of several `0,1`.

    Raises
    ------
    BenchError
        A request failed or was answered with a status of 400 or more, or none was answered.
    """
    command = ["taskset", "-c", str(core), "wrk", "-t1", f"-c{connections}"]
    command += [f"-d{seconds}s", f"--timeout={_PATIENCE}s", "-s", str(_SCRIPT)]
    done = subprocess.run(
        [*command, url, "--", str(body), content_type], capture_output=True, text=True, check=False
    )
    found = re.search(r"^result (\{.*\})$", done.stdout, re.MULTILINE)
    if done.returncode or not found:
        raise BenchError(f"wrk ended with {done.returncode}: {(done.stderr or done.stdout)[-500:]}")
    seen = json.loads(found[1])
    failed = {kind: seen[kind] for kind in _ERRORS if seen[kind]}
    if failed or not seen["requests"]:
        raise BenchError(f"of {seen['requests']} requests, failed: {failed or 'all'}")
    rate = seen["requests"] / seen["microseconds"] * 1e6
    return Load(rate, *(seen[share] / 1e3 for share in ("mean", "p50", "p90", "p99")))
