"""What loading, unloading, invoking and listing cost on a multi-model server.

`python bench/multi_model.py MODEL_FOLDER...` starts `serve` with two workers on a free port.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from churn_daal.artifact import audit

SERVE = Path(__file__).parents[1] / "container" / "serve"
WORKERS = 2
CYCLES = 100
MANY = 1000


class Client:
    """One kept connection; `ask` gives milliseconds, status and body."""

    def __init__(self, port: int) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)

    def ask(self, method: str, path: str, body: str | None = None) -> tuple[float, int, bytes]:
        """Send one request."""
        begin = time.perf_counter()
        self.connection.request(method, path, body, {"Content-Type": "text/csv"})
        with self.connection.getresponse() as response:
            data = response.read()
            return (time.perf_counter() - begin) * 1e3, response.status, data

    def load(self, name: str, folder: Path) -> float:
        """Load a model."""
        body = json.dumps({"model_name": name, "url": str(folder.resolve())})
        took, status, data = self.ask("POST", "/models", body)
        if status != 200:
            raise SystemExit(data.decode())
        return took

    def unload(self, name: str) -> float:
        """Unload it."""
        return self.ask("DELETE", f"/models/{name}")[0]


def resident(process: int, kind: str = "VmRSS") -> float:
    """Return the MiB of a server's processes; `RssAnon` leaves the pages of files out."""
    total = 0
    for status in Path("/proc").glob("[0-9]*/status"):
        with contextlib.suppress(OSError):
            text = status.read_text()
            if re.search(rf"^(PPid|Pid):\s*{process}$", text, re.MULTILINE):
                found = re.search(rf"^{kind}:\s*([0-9]+)", text, re.MULTILINE)
                total += int(found[1]) if found else 0
    return total / 1024


def measure(client: Client, process: int, folder: Path) -> None:
    """Print the figures of one model."""
    manifest = audit(folder)
    row = ",".join(["0.5"] * len(manifest.schema.columns))
    fresh = resident(process, "RssAnon")
    client.load("first", folder)
    taken = (resident(process, "RssAnon") - fresh) / WORKERS
    print(
        f"{folder}: {manifest.engine.name}, a worker's first load takes {taken:.0f} MB of its own"
    )
    client.unload("first")
    for number in range(5):
        client.load(f"warm{number}", folder)
        client.unload(f"warm{number}")
    before = resident(process)
    loads, unloads = [], []
    for number in range(CYCLES):
        loads.append(client.load(f"c{number}", folder))
        unloads.append(client.unload(f"c{number}"))
    print(f"  load {statistics.median(loads):.1f} ms", end=", ")
    print(f"unload {statistics.median(unloads):.1f} ms", end=", ")
    print(f"RSS {before:.0f} MB before, {resident(process):.0f} MB after {CYCLES} cycles")
    client.load("m0", folder)
    print(f"  invoke p50 {invoke(client, row, 1):.2f} ms with 1 model", flush=True)
    client.unload("m0")


def invoke(client: Client, row: str, models: int) -> float:
    """Return the median of many invokes, spread over the models."""
    for number in range(models):
        client.ask("POST", f"/models/m{number}/invoke", row)
    took = [client.ask("POST", f"/models/m{k % models}/invoke", row)[0] for k in range(2000)]
    return statistics.median(took)


def many(client: Client, process: int, folder: Path) -> None:
    """Print the figures of many models at a time."""
    row = ",".join(["0.5"] * len(audit(folder).schema.columns))
    before = resident(process)
    for number in range(MANY):
        client.load(f"m{number}", folder)
    print(f"{MANY} models: RSS {before:.0f} -> {resident(process):.0f} MB", end=", ")
    print(f"invoke p50 {invoke(client, row, MANY):.2f} ms", flush=True)
    for number in range(MANY):
        client.unload(f"m{number}")
    print(f"  all unloaded: RSS {resident(process):.0f} MB", flush=True)


def main(folders: list[Path]) -> None:
    """Run all."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environ = {"SAGEMAKER_MULTI_MODEL": "true", "SAGEMAKER_BIND_TO_PORT": str(port)}
    environ |= {"SAGEMAKER_MODEL_SERVER_WORKERS": str(WORKERS)}
    with (
        tempfile.TemporaryFile() as log,
        subprocess.Popen(
            [sys.executable, str(SERVE)], env=os.environ | environ, stdout=log, stderr=log
        ) as it,
    ):
        try:
            pause = threading.Event()
            while True:
                with contextlib.suppress(OSError):
                    client = Client(port)
                    if client.ask("GET", "/ping")[1] == 200:
                        break
                pause.wait(0.2)
            for folder in folders:
                measure(client, it.pid, folder)
            many(client, it.pid, folders[0])
        finally:
            it.terminate()


if __name__ == "__main__":
    main([Path(name) for name in sys.argv[1:]])
