"""`serve` as a process: several workers, signals, and exits that say why."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import xgboost

from churn_daal import artifact, engine
from churn_daal.machine import usable_cores
from churn_daal.serving.processes import THREADS
from churn_daal.settings import SERVERS

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
        if path in {"/ping", "/metrics"}:
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
def serving(
    base: Path, workers: int, **environ: str
) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Run workers on a free port until they answer, and stop them at the end."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = start(
        base,
        SAGEMAKER_BIND_TO_PORT=str(port),
        SAGEMAKER_MODEL_SERVER_WORKERS=str(workers),
        **environ,
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


both = pytest.mark.parametrize("server", SERVERS)


@both
def test_sigterm_lets_a_request_finish(base: Path, server: str) -> None:
    """A request whose body is still coming when SIGTERM arrives is answered; the exit is 0."""
    body = f"{ROW}\n".encode()
    head = f"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    with (
        serving(base, workers=1, CHURN_DAAL_SERVER=server) as (process, port),
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


def mix_up(model: Path) -> None:
    """Put another model's oneDAL file in, vouched for by the manifest."""
    other = engine.convert(
        xgboost.train({}, xgboost.DMatrix(np.arange(9.0)[:, None], np.arange(9.0)), 2)
    ).to_bytes()
    (model / "daal" / "onedal.bin").write_bytes(other)
    manifest = json.loads((model / "daal" / "manifest.json").read_text())
    manifest["files"]["daal/onedal.bin"] = hashlib.sha256(other).hexdigest()
    (model / "daal" / "manifest.json").write_text(json.dumps(manifest))


def exchange(port: int, *pieces: bytes) -> bytes:
    """Send raw bytes, end the sending side, and return all that comes back."""
    address = ("127.0.0.1", port)
    with contextlib.closing(socket.create_connection(address, timeout=30)) as client:
        for piece in pieces:
            client.sendall(piece)
        client.shutdown(socket.SHUT_WR)
        return client.makefile("rb").read()


@pytest.fixture(scope="module", params=SERVERS)
def port(base: Path, request: pytest.FixtureRequest) -> Iterator[int]:
    """Run one worker with a small body limit, of each server in turn."""
    server = {"CHURN_DAAL_SERVER": request.param}
    with serving(base, workers=1, MAX_CONTENT_LENGTH="1000", **server) as (_, port):
        yield port


HEAD = b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Type: text/csv\r\nConnection: close\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


def chunk(data: bytes) -> bytes:
    """Frame a chunk."""
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


def test_a_chunked_body_is_read_to_its_end(port: int) -> None:
    """Its rows are answered, one each."""
    rows = [f"{ROW}\n".encode()] * 3

    answer = exchange(port, CHUNKED, *map(chunk, rows), b"0\r\n\r\n")

    assert answer.startswith(b"HTTP/1.1 200")
    assert len(answer.partition(b"\r\n\r\n")[2].split()) == 3


@pytest.mark.parametrize(
    ("pieces", "status"),
    [
        ([CHUNKED, chunk(f"{ROW}\n".encode() * 20), b"0\r\n\r\n"], b"413"),
        ([CHUNKED, b"zz\r\n"], b"400"),
        ([HEAD, b"Content-Length: 100\r\n\r\n", ROW.encode()], b"400"),
        ([HEAD, b"Content-Length: 300000\r\n\r\n", b"1" * 300_000], b"413"),
    ],
    ids=["chunked and too long", "no chunk", "cut short", "too long"],
)
def test_bodies_that_are_not_whole_are_refused(
    port: int, pieces: list[bytes], status: bytes
) -> None:
    """And the worker goes on answering."""
    assert exchange(port, *pieces).startswith(b"HTTP/1.1 " + status)
    assert ask(port)[0] == 200


