"""How the tests drive the image: docker commands, files of a job, HTTP requests."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import subprocess
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import xgboost

from churn_daal import artifact

REPOSITORY = Path(__file__).parents[2]
TEST_DIR = REPOSITORY / "local_test" / "test_dir"
CHURN = REPOSITORY / "src" / "churn_daal" / "data" / "churn.csv"
# As root on CI, as SageMaker does it; as a developer, so that what a run writes can be removed.
AS_CALLER = ("--user", f"{os.getuid()}:{os.getgid()}")
PATIENCE = 120.0


def docker(*arguments: str, timeout: float = 600) -> subprocess.CompletedProcess[str]:
    """Run one docker command to its end."""
    return subprocess.run(
        ["docker", *arguments], capture_output=True, text=True, timeout=timeout, check=False
    )


def poll(question: Callable[[], bool], what: str, explain: Callable[[], str] = str) -> None:
    """Ask until the answer is yes; fail with an explanation when patience ends."""
    pause = threading.Event()
    deadline = time.monotonic() + PATIENCE
    while not question():
        if time.monotonic() > deadline:
            pytest.fail(f"{what} did not happen within {PATIENCE:.0f} s\n{explain()}")
        pause.wait(0.1)


@dataclass(frozen=True)
class Answer:
    """What came back for one request."""

    status: int
    body: bytes

    def scores(self) -> np.ndarray:
        """Return the numbers of a CSV answer, row after row."""
        assert self.status == 200, self.body
        return np.array(self.body.replace(b",", b"\n").split(), dtype=np.float64)


@dataclass(frozen=True)
class Container:
    """A container that runs under a name until the test ends."""

    name: str
    inner_port: int = 8080

    def logs(self) -> str:
        """Return what it printed on both streams."""
        done = docker("logs", self.name)
        return f"--- stdout\n{done.stdout}\n--- stderr\n{done.stderr}"

    def running(self) -> bool:
        """Tell whether its process 1 is alive."""
        return docker("inspect", "--format", "{{.State.Running}}", self.name).stdout == "true\n"

    def exit_code(self) -> int:
        """Wait for its end and return how process 1 exited."""
        poll(lambda: not self.running(), f"the end of {self.name}", self.logs)
        return int(docker("inspect", "--format", "{{.State.ExitCode}}", self.name).stdout)

    def terminate(self) -> None:
        """Send SIGTERM to process 1, as SageMaker does; unlike `docker stop`, never SIGKILL."""
        done = docker("kill", "--signal", "TERM", self.name)
        assert done.returncode == 0, done.stderr

    def port(self) -> int:
        """Return the port of this machine that leads to the server."""
        done = docker("port", self.name, f"{self.inner_port}/tcp")
        assert done.returncode == 0, done.stderr + self.logs()
        return int(done.stdout.splitlines()[0].rsplit(":", 1)[1])

    def get(self, path: str) -> Answer:
        """GET a route."""
        return self._ask("GET", path)

    def post(self, body: bytes, content_type: str = "text/csv") -> Answer:
        """POST to /invocations."""
        headers = {"Content-Type": content_type, "Accept": content_type}
        return self._ask("POST", "/invocations", body, headers)

    def _ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port(), timeout=60)
        with closing(connection):
            connection.request(method, path, body, headers or {})
            with connection.getresponse() as response:
                return Answer(response.status, response.read())

    def answers_ping(self) -> bool:
        """Tell whether GET /ping is answered 200; fail at once where the server has ended."""
        if not self.running():
            pytest.fail(f"{self.name} ended before it answered /ping\n{self.logs()}")
        try:
            return self.get("/ping").status == 200
        except (OSError, http.client.HTTPException):
            return False


def lay_opt_ml(base: Path, data: str | None = None, **hyperparameters: str) -> Path:
    """Lay test_dir at `base` with the churn data, or `data`, in its train channel."""
    shutil.copytree(TEST_DIR, base, ignore=shutil.ignore_patterns(".gitkeep"))
    text = CHURN.read_text(encoding="utf-8") if data is None else data
    (base / "input/data/train/churn.csv").write_text(text, encoding="utf-8")
    config = base / "input/config/hyperparameters.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | hyperparameters))
    return base


def lay_job(
    base: Path,
    files: Mapping[str, str | bytes],
    channels: Mapping[str, Mapping[str, str]] | None = None,
    **hyperparameters: object,
) -> Path:
    """Lay an /opt/ml with files below input/data, and the channels' entries where given."""
    for folder in ("input/config", "input/data", "model", "output/data"):
        (base / folder).mkdir(parents=True)
    for name, content in files.items():
        file = base / "input/data" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
    config = base / "input/config"
    (config / "hyperparameters.json").write_text(json.dumps(hyperparameters))
    if channels is not None:
        (config / "inputdataconfig.json").write_text(json.dumps(channels))
    return base


def failure_of(opt_ml: Path, done: subprocess.CompletedProcess[str]) -> str:
    """Return the reason a job gives, once it is sure that it ended as a user's fault has to."""
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    assert not any((opt_ml / "model").iterdir())
    failure = (opt_ml / "output/failure").read_text()
    assert failure.startswith("UserError: ")
    assert failure.splitlines()[0] in done.stderr
    return failure


def model_bytes(opt_ml: Path) -> dict[str, bytes]:
    """Return the files of a job's model by name."""
    model = opt_ml / "model"
    files = (path for path in model.rglob("*") if path.is_file())
    return {str(path.relative_to(model)): path.read_bytes() for path in files}


def mount(source: Path, target: str, *, readonly: bool = False) -> tuple[str, str]:
    """Return the options that lay a folder into a container; --volume cannot take every path."""
    return ("--mount", f"type=bind,source={source},target={target}{',readonly' * readonly}")


@contextmanager
def started(image: str, program: str, options: Sequence[str]) -> Iterator[Container]:
    """Run a program of the image in the background; remove its container at the end."""
    name = f"churn-daal-test-{uuid.uuid4().hex[:12]}"
    done = docker("run", "--detach", "--name", name, *options, image, program)
    try:
        assert done.returncode == 0, done.stderr
        yield Container(name)
    finally:
        docker("rm", "--force", name)


def as_csv(rows: Sequence[Sequence[str]]) -> bytes:
    """Write raw rows as a request body."""
    return "".join(",".join(row) + "\n" for row in rows).encode()


def xgboost_answers(model_dir: Path, rows: Sequence[Sequence[str]]) -> np.ndarray:
    """Ask stock XGBoost, in this process, what it makes of raw rows under a model's encoding."""
    booster = stock_booster(model_dir)
    matrix = artifact.load(model_dir).encoder.from_text(list(zip(*rows, strict=True)))
    return booster.predict(xgboost.DMatrix(matrix)).astype(np.float64)


def stock_booster(model_dir: Path) -> xgboost.Booster:
    """Load the portable model; as bytes, since of a file XGBoost judges the format by its name."""
    return xgboost.Booster(model_file=bytearray((model_dir / "xgboost-model").read_bytes()))
