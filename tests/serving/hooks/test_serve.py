"""The server as a process, over models and code that others brought."""

from __future__ import annotations

import contextlib
import http.client
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from churn_daal.serving.processes import GRACE_SECONDS

from .conftest import Lay
from .test_packages import lay_wheel

PROGRAM = Path(__file__).parents[3] / "container" / "serve"
PATIENCE = 90
PAUSE = threading.Event()


@contextlib.contextmanager
def serving(model: Path, temporary: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Start two workers; end them at the end."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (model.parent / "base").mkdir()
    (model.parent / "base" / "model").symlink_to(model)
    environ = {
        "SAGEMAKER_BASE_DIR": str(model.parent / "base"),
        "SAGEMAKER_BIND_TO_PORT": str(port),
        "SAGEMAKER_MODEL_SERVER_WORKERS": "2",
        "TMPDIR": str(temporary),
    }
    process = subprocess.Popen(
        [sys.executable, str(PROGRAM)],
        env=os.environ | environ,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process, port
    finally:
        if process.poll() is None:
            process.terminate()
        process.communicate(timeout=PATIENCE)


def ask(port: int, body: str) -> str:
    """POST CSV until the server is up."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            with contextlib.closing(connection):
                headers = {"Content-Type": "text/csv"}
                connection.request("POST", "/invocations", body, headers)
                return connection.getresponse().read().decode()
        except OSError:
            assert time.monotonic() < end
            PAUSE.wait(0.1)


def test_workers_convert_nothing(lay: Lay, tmp_path: Path) -> None:
    """The model is converted once; the workers have neither XGBoost nor scikit-learn loaded."""
    code = (
        "import sys\n"
        "def predict_fn(data, model):\n"
        "    heavy = [name for name in ('xgboost', 'sklearn') if name in sys.modules]\n"
        "    return heavy + [model.engine.name]\n"
    )
    with serving(lay(code), tmp_path) as (_, port):
        assert ask(port, "1,2,3") == "onedal\n"


def test_installed_packages_go_with_the_server(lay: Lay, tmp_path: Path) -> None:
    """One folder for all workers, and none after the end."""
    folder = lay("import told_apart\ndef transform_fn(m, d, c, a): return told_apart.__file__\n")
    (folder / "code" / "requirements.txt").write_text("told-apart")
    lay_wheel(folder / "code" / "wheelhouse")
    temporary = tmp_path / "temporary"
    temporary.mkdir()

    with serving(folder, temporary) as (_, port):
        assert Path(ask(port, "x")).is_relative_to(temporary)

    assert list(temporary.glob("churn-daal-packages-*")) == []


def test_sigterm_ends_a_server_that_still_loads(lay: Lay, tmp_path: Path) -> None:
    """Its workers do not begin to serve, until they are killed."""
    code = (
        "import pathlib, time\n"
        "def model_fn(folder):\n"
        f"    pathlib.Path({str(tmp_path)!r}, 'begun').touch()\n"
        "    time.sleep(2)\n"
        "    return 1\n"
        "def predict_fn(data, model):\n"
        "    return data\n"
    )
    with serving(lay(code), tmp_path) as (process, _):
        end = time.monotonic() + PATIENCE
        while not (tmp_path / "begun").exists():
            assert time.monotonic() < end
            PAUSE.wait(0.05)
        process.terminate()

        _, errors = process.communicate(timeout=GRACE_SECONDS - 5)
        assert process.returncode == 0, errors


def test_bad_code_ends_the_server(lay: Lay, tmp_path: Path) -> None:
    """With a line on stderr and an exit code."""
    with serving(lay("import absent_module\n"), tmp_path) as (process, _):
        _, errors = process.communicate(timeout=PATIENCE)

    assert process.returncode not in {0, None}
    assert any(
        line.startswith("serve: the import of ") and "absent_module" in line
        for line in errors.splitlines()
    )


@pytest.mark.parametrize("content", [b"\x80\x04.", b"binf"])
def test_a_refused_model_ends_the_server(tmp_path: Path, content: bytes) -> None:
    """At once, by the first process."""
    model = tmp_path / "m"
    model.mkdir()
    (model / "xgboost-model").write_bytes(content)
    with serving(model, tmp_path) as (process, _):
        _, errors = process.communicate(timeout=PATIENCE)

    assert process.returncode == 1
    assert "model.ubj in its place" in errors
    assert "Traceback" not in errors