def test_clients_that_stall_do_not_hold_the_server(port: int) -> None:
    """More half-sent requests than there are threads: /ping answers, when they end at last."""
    with contextlib.ExitStack() as stack:
        for _ in range(THREADS + 4):
            client = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
            stack.enter_context(contextlib.closing(client))
            client.sendall(HEAD + b"Content-Length: 100\r\n\r\nKS")

        assert ask(port, path="/ping")[0] == 200


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
        (mix_up, "the oneDAL model has 1 features"),
    ],
    ids=["no folder", "no manifest", "damaged", "version", "two jobs' files"],
)
def test_a_model_that_cannot_be_served_ends_serve(
    tmp_path: Path, base: Path, spoil: Callable[[Path], object], reason: str
) -> None:
    """One line on stderr, and an exit code that is not 0."""
    shutil.copytree(base / "model", tmp_path / "model")
    spoil(tmp_path / "model")
    # Several, so that more than one finds out at a time.
    process = start(tmp_path, SAGEMAKER_MODEL_SERVER_WORKERS="4")

    _, errors = process.communicate(timeout=PATIENCE)

    assert process.returncode != 0
    assert reason in errors
    assert "Traceback" not in errors


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("SAGEMAKER_BIND_TO_PORT", "eighty", " is 'eighty'"),
        ("CHURN_DAAL_SERVER", "apache", " is 'apache'; expected event-loop or threads"),
        (
            "SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT",
            "text/cvs",
            ": Accept text/cvs asks for no type this server writes; ask for one of: text/csv",
        ),
    ],
)
def test_a_wrong_setting_ends_serve(base: Path, name: str, value: str, reason: str) -> None:
    """The variable is named."""
    process = start(base, **{name: value})

    _, errors = process.communicate(timeout=PATIENCE)

    assert process.returncode != 0
    assert f"{name}{reason}" in errors
    assert "Traceback" not in errors


def scrape(port: int) -> dict[str, float]:
    """Read /metrics."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    with contextlib.closing(connection):
        connection.request("GET", "/metrics")
        page = connection.getresponse().read().decode()
    lines = (line.rpartition(" ") for line in page.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, _, value in lines}


def free_ports() -> tuple[int, int]:
    """Return a free port whose neighbour is free too."""
    while True:
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port = first.getsockname()[1]
            with contextlib.suppress(OSError, OverflowError):
                second.bind(("127.0.0.1", port + 1))
                return port, port + 1


def children(process: subprocess.Popen[str]) -> list[int]:
    """Return the workers' process ids."""
    listed = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text()
    return [int(pid) for pid in listed.split()]


@both
def test_metrics_add_up_over_workers_and_their_deaths(base: Path, server: str) -> None:
    """Whichever worker is asked; what a killed one counted stays."""
    answered = 'churn_daal_requests_total{status="200"}'
    served = serving(base, workers=2, CHURN_DAAL_SERVER=server)
    with served as (process, port), ThreadPoolExecutor(8) as pool:
        assert {status for status, _ in pool.map(lambda _: ask(port), range(40))} == {200}
        assert [scrape(port)[answered] for _ in range(6)] == [40] * 6

        before = children(process)
        os.kill(before[0], 9)
        until(lambda: len(children(process)) == 2 and children(process) != before, process)
        # A worker is a process before it counts itself.
        until(lambda: scrape(port)["churn_daal_worker_starts_total"] == 3, process)

        assert {status for status, _ in pool.map(lambda _: ask(port), range(20))} == {200}
        after = scrape(port)

    assert after[answered] == 60
    assert after["churn_daal_rows_total"] == 60
    assert after["churn_daal_workers"] == 2
    assert after["churn_daal_requests_in_flight"] == 0


@pytest.mark.parametrize("taken", [False, True], ids=["free", "taken"])
def test_a_safe_port_has_the_metrics(base: Path, taken: bool) -> None:
    """One that somebody else has is passed over, and never ends the server."""
    first, second = free_ports()
    with contextlib.ExitStack() as stack:
        if taken:
            holder = stack.enter_context(socket.socket())
            holder.bind(("0.0.0.0", first))  # noqa: S104 - as the server would
            holder.listen()
        spare = f"{first}-{second}"
        _, port = stack.enter_context(serving(base, 1, SAGEMAKER_SAFE_PORT_RANGE=spare))

        assert ask(port)[0] == 200
        assert scrape(second if taken else first)["churn_daal_rows_total"] == 1
        assert ask(port, path="/metrics")[0] in {404, 405}


@both
def test_a_long_request_is_not_cut_off(base: Path, server: str) -> None:
    """One that takes several times the worker's time-out is answered by the same worker."""
    row = f"{ROW}\n".encode()
    head = f"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Length: {len(row) * 8}\r\n\r\n"
    with (
        serving(base, 1, SAGEMAKER_MODEL_SERVER_TIMEOUT="1", CHURN_DAAL_SERVER=server) as (
            process,
            port,
        ),
        contextlib.closing(socket.create_connection(("127.0.0.1", port), timeout=30)) as client,
    ):
        before = children(process)
        client.sendall(head.encode())
        for _ in range(8):
            client.sendall(row)
            # A client as slow as this is what makes the request long.
            PAUSE.wait(0.6)
        answer = client.recv(65_536)
        after = children(process)

    assert answer.startswith(b"HTTP/1.1 200")
    assert before == after


