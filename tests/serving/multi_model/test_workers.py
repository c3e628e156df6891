"""Several workers agree on what is loaded, whichever of them dies and when."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException
from pathlib import Path

import pytest

from ...container.multi_model_cases import CLOSE, ROW, Endpoint, fresh, loaded
from ..test_server import start, until
from .drive import Running, resident, running

Folders = tuple[Path, dict[str, float]]
# So many requests reach every one of a few workers.
MANY = 40


def statuses(endpoint: Endpoint, name: str) -> set[int]:
    """Ask often enough to reach every worker."""
    with ThreadPoolExecutor(8) as pool:
        return set(pool.map(lambda _: endpoint.invoke(name).status, range(MANY)))


def test_a_worker_that_takes_anothers_place_knows_what_is_loaded(server: Running) -> None:
    """All are killed, one after the other; what was loaded answers and can be unloaded."""
    endpoint = server.endpoint
    with loaded(endpoint) as name:
        for worker in server.workers():
            server.kill(worker)
            assert statuses(endpoint, name) == {200}
        with ThreadPoolExecutor(8) as pool:
            scores = set(pool.map(lambda _: endpoint.invoke(name).score(), range(MANY)))
        assert max(abs(score - endpoint.scores["first"]) for score in scores) <= CLOSE

        assert endpoint.unload(name).status == 200
        assert statuses(endpoint, name) == {404}


def test_a_worker_that_ends_in_peace_takes_nothing_with_it(server: Running) -> None:
    """The folder that all share stays: gunicorn replaces the worker and loads go on."""
    endpoint = server.endpoint
    before = server.workers()
    with loaded(endpoint) as name:
        os.kill(before[0], signal.SIGTERM)
        until(lambda: server.complete(before[0]), server.process)

        assert statuses(endpoint, name) == {200}
        with loaded(endpoint, "second") as other:
            assert statuses(endpoint, other) == {200}


def test_workers_agree_after_kills_in_the_middle_of_loads_and_unloads(server: Running) -> None:
    """Whatever the clients were told, each model is loaded in all workers or in none."""
    endpoint = server.endpoint
    names = [fresh() for _ in range(4)]
    over = threading.Event()

    def churn(name: str) -> None:
        while not over.is_set():
            for change in (endpoint.load, endpoint.invoke, endpoint.unload):
                try:
                    assert change(name).status in {200, 404, 409}
                except (OSError, HTTPException):
                    continue  # the worker that had the request was killed

    with loaded(endpoint) as steady, ThreadPoolExecutor(4) as pool:
        changes = [pool.submit(churn, name) for name in names]
        try:
            for turn in range(6):
                server.kill(server.workers()[turn % 3])
        finally:
            over.set()
        for change in changes:
            change.result()

        assert statuses(endpoint, steady) == {200}
        for name in names:
            listed = name in endpoint.listed()
            assert statuses(endpoint, name) == {200 if listed else 404}
            assert endpoint.unload(name).status == (200 if listed else 404)
    assert endpoint.listed() == {}


def test_a_large_request_in_flight_is_answered_or_finds_no_model(server: Running) -> None:
    """An unload never breaks one that has begun, and a new load of the name may follow at once."""
    endpoint = server.endpoint
    body = ROW * 20_000
    for _ in range(3):
        with loaded(endpoint) as name, ThreadPoolExecutor(3) as pool:
            answers = [pool.submit(endpoint.invoke, name, body) for _ in range(3)]
            assert endpoint.unload(name).status == 200
            assert endpoint.load(name, "second").status == 200
            for answer in answers:
                reply = answer.result()
                assert reply.status in {200, 404}
                assert reply.status == 404 or len(reply.body.split()) == 20_000


@pytest.fixture(scope="module")
def large(
    tmp_path_factory: pytest.TempPathFactory, churn_head: str, train_model: Callable[..., Path]
) -> Path:
    """Return a folder with a model of which a few copies show in the memory."""
    base = tmp_path_factory.mktemp("large")
    given = {"num_round": 400, "max_depth": 8, "min_child_weight": 0.1}
    model = train_model(base / "large", churn_head, label="Churn?", **given)
    assert (model / "daal" / "onedal.bin").stat().st_size > 500_000
    return base


def test_memory_is_free_when_an_unload_is_answered(temporary: Path, large: Path) -> None:
    """In every worker; a hundred loads and unloads leave no more than a few did."""
    size = (large / "large" / "model" / "daal" / "onedal.bin").stat().st_size
    with running(temporary, large, {}, workers=2) as server:
        endpoint = server.endpoint

        def cycles(count: int) -> int:
            for name in (fresh() for _ in range(count)):
                assert endpoint.load(name, "large").status == 200
                assert endpoint.unload(name).status == 200
            return server.resident()

        few = cycles(5)
        names = [fresh() for _ in range(20)]
        assert {endpoint.load(name, "large").status for name in names} == {200}
        full = server.resident()
        assert {endpoint.unload(name).status for name in names} == {200}
        empty = server.resident()
        many = cycles(100)

    assert full - few > 2 * 20 * size * 0.8
    assert empty - few < (full - few) / 4
    assert many - few < (full - few) / 4


def test_the_end_of_the_server_leaves_no_files(temporary: Path, folders: Folders) -> None:
    """Neither the registry nor sockets, even where a worker was killed."""
    with running(temporary, *folders, workers=2) as server, loaded(server.endpoint):
        assert resident(server.process.pid) > 0
        server.kill(server.workers()[0])
    assert list(temporary.iterdir()) == []


def test_a_folder_whose_path_is_too_long_for_sockets_ends_serve(tmp_path: Path) -> None:
    """One line that names TMPDIR."""
    deep = tmp_path / ("x" * 120)
    deep.mkdir()
    process = start(tmp_path, SAGEMAKER_MULTI_MODEL="true", TMPDIR=str(deep))

    _, errors = process.communicate(timeout=60)

    assert process.returncode == 1
    assert "set TMPDIR to a shorter one" in errors
    assert "Traceback" not in errors
    assert list(deep.iterdir()) == []
