"""A multi-model server as a process, and what the kernel tells of it."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ...container.multi_model_cases import Endpoint
from ..test_server import serving, until


@dataclass(frozen=True)
class Running:
    """A server under test.

    Attributes
    ----------
    process
        Its first process.
    endpoint
        Its address, and what its models answer.
    temporary
        The folder in which it makes its own.
    count
        How many workers it has when all are up.
    """

    process: subprocess.Popen[str]
    endpoint: Endpoint
    temporary: Path
    count: int

    def workers(self) -> list[int]:
        """Return the numbers of the worker processes."""
        task = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        if task.is_file():
            return sorted(int(number) for number in task.read_text().split())
        return sorted(child for child, parent in parents() if parent == self.process.pid)

    def kill(self, worker: int) -> None:
        """Kill a worker, and wait until another one has taken its place and takes orders."""
        os.kill(worker, signal.SIGKILL)
        until(lambda: self.complete(worker), self.process)

    def complete(self, gone: int | None = None) -> bool:
        """Tell whether all workers are there, without the one that is gone, and take orders."""
        now = self.workers()
        sockets = [path.name.split("-")[0] for path in self.temporary.rglob("*.worker")]
        listening = {str(worker) for worker in now} <= set(sockets)
        return gone not in now and len(now) == self.count and listening

    def resident(self) -> int:
        """Return the bytes of memory its processes have."""
        return sum(resident(process) for process in (self.process.pid, *self.workers()))


def parents() -> Iterator[tuple[int, int]]:
    """Return every process and its parent."""
    for status in Path("/proc").glob("[0-9]*/status"):
        with contextlib.suppress(OSError):
            found = re.search(r"^PPid:\s*([0-9]+)", status.read_text(), re.MULTILINE)
            if found:
                yield int(status.parent.name), int(found[1])


def resident(process: int) -> int:
    """Return the bytes of memory a process has."""
    text = Path(f"/proc/{process}/status").read_text()
    found = re.search(r"^VmRSS:\s*([0-9]+) kB", text, re.MULTILINE)
    return int(found[1]) * 1024 if found else 0


@contextlib.contextmanager
def running(
    temporary: Path, models: Path, scores: dict[str, float], workers: int, **environ: str
) -> Iterator[Running]:
    """Run a multi-model server, with its own folder for temporary files."""
    settings = {"SAGEMAKER_MULTI_MODEL": "true", "TMPDIR": str(temporary)} | environ
    # There is no /opt/ml/model: the platform gives a multi-model server none.
    with serving(temporary / "none", workers, **settings) as (process, port):
        endpoint = Endpoint(f"http://127.0.0.1:{port}", str(models), scores)
        started = Running(process, endpoint, temporary, workers)
        # The first worker answers while the others are still started.
        until(started.complete, process)
        yield started