@both
def test_more_requests_at_once_than_threads_are_asked_for(base: Path, server: str) -> None:
    """A batch job's own number of concurrent requests gets as many threads."""
    many = THREADS + 8
    head = f"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Length: {len(ROW)}\r\n\r\n"
    asked = {"SAGEMAKER_MAX_CONCURRENT_TRANSFORMS": str(many), "CHURN_DAAL_SERVER": server}
    with serving(base, 1, **asked) as (_, port), contextlib.ExitStack() as stack:
        clients = []
        for _ in range(many - 1):
            client = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
            clients.append(stack.enter_context(contextlib.closing(client)))
            client.sendall(head.encode() + ROW[:-1].encode())
        # All have come as far as they will: this one came after them.
        assert ask(port)[0] == 200
        for client in clients:
            client.sendall(ROW[-1:].encode())
        answers = [client.recv(65_536) for client in clients]

    assert {answer[:12] for answer in answers} == {b"HTTP/1.1 200"}


def test_a_hundred_half_open_clients_hold_nobody(base: Path) -> None:
    """On the event loop, which waits for no one body; with threads they would take all of them."""
    with serving(base, 1) as (_, port), contextlib.ExitStack() as stack:
        for _ in range(100):
            client = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
            stack.enter_context(contextlib.closing(client))
            client.sendall(HEAD + b"Content-Length: 100\r\n\r\nKS")

        statuses = [ask(port)[0], ask(port, f"{ROW}\n" * 5000)[0], ask(port, path="/ping")[0]]

    assert statuses == [200] * 3


def test_the_log_level_is_the_servers_too(base: Path) -> None:
    """At WARNING an ordinary start and end print nothing."""
    with serving(base, 1, SAGEMAKER_CONTAINER_LOG_LEVEL="WARNING") as (process, port):
        assert ask(port)[0] == 200
        process.terminate()
        _, errors = process.communicate(timeout=PATIENCE)

    assert errors == ""


def test_sigterm_lets_those_who_have_connected_have_their_answers(base: Path) -> None:
    """Their requests lie with the kernel when the end comes: nobody has read a byte of them."""
    body = f"{ROW}\n".encode()
    head = f"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    with (
        serving(base, workers=1) as (process, port),
        contextlib.ExitStack() as stack,
    ):
        (worker,) = children(process)
        os.kill(worker, signal.SIGSTOP)
        # On a busy machine the signals that follow could come before it has taken this one.
        until(lambda: "\nState:\tT" in Path(f"/proc/{worker}/status").read_text(), process)
        clients = []
        for _ in range(3):
            client = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
            clients.append(stack.enter_context(contextlib.closing(client)))
            client.sendall(head + body)
        process.terminate()
        assert process.stderr is not None
        assert any("Handling signal: term" in line for line in process.stderr)
        until(lambda: pending(worker, signal.SIGTERM), process)
        os.kill(worker, signal.SIGCONT)
        answers = [client.recv(65_536)[:12] for client in clients]

    assert answers == [b"HTTP/1.1 200"] * 3


def pending(pid: int, number: int) -> bool:
    """Tell whether a signal waits for a process."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    sets = [int(line.split()[1], 16) for line in lines if line.startswith(("ShdPnd", "SigPnd"))]
    return any(waiting >> (number - 1) & 1 for waiting in sets)


@both
def test_the_log_says_what_serves_and_why(base: Path, server: str) -> None:
    """Workers, threads and port, and the cores and memory that they were chosen from."""
    with serving(base, workers=2, CHURN_DAAL_SERVER=server) as (process, port):
        process.terminate()
        _, log = process.communicate(timeout=PATIENCE)

    [line] = [line for line in log.splitlines() if line.startswith("INFO serving ")]
    assert "binary:logistic with engine onedal" in line
    assert f"2 workers on port {port} ({server}, {THREADS} threads each)" in line
    cores = usable_cores()
    assert f"up to {cores} threads a prediction ({cores} cores, " in line
    assert "GiB of memory)" in line
