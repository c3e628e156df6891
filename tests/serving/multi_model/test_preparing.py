"""A model is made ready once for all workers, and what was made goes with the model."""

from __future__ import annotations

import json
import resource
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path

import numpy as np
import pytest
import xgboost

from churn_daal.serving.multi_model import registry
from churn_daal.serving.multi_model.registry import Record, Registry
from churn_daal.serving.multi_model.room import Room
from churn_daal.serving.multi_model.start import join
from churn_daal.settings import ServeSettings

from ...container.multi_model_cases import Endpoint, assert_nothing_of, fresh, loaded
from ..hooks.test_packages import lay_wheel
from ..test_server import until
from .drive import Running, running

MANY = 24
SETTINGS = ServeSettings(Path("unused"))
NO_LIMIT = Room(lambda: None, reserve=0)
# A worker without a server around it, which takes orders until its stdin ends.
WORKER = """\
import sys
from pathlib import Path
from churn_daal.serving.multi_model.room import Room
from churn_daal.serving.multi_model.start import join
from churn_daal.settings import ServeSettings
join(ServeSettings(Path("unused")), Path(sys.argv[1]), Room(lambda: None, reserve=0))
print("ready", flush=True)
sys.stdin.read()
"""
CODE = """\
import json, sys
import told_apart
BALLAST = bytearray(SIZE << 20)
def model_fn(model_dir): return 1
def transform_fn(model, data, content_type, accept):
    return json.dumps([told_apart.WORD, told_apart.__file__, "other_one" in sys.modules])
"""


def lay_code(base: Path, name: str, version: str = "1.0", code: str = CODE, size: int = 1) -> None:
    """Lay a model of code alone that asks for a package, with the wheel of some version."""
    folder = base / name / "model" / "code"
    folder.mkdir(parents=True)
    (folder / "inference.py").write_text(code.replace("SIZE", str(size)))
    (folder / "requirements.txt").write_text("told-apart\n")
    lay_wheel(folder / "wheelhouse", version=version, word=version)


def lay_foreign(base: Path, name: str) -> Path:
    """Lay a booster from elsewhere, beside a file that is told of whenever it is converted."""
    X = np.random.default_rng(1).normal(size=(200, 3)).astype(np.float32)
    booster = xgboost.train({"objective": "reg:squarederror"}, xgboost.DMatrix(X, X[:, 0]), 3)
    folder = base / name / "model"
    folder.mkdir(parents=True)
    (folder / "xgboost-model").write_bytes(booster.save_raw("ubj"))
    (folder / "notes.txt").write_text("not a booster")
    return folder


def answers(endpoint: Endpoint, name: str) -> set[tuple[str, str, bool]]:
    """Return what all workers answer by the code of `lay_code`."""
    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda _: endpoint.invoke(name, b"1"), range(MANY)))
    assert {reply.status for reply in replies} == {200}, replies[0].body
    return {tuple(json.loads(reply.body)) for reply in replies}


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    """Run two workers over an empty folder of models."""
    with tempfile.TemporaryDirectory(prefix="mm-") as name:
        (Path(name) / "models").mkdir()
        with running(Path(name), Path(name) / "models", {}, workers=2) as started:
            yield started


@pytest.fixture
def base(server: Running) -> Path:
    """Return the server's folder of models."""
    return Path(server.endpoint.models)


def packages(server: Running) -> list[Path]:
    """Return what stands of installed packages anywhere."""
    return [*server.temporary.rglob("churn-daal-packages-*")]


def test_packages_are_installed_once_and_go_with_the_model(server: Running, base: Path) -> None:
    """All workers have one folder, a later one too; nothing is left after the unload."""
    lay_code(base, "packed")
    with loaded(server.endpoint, "packed") as name:
        [(word, file, _)] = answers(server.endpoint, name)
        assert word == "1.0"
        assert [Path(file).parent] == packages(server)
        server.kill(server.workers()[0])
        assert {there for _, there, _ in answers(server.endpoint, name)} == {file}
    assert packages(server) == []


