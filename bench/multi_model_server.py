"""Measures the image with AWS's Java server beside the default one, on one core each, in turn.

`python bench/multi_model_server.py IMAGE JAVA_IMAGE` trains a model on the bundled churn data,
serves it in both images by `docker run`, and prints the figures of docs/multi_model_server.md.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles

from large_body import train

from churn_daal.data import churn_csv

MODELS = "/opt/ml/models"
WARM = 2_000
ROW = churn_csv().read_text().splitlines()[1].rpartition(",")[0]


def docker(*arguments: str) -> str:
    """Run one docker command; return what it prints."""
    command = ["docker", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@dataclass
class Server:
    """A container, and one kept connection to it."""

    name: str
    connection: http.client.HTTPConnection
    starting: float

    def ask(self, method: str, path: str, body: str | None = None, kind: str = "text/csv") -> float:
        """Send one request that has to be answered 200; return its milliseconds."""
        begin = time.perf_counter()
        self.connection.request(method, path, body, {"Content-Type": kind})
        with self.connection.getresponse() as response:
            said = response.read()
            took = (time.perf_counter() - begin) * 1e3
        if response.status != 200:
            raise SystemExit(f"{method} {path}: {response.status} {said[:500]!r}")
        return took

    def load(self, name: str) -> float:
        """Load the model under a name."""
        body = json.dumps({"model_name": name, "url": f"{MODELS}/churn"})
        return self.ask("POST", "/models", body, "application/json")

    def resident(self) -> int:
        """Return the MB of its processes, each by itself."""
        lines = docker("top", self.name, "-eo", "pid,rss").splitlines()[1:]
        return sum(int(line.split()[1]) for line in lines) * 1024 // 10**6


@contextmanager
def served(image: str, core: int, *options: str) -> Iterator[Server]:
    """Run `serve` on one core until it is no longer wanted."""
    place = ("--cpuset-cpus", str(core), "--publish", "127.0.0.1::8080", *options)
    begin = time.perf_counter()
    name = docker("run", "--detach", *place, image, "serve").strip()
    try:
        port = int(docker("port", name, "8080/tcp").splitlines()[0].rpartition(":")[2])
        server = Server(name, http.client.HTTPConnection("127.0.0.1", port, timeout=120), 0)
        pause = threading.Event()
        while not _answers(server):
            pause.wait(0.05)
        server.starting = time.perf_counter() - begin
        yield server
    finally:
        docker("rm", "--force", name)


def _answers(server: Server) -> bool:
    with contextlib.suppress(OSError, http.client.HTTPException):
        server.ask("GET", "/ping")
        return True
    server.connection.close()
    return False


def told(what: str, unit: str, native: list[float], java: list[float]) -> None:
    """Print the medians of what was measured in turn, and that of the ratios with the quartiles."""
    ratios = [one / other for one, other in zip(java, native, strict=True)]
    low, ratio, high = quantiles(ratios, n=4, method="inclusive")
    print(
        f"{what}: default {median(native):.2f} {unit}, Java {median(java):.2f} {unit}, "
        f"ratio {ratio:.2f} ({low:.2f} to {high:.2f})",
        flush=True,
    )


def rows(native: Server, java: Server, path: str, rounds: int, requests: int) -> None:
    """Print what one row costs one client; the quickest tenth is what others on the core spare."""
    for server in (native, java):
        for _ in range(WARM):
            server.ask("POST", path, ROW)
    typical: dict[str, list[float]] = {native.name: [], java.name: []}
    quick: dict[str, list[float]] = {native.name: [], java.name: []}
    for number in range(rounds):
        for server in (native, java) if number % 2 else (java, native):
            took = [server.ask("POST", path, ROW) for _ in range(requests)]
            typical[server.name].append(median(took))
            quick[server.name].append(quantiles(took, n=10)[0])
    told(f"{path}, one row, p50", "ms", typical[native.name], typical[java.name])
    told(f"{path}, one row, p10", "ms", quick[native.name], quick[java.name])


def comings_and_goings(native: Server, java: Server, cycles: int) -> None:
    """Print what loading and unloading cost, and what they leave behind."""
    for server in (native, java):
        for number in range(5):
            server.load(f"warm{number}")
            server.ask("DELETE", f"/models/warm{number}")
    before = [native.resident(), java.resident()]
    loads: dict[str, list[float]] = {native.name: [], java.name: []}
    unloads: dict[str, list[float]] = {native.name: [], java.name: []}
    for number in range(cycles):
        for server in (native, java) if number % 2 else (java, native):
            loads[server.name].append(server.load(f"c{number}"))
            server.ask("POST", f"/models/c{number}/invoke", ROW)
            unloads[server.name].append(server.ask("DELETE", f"/models/c{number}"))
    # A process that was told to end takes a moment.
    threading.Event().wait(2)
    after = [native.resident(), java.resident()]
    told("load, the POST to its answer", "ms", loads[native.name], loads[java.name])
    told("unload", "ms", unloads[native.name], unloads[java.name])
    for number in range(5):
        for server in (native, java):
            server.load(f"m{number}")
    held = [native.resident(), java.resident()]
    for who, *sizes in zip(("default", "Java"), before, after, held, strict=True):
        print(
            f"RSS of {who}'s processes: {sizes[0]} MB before, {sizes[1]} MB after {cycles} cycles, "
            f"{sizes[2]} MB with 5 models loaded"
        )


def main() -> None:
    """Run all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("image")
    parser.add_argument("java_image")
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--requests", type=int, default=100)
    parser.add_argument("--cycles", type=int, default=30)
    parser.add_argument("--core", type=int, default=1, help="of the servers; the client has others")
    given = parser.parse_args()
    os.sched_setaffinity(0, set(range(os.cpu_count() or 1)) - {given.core})
    images = (given.image, given.java_image)
    sizes = [int(docker("image", "inspect", "--format", "{{.Size}}", image)) for image in images]
    print(f"unpacked: default {sizes[0] / 1e6:.0f} MB, Java {sizes[1] / 1e6:.0f} MB", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        train(Path(folder))
        model = f"type=bind,source={folder}/model,readonly,target="
        one = ("--mount", f"{model}/opt/ml/model")
        several = ("--mount", f"{model}{MODELS}/churn", "--env", "SAGEMAKER_MULTI_MODEL=true")
        with ExitStack() as stack:
            both = [stack.enter_context(served(image, given.core, *one)) for image in images]
            print(
                f"`docker run` to /ping: default {both[0].starting:.1f} s, "
                f"Java {both[1].starting:.1f} s"
            )
            rows(both[0], both[1], "/invocations", given.rounds, given.requests)
        with ExitStack() as stack:
            both = [stack.enter_context(served(image, given.core, *several)) for image in images]
            comings_and_goings(both[0], both[1], given.cycles)
            rows(both[0], both[1], "/models/m0/invoke", given.rounds, given.requests)


if __name__ == "__main__":
    main()
