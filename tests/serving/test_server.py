"""`serve` as a process: several workers, signals, and exits that say why."""

from __future__ import annotations

import contextlib
import http.client
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

PROGRAM = Path(__file__).parents[2] / "container" / "serve"
ROW = "KS,128,415,no,yes,25,265.1,110,45.07,197.4,99,16.78,244.7,91,11.01,10.0,3,2.7,1"
PATIENCE = 60
PAUSE = threading.Event()


def until(done: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    """Poll until something is so; fail if the process ends or time is up."""
    end = time.monotonic() + PATIENCE
    while not done():
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < end
        PAUSE.wait(0.05)


def start(base: Path, **environ: str) -> subprocess.Popen[str]:
    """Start the program over a base folder."""
    return subprocess.Popen(
        [sys.executable, str(PROGRAM)],
        env=os.environ | {"SAGEMAKER_BASE_DIR": str(base)} | environ,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )


def ask(port: int, body: str = ROW, path: str = "/invocations") -> tuple[int, str]:
    """Send one request on a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    with contextlib.closing(connection):
        if path == "/ping":
            connection.request("GET", path)
        else:
            connection.request("POST", path, body, {"Content-Type": "text/csv"})
        response = connection.getresponse()
        return response.status, response.read().decode()


def up(port: int) -> bool:
    """Tell whether /ping answers 200."""
    try:
        return ask(port, path="/ping")[0] == 200
    except OSError:
        return False


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory, churn_model: Path) -> Path:
    """Return a base folder with the churn model in a path with a space."""
    folder = tmp_path_factory.mktemp("opt ml")
    shutil.copytree(churn_model, folder / "model")
    return folder


@pytest.fixture
def server(base: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Run three workers on a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = start(base, SAGEMAKER_BIND_TO_PORT=str(port), SAGEMAKER_MODEL_SERVER_WORKERS="3")
    try:
        until(lambda: up(port), process)
        yield process, port
    finally:
        if process.poll() is None:
            process.terminate()
        process.communicate(timeout=PATIENCE)


def test_workers_answer_alike_under_load(server: tuple[subprocess.Popen[str], int]) -> None:
    """Rows one by one and many at once, over several workers and threads: the same answers.

    oneDAL adds up a row's trees in another order in a batch, so the last digit may differ.
    """
    _, port = server
    single = ask(port)
    many = f"{ROW}\n" * 3000

    with ThreadPoolExecutor(24) as pool:
        answers = list(pool.map(lambda n: ask(port, many if n % 8 == 0 else ROW), range(240)))

    assert single[0] == 200
    assert {status for status, _ in answers} == {200}
    lines = {float(line) for _, text in answers for line in text.split()}
    assert sum(len(text.split()) for _, text in answers) == 30 * 3000 + 210
    assert max(abs(line - float(single[1])) for line in lines) < 1e-6


def test_sigterm_lets_a_request_finish(server: tuple[subprocess.Popen[str], int]) -> None:
    """A request whose body is still coming when SIGTERM arrives is answered; the exit is 0."""
    process, port = server
    body = f"{ROW}\n".encode()
    with contextlib.closing(socket.create_connection(("127.0.0.1", port), timeout=30)) as client:
        client.sendall(
            b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Type: text/csv\r\n"
            + f"Content-Length: {len(body)}\r\n\r\n".encode()
            + body[:10]
        )
        # An answered ping after it shows that the accept loop has been past the connection.
        until(lambda: up(port), process)
        process.terminate()
        until(lambda: not up(port), process)
        client.sendall(body[10:])
        answer = client.makefile("rb").read()

    assert answer.startswith(b"HTTP/1.1 200")
    assert process.wait(PATIENCE) == 0


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (shutil.rmtree, "serve: there is no model folder"),
        (lambda model: (model / "daal" / "manifest.json").unlink(), "has no daal/manifest.json"),
        (lambda model: (model / "daal" / "onedal.bin").write_bytes(b"x"), "(1 bytes) is damaged"),
        (
            lambda model: (model / "daal" / "manifest.json").write_text('{"format_version": 9}'),
            "format version 9, this release reads 1",
        ),
    ],
    ids=["no folder", "no manifest", "damaged", "version"],
)
def test_a_model_that_cannot_be_served_ends_serve(
    tmp_path: Path, base: Path, spoil: Callable[[Path], object], reason: str
) -> None:
    """One line on stderr, and an exit code that is not 0."""
    shutil.copytree(base / "model", tmp_path / "model")
    spoil(tmp_path / "model")
    process = start(tmp_path)

    _, errors = process.communicate(timeout=PATIENCE)

    assert process.returncode != 0
    assert reason in errors
    assert "Traceback" not in errors


def test_a_wrong_setting_ends_serve(base: Path) -> None:
    """The variable is named."""
    process = start(base, SAGEMAKER_BIND_TO_PORT="eighty")

    _, errors = process.communicate(timeout=PATIENCE)

    assert process.returncode == 1
    assert "SAGEMAKER_BIND_TO_PORT is 'eighty'" in errors