def test_a_load_that_fails_leaves_no_packages(server: Running, base: Path) -> None:
    """The code's fault shows after they are installed, pip's before."""
    lay_code(base, "faulty", code="import absent_module\n" + CODE)
    lay_code(base, "lacking")
    (base / "lacking" / "model" / "code" / "requirements.txt").write_text("not-in-the-house\n")

    for folder, text in (("faulty", b"absent_module"), ("lacking", b"No matching distribution")):
        name = fresh()
        reply = server.endpoint.load(name, folder)
        assert reply.status == 400
        assert text in reply.body
        assert_nothing_of(server.endpoint, name)
        assert packages(server) == []


def test_a_worker_that_is_killed_in_a_load_leaves_nothing(server: Running, base: Path) -> None:
    """The one that takes its place removes what was made, and the model can be loaded."""
    lay_code(base, "slow", code="import time\ntime.sleep(100)\n" + CODE)
    slow = base / "slow" / "model" / "code"
    (slow / "requirements.txt").write_text("slowly\n")
    lay_wheel(slow / "wheelhouse", "slowly")
    lay_code(base, "fine")
    name = fresh()
    with loaded(server.endpoint, "fine") as other, ThreadPoolExecutor(1) as pool:
        load = pool.submit(server.endpoint.load, name, "slow")
        # Its packages are installed; it imports the code, and that never ends.
        until(
            lambda: bool([*server.temporary.rglob("churn-daal-packages-*/slowly.py")]),
            server.process,
        )
        for worker in server.workers():
            server.kill(worker)
        with pytest.raises((OSError, HTTPException)):
            load.result()

        assert len(packages(server)) == 1
        assert_nothing_of(server.endpoint, name)
        assert server.endpoint.load(name, "fine").status == 200
        assert server.endpoint.unload(name).status == 200
        assert {word for word, _, _ in answers(server.endpoint, other)} == {"1.0"}
    assert packages(server) == []


def test_models_may_ask_for_the_same_package_or_for_other_versions(
    server: Running, base: Path
) -> None:
    """Each is answered by its own, also when the other is gone."""
    for name, version in (("same", "1.0"), ("alike", "1.0"), ("other", "2.0")):
        lay_code(base, name, version)
    with loaded(server.endpoint, "alike") as alike, loaded(server.endpoint, "other") as other:
        with loaded(server.endpoint, "same") as same:
            assert {word for word, _, _ in answers(server.endpoint, same)} == {"1.0"}
        assert {word for word, _, _ in answers(server.endpoint, alike)} == {"1.0"}
        assert {word for word, _, _ in answers(server.endpoint, other)} == {"2.0"}


def test_compiled_packages_stay_where_every_load_finds_them(server: Running, base: Path) -> None:
    """No process can import them twice: a later load has the same, another version is refused."""
    code = "import _speedups, held_fast\n" + CODE.replace("told_apart", "held_fast")
    for name, version in (("once", "1.0"), ("again", "1.0"), ("other-held", "2.0")):
        lay_code(base, name, version, code)
        files = base / name / "model" / "code"
        (files / "requirements.txt").write_text("held-fast\n")
        lay_wheel(files / "wheelhouse", "held_fast", version, version, compiled=True)

    found = set()
    for folder in ("once", "again", "once"):
        with loaded(server.endpoint, folder) as name:
            found |= answers(server.endpoint, name)
        assert packages(server) == []
    assert len(found) == 1
    refused = server.endpoint.load(fresh(), "other-held")
    assert refused.status == 400
    assert b"Give all models one version of it" in refused.body


def test_code_leaves_the_memory_and_the_table_of_modules(server: Running, base: Path) -> None:
    """After the unload, in every worker."""
    big = 60
    lay_code(base, "small")
    lay_code(base, "big", code="import other_one\n" + CODE, size=big)
    (base / "big" / "model" / "code" / "other_one.py").touch()
    with loaded(server.endpoint, "big"):
        pass  # what Python itself grows by the first time
    before = server.resident()
    with loaded(server.endpoint, "big") as name:
        assert {held for _, _, held in answers(server.endpoint, name)} == {True}
        assert server.resident() - before > 2 * big * 0.8 * 2**20
    assert server.resident() - before < big / 4 * 2**20

    with loaded(server.endpoint, "small") as name:
        assert {held for _, _, held in answers(server.endpoint, name)} == {False}


