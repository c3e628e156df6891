"""Jobs of several hosts, each a process of its own, on this machine's loopback interface."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

HOST = Path(__file__).with_name("host.py")
# XGBoost does without scikit-learn, and a host then starts in a third of the time.
LAUNCH = (
    "import runpy, sys; sys.modules['sklearn'] = None; "
    f"runpy.run_path({str(HOST)!r}, run_name='__main__')"
)
Spec = dict[str, Any]
PATIENCE = 60  # seconds, of a machine that is busy with other things


def free_port() -> int:
    """Return a port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(name="unused_port")
def _unused_port() -> Callable[[], int]:
    return free_port


class Job:
    """The hosts `algo-1`, `algo-2`, ... of one job."""

    def __init__(
        self, folder: Path, size: int, action: str, network: Spec | None = None, **options: object
    ) -> None:
        self.folder = folder
        self.hosts = [f"algo-{number + 1}" for number in range(size)]
        values = {
            "channel_port": free_port(),
            "tracker_port": 0,
            "meet": 30.0,
            "silence": 20.0,
            "beat": 0.1,
            **(network or {}),
        }
        self.spec = {"hosts": self.hosts, "action": action, "network": values, **options}
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, *hosts: str, **options: object) -> None:
        """Start the given hosts, or all; `options` are for these alone."""
        for host in hosts or self.hosts:
            folder = self.folder / host
            folder.mkdir()
            spec = {**self.spec, "host": host, "folder": str(folder), **options}
            with (folder / "stdout").open("wb") as out, (folder / "stderr").open("wb") as log:
                self.processes[host] = subprocess.Popen(
                    [sys.executable, "-c", LAUNCH, json.dumps(spec)], stdout=out, stderr=log
                )

    def codes(self) -> dict[str, int]:
        """Wait for the hosts that were started; return their exit codes."""
        return {host: each.wait(PATIENCE) for host, each in self.processes.items()}

    def text(self, host: str, name: str) -> str:
        """Return a file a host left, "" where it left none."""
        file = self.folder / host / name
        return file.read_text() if file.exists() else ""

    def seen(self) -> list[dict[str, Any]]:
        """Return what each host saw of the job; it has to end well on all."""
        codes = self.codes()
        logs = {host: self.text(host, "stderr") for host in self.hosts}

        assert codes == dict.fromkeys(self.hosts, 0), logs

        return [json.loads(self.text(host, "seen.json")) for host in self.hosts]

    def wait_for(self, host: str, name: str) -> None:
        """Poll until a host has left a file."""
        end = time.monotonic() + PATIENCE
        while not self.text(host, name):
            assert time.monotonic() < end, f"{host} left no {name}: {self.text(host, 'stderr')}"
            time.sleep(0.02)

    def end(self) -> None:
        """Kill what is left."""
        for each in self.processes.values():
            each.kill()
            each.wait()


@pytest.fixture
def job(tmp_path: Path) -> Iterator[Callable[..., Job]]:
    """Return a function that makes a job of some size whose hosts all do one thing."""
    jobs: list[Job] = []

    def make(size: int, action: str, network: Spec | None = None, **options: object) -> Job:
        jobs.append(Job(tmp_path, size, action, network, **options))
        return jobs[-1]

    yield make
    for each in jobs:
        each.end()
