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

from churn_daal import artifact

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


@contextlib.contextmanager
def serving(base: Path, workers: int) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Run workers on a free port until they answer, and stop them at the end."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = start(
        base, SAGEMAKER_BIND_TO_PORT=str(port), SAGEMAKER_MODEL_SERVER_WORKERS=str(workers)
    )
    try:
        until(lambda: up(port), process)
        yield process, port
    finally:
        if process.poll() is None:
            process.terminate()
        process.communicate(timeout=PATIENCE)


@pytest.mark.parametrize("objective", ["binary:logistic", "multi:softprob"])
def test_workers_answer_alike_under_load(
    tmp_path: Path, churn_head: str, train_model: Callable[..., Path], objective: str
) -> None:
    """Rows one by one and many at once, over several forked workers and threads, on TBB and OpenMP.

    Two classes of multi:softprob are what oneDAL's classifier cannot hold, so XGBoost answers.
    oneDAL adds up a row's trees in another order in a batch, so the last digit may differ.
    """
    model = train_model(tmp_path, churn_head, label="Churn?", objective=objective, num_round=20)
    expected = {"binary:logistic": "onedal", "multi:softprob": "xgboost"}
    assert artifact.audit(model).engine.name == expected[objective]
    many = f"{ROW}\n" * 3000

    with serving(tmp_path, workers=3) as (_, port), ThreadPoolExecutor(24) as pool:
        single = ask(port)
        answers = list(pool.map(lambda n: ask(port, many if n % 8 == 0 else ROW), range(240)))

    assert single[0] == 200
    assert {status for status, _ in answers} == {200}
    assert sum(len(text.split()) for _, text in answers) == 30 * 3000 + 210
    scores = {float(line.split(",")[0]) for _, text in answers for line in text.split()}
    assert max(abs(score - float(single[1].split(",")[0])) for score in scores) < 1e-6


def test_sigterm_lets_a_request_finish(base: Path) -> None:
    """A request whose body is still coming when SIGTERM arrives is answered; the exit is 0."""
    body = f"{ROW}\n".encode()
    head = f"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    with (
        serving(base, workers=1) as (process, port),
        contextlib.closing(socket.create_connection(("127.0.0.1", port), timeout=30)) as client,
    ):
        client.sendall(head + body[:10])
        # One worker accepts in order: a ping answered now shows that it has this connection.
        assert up(port)
        process.terminate()
        assert process.stderr is not None
        assert any("Handling signal: term" in line for line in process.stderr)
        client.sendall(body[10:])
        answer = client.recv(65_536)
        client.close()
        code = process.wait(PATIENCE)

    assert answer.startswith(b"HTTP/1.1 200")
    assert code == 0


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