def test_a_worker_that_takes_anothers_place_converts_nothing(server: Running, base: Path) -> None:
    """It has the bytes the others were made of: the booster itself may be gone."""
    folder = lay_foreign(base, "foreign")
    with loaded(server.endpoint, "foreign") as name:
        (folder / "xgboost-model").unlink()
        for worker in server.workers():
            server.kill(worker)
        replies = [server.endpoint.invoke(name, b"1,2,3\n") for _ in range(MANY)]
        assert {reply.status for reply in replies} == {200}


@contextmanager
def companion(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run another worker, as a process."""
    command = [sys.executable, "-c", WORKER, str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            yield process
        finally:
            process.kill()


def test_a_foreign_model_is_converted_once(
    temporary: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """However many workers there are."""
    folder = lay_foreign(tmp_path, "foreign")
    registry.create(temporary)
    models, held, listener = join(SETTINGS, temporary, NO_LIMIT)

    with companion(temporary), companion(temporary):
        models.load("a", str(folder))
        models.unload("a")
    listener.close()

    del held
    assert capfd.readouterr().err.count("passed over in") == 1


def test_a_worker_that_stays_silent_is_ended_and_the_load_goes_on(
    temporary: Path, folders: tuple[Path, dict[str, float]], caplog: pytest.LogCaptureFixture
) -> None:
    """It is stopped in the middle of a load; the one that takes its place knows the registry."""
    registry.create(temporary)
    models, _, listener = join(SETTINGS, temporary, NO_LIMIT, silence=1)
    first = folders[0] / "first" / "model"

    with companion(temporary) as mute:
        mute.send_signal(signal.SIGSTOP)
        record = models.load("a", str(first))
        assert mute.wait(60) == -signal.SIGKILL
        assert f"worker {mute.pid} takes no orders: it is ended" in caplog.text
        assert models.registry.find("a") == record

    with companion(temporary) as mute:
        mute.send_signal(signal.SIGSTOP)
        models.unload("a")
        assert mute.wait(60) == -signal.SIGKILL
    assert models.registry.find("a") is None
    listener.close()


@contextmanager
def no_files_over(server: Running, size: int) -> Iterator[None]:
    """Let the workers write no file beyond a size, as on a disk that is full."""
    hard = resource.RLIM_INFINITY
    for worker in server.workers():
        resource.prlimit(worker, resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        for worker in server.workers():
            resource.prlimit(worker, resource.RLIMIT_FSIZE, (hard, hard))


@pytest.mark.parametrize(
    ("left", "text"),
    [(100, b"there is no disk for what model"), (200_000, b"cannot be written to")],
)
def test_a_full_disk_is_507_and_leaves_nothing(
    server: Running,
    folders: tuple[Path, dict[str, float]],
    left: int,
    text: bytes,
) -> None:
    """For what is made of a model as for its line in the registry."""
    endpoint = Endpoint(server.endpoint.base_url, str(folders[0]), folders[1])
    [shared] = server.temporary.glob("churn-daal-*")
    book = Registry(shared)
    # The registry's own file is over the limit, what is made of a model is under the second.
    fillers = [Record(f"filler{number}", "/none", number) for number in range(100)]
    for record in fillers:
        book.publish(record)
    name = fresh()
    with no_files_over(server, left):
        refused = endpoint.load(name)
        assert refused.status == 507
        assert text in refused.body
        assert_nothing_of(endpoint, name)
        assert not list(shared.glob("provisions/*/*"))
    for record in fillers:
        book.withdraw(record)
    book.close()

    with loaded(endpoint, "first") as name, no_files_over(server, 100):
        assert endpoint.unload(name).status == 507
        assert {endpoint.invoke(name).status for _ in range(MANY)} == {200}
    assert endpoint.listed() == {}


def test_a_disk_that_pip_fills_is_507(server: Running, base: Path) -> None:
    """Another model may be unloaded to make room for it."""
    lay_code(base, "filling")
    name = fresh()
    with no_files_over(server, 1000):
        refused = server.endpoint.load(name, "filling")
    assert refused.status == 507, refused.body
    assert_nothing_of(server.endpoint, name)
    assert packages(server) == []


def test_no_files_are_left_at_the_end(temporary: Path, tmp_path: Path) -> None:
    """Even where models are still loaded."""
    lay_code(tmp_path, "packed")
    with running(temporary, tmp_path, {}, workers=1) as server:
        assert server.endpoint.load("a", "packed").status == 200
        assert packages(server)
    assert list(temporary.iterdir()) == []
