"""The whole path on the bundled churn data, without Docker: train, serve, ask, stop.

Run by `make demo`. It starts the same two programs SageMaker starts, with `/opt/ml` laid out
under local_test/.run/demo/, and ends what it started.
"""

from __future__ import annotations

import csv
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from churn_daal import artifact
from churn_daal.artifact import Manifest
from churn_daal.contract.paths import SageMakerPaths
from churn_daal.data import churn_csv

ROOT = Path(__file__).resolve().parent.parent
PATHS = SageMakerPaths(ROOT / "local_test" / ".run" / "demo")
ROUNDS = 100
HYPERPARAMETERS = {
    "label": "Churn?",
    "objective": "binary:logistic",
    "eval_metric": "logloss,auc",
    "num_round": str(ROUNDS),
    "max_depth": "5",
    "gamma": "4",
    "min_child_weight": "6",
    "subsample": "0.7",
}
START_SECONDS = 60
BAR_WIDTH = 30
# Ten customers from all over the file, those who left among them.
SAMPLE = slice(10, None, 500)


def main() -> int:
    """Train, serve and ask; return the exit code."""
    lay()
    print(f"Training on {churn_csv().name} (5,000 customers), as SageMaker would: container/train")
    if not train():
        return 1
    manifest = artifact.audit(PATHS.model)
    describe(manifest)
    with serving() as url:
        ask(url)
    print(f"\nThe model lies in {PATHS.model}, the files of the job beside it.")
    return 0


def lay() -> None:
    """Lay the job's files afresh."""
    shutil.rmtree(PATHS.base, ignore_errors=True)
    for folder in (PATHS.config, PATHS.channel("train"), PATHS.model, PATHS.output_data):
        folder.mkdir(parents=True)
    shutil.copy(churn_csv(), PATHS.channel("train"))
    host = {"current_host": "algo-1", "hosts": ["algo-1"], "network_interface_name": "eth0"}
    channels = {"train": {"ContentType": "text/csv", "TrainingInputMode": "File"}}
    PATHS.hyperparameters.write_text(json.dumps(HYPERPARAMETERS, indent=2))
    PATHS.input_data_config.write_text(json.dumps(channels, indent=2))
    PATHS.resource_config.write_text(json.dumps(host, indent=2))


def program(name: str) -> list[str]:
    """Return the command of one of the two programs."""
    return [sys.executable, str(ROOT / "container" / name)]


def train() -> bool:
    """Run the training program, showing its rounds; tell whether it succeeded."""
    log = PATHS.output / "train.log"
    with log.open("wb") as errors:
        job = subprocess.Popen(  # noqa: S603 - our own program
            program("train"),
            env=os.environ | {"SAGEMAKER_BASE_DIR": str(PATHS.base)},
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
        assert job.stdout is not None  # noqa: S101 - PIPE was asked for
        with job:
            for line in job.stdout:
                show(line.rstrip("\n"))
    if sys.stdout.isatty():
        print()
    if job.returncode:
        print(log.read_text(), file=sys.stderr)
    return job.returncode == 0


def show(line: str) -> None:
    """Draw the progress bar on a terminal; print the line elsewhere."""
    number, _, scores = line.partition("]\t")
    if not sys.stdout.isatty() or not number[1:].isdigit():
        print(line, flush=True)
        return
    done = int(number[1:]) + 1
    bar = ("#" * (BAR_WIDTH * done // ROUNDS)).ljust(BAR_WIDTH)
    print(f"\r[{bar}] {done}/{ROUNDS}  {scores.expandtabs(2)}\033[K", end="", flush=True)


def describe(manifest: Manifest) -> None:
    """Print what came of the job."""
    metrics = manifest.metrics
    shown = ("auc", "accuracy", "precision", "recall", "f1_binary", "logloss")
    print(f"\nHeld-out rows: {metrics['rows']} the model has not seen")
    print("  " + "  ".join(f"{name} {metrics[name]:.3f}" for name in shown))
    print(f"Engine: {manifest.engine.name}")
    if manifest.parity is not None:
        print(
            f"Parity: {manifest.parity['rows']} rows, largest difference from XGBoost "
            f"{manifest.parity['max_difference']:.1e} (limit {manifest.parity['limit']:.0e}) "
            f"on the {manifest.parity['quantity']}"
        )


@contextmanager
def serving() -> Iterator[str]:
    """Start the serving program on a free port, and stop it at the end."""
    port = free_port()
    log = PATHS.output / "serve.log"
    settings = {"SAGEMAKER_BASE_DIR": str(PATHS.base), "SAGEMAKER_BIND_TO_PORT": str(port)}
    with log.open("wb") as output:
        server = subprocess.Popen(  # noqa: S603 - our own program
            program("serve"), env=os.environ | settings, stdout=output, stderr=output
        )
    url = f"http://127.0.0.1:{port}"
    try:
        if not answers(url, server):
            sys.exit(f"container/serve did not come up:\n{log.read_text()}")
        yield url
    finally:
        server.terminate()
        server.wait(timeout=START_SECONDS)


def free_port() -> int:
    """Return a port nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(url: str, server: subprocess.Popen[bytes]) -> bool:
    """Poll /ping until it answers 200; tell whether it did."""
    end = time.monotonic() + START_SECONDS
    pause = threading.Event()
    while time.monotonic() < end and server.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/ping", timeout=2) as response:  # noqa: S310 - http
                return bool(response.status == 200)
        except (urllib.error.URLError, ConnectionError):
            pause.wait(0.1)
    return False


def ask(url: str) -> None:
    """Post one raw customer by name and ten as CSV."""
    with churn_csv().open(newline="") as file:
        customers = list(csv.DictReader(file))[SAMPLE]
    record = {name: natural(value) for name, value in customers[0].items() if name != "Churn?"}
    print("\nOne raw customer by name, POST /invocations application/json:")
    print(f"  {json.dumps(record)[:96]}...")
    print(f"  -> {post(url, json.dumps(record), 'application/json')}")
    rows = [",".join(list(customer.values())[:-1]) for customer in customers]
    print("\nTen raw customers, POST /invocations text/csv:")
    scores = post(url, "\n".join(rows), "text/csv").split()
    for row, score, customer in zip(rows, scores, customers, strict=True):
        print(f"  {row[:48]}... -> {float(score):.4f}  (Churn? {customer['Churn?']})")


def natural(cell: str) -> str | float:
    """Return a cell as a JSON writer would: a number where it is one."""
    try:
        return float(cell)
    except ValueError:
        return cell


def post(url: str, body: str, content_type: str) -> str:
    """Return the answer to an invocation."""
    request = urllib.request.Request(  # noqa: S310 - our own server
        f"{url}/invocations", body.encode(), {"Content-Type": content_type}
    )
    with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310 - as above
        text: str = response.read().decode()
    return text


if __name__ == "__main__":
    sys.exit(main())
