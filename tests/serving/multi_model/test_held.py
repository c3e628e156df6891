"""A worker's copies: who waits for whom, and for whom nobody waits."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from churn_daal.errors import ArtifactError, ModelNotLoadedError, ModelUnavailableError
from churn_daal.serving.multi_model import registry
from churn_daal.serving.multi_model.held import Held, Loaded
from churn_daal.serving.multi_model.registry import Record, Registry
from churn_daal.serving.request import Answer, Request

PATIENCE = 30
ASKED = Request(memoryview(b"1"))


@dataclass
class Gate:
    """A service that says where it came from, and waits where it is told to."""

    folder: Path
    begun: threading.Event = field(default_factory=threading.Event)
    may_end: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.may_end.set()

    def ready(self) -> bool:
        """Answer."""
        return True

    def answer(self, request: Request) -> Answer:
        """Wait where that is asked for."""
        assert len(request.body)
        self.begun.set()
        assert self.may_end.wait(PATIENCE)
        return Answer(200, str(self.folder).encode())


class Loads:
    """Loads gates, and can be made to wait or to fail."""

    def __init__(self) -> None:
        self.gates: dict[Path, Gate] = {}
        self.count = 0
        self.forgotten: list[str] = []
        self.begun, self.may_end = threading.Event(), threading.Event()
        self.may_end.set()

    def __call__(self, record: Record) -> Loaded:
        """Load one."""
        folder = Path(record.url)
        self.count += 1
        self.begun.set()
        assert self.may_end.wait(PATIENCE)
        if folder.name == "broken":
            raise ArtifactError("damaged")
        gate = self.gates.setdefault(folder, Gate(folder))
        return Loaded(gate, lambda: self.forgotten.append(record.name))


@pytest.fixture
def loads() -> Loads:
    """Return the loading."""
    return Loads()


@pytest.fixture
def loaded(tmp_path: Path) -> Iterator[Registry]:
    """Return an open registry."""
    registry.create(tmp_path)
    opened = Registry(tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def held(loaded: Registry, loads: Loads) -> Held:
    """Return the copies of a worker."""
    return Held(loaded, loads)


A = Record("a", "/models/a", 1)
B = Record("b", "/models/b", 2)


def bring(held: Held, loaded: Registry, record: Record) -> None:
    """Load a model as an order does."""
    held.prepare(record, load=True)
    loaded.publish(record)
    held.settle(record)


def test_what_is_settled_is_answered_without_a_look_into_the_registry(
    held: Held, loaded: Registry
) -> None:
    """The usual request costs no system call: the registry may even be closed."""
    bring(held, loaded, A)
    held.answer("a", ASKED)
    loaded.close()

    assert held.answer("a", ASKED).body == b"/models/a"


def test_a_model_is_not_there_until_it_is_published(held: Held, loaded: Registry) -> None:
    """Prepared copies answer from the moment the registry has them, before they are settled."""
    held.prepare(A, load=True)
    with pytest.raises(ModelNotLoadedError, match="Model not found: a"):
        held.answer("a", ASKED)
    loaded.publish(A)

    assert held.answer("a", ASKED).status == 200


def test_a_model_is_gone_once_it_is_withdrawn(held: Held, loaded: Registry) -> None:
    """Even in a worker that has yet to settle."""
    bring(held, loaded, A)
    held.answer("a", ASKED)
    held.prepare(A, load=False)
    assert held.answer("a", ASKED).status == 200
    loaded.withdraw(A)

    with pytest.raises(ModelNotLoadedError):
        held.answer("a", ASKED)


def test_an_order_that_came_to_nothing_changes_nothing(
    held: Held, loaded: Registry, loads: Loads
) -> None:
    """An unload whose worker died leaves the model, a load whose worker died leaves none."""
    bring(held, loaded, A)
    held.prepare(A, load=False)
    held.settle(A)
    held.prepare(B, load=True)
    held.settle(B)

    assert held.answer("a", ASKED).status == 200
    assert loads.count == 2
    with pytest.raises(ModelNotLoadedError):
        held.answer("b", ASKED)


def test_the_end_of_an_older_load_does_not_touch_a_newer_one(held: Held, loaded: Registry) -> None:
    """The worker that had begun it died, and another one loads the name anew."""
    newer = Record("a", "/models/newer", 9)
    held.prepare(A, load=True)
    held.prepare(newer, load=True)
    held.settle(A)
    loaded.publish(newer)
    held.settle(newer)

    assert held.answer("a", ASKED).body == b"/models/newer"


def test_an_unload_waits_for_the_requests_that_use_the_model(
    held: Held, loaded: Registry, loads: Loads
) -> None:
    """They are answered, new ones find nothing, and then the copy is gone."""
    bring(held, loaded, A)
    gate = loads.gates[Path(A.url)]
    gate.may_end.clear()
    with ThreadPoolExecutor(2) as pool:
        answer = pool.submit(held.answer, "a", ASKED)
        assert gate.begun.wait(PATIENCE)
        held.prepare(A, load=False)
        loaded.withdraw(A)
        settled = pool.submit(held.settle, A)
        with pytest.raises(ModelNotLoadedError):
            held.answer("a", ASKED)
        assert not settled.done()
        gate.may_end.set()

        assert answer.result(PATIENCE).status == 200
        assert settled.result(PATIENCE) == 0
    assert loads.forgotten == ["a"]


def test_others_do_not_wait_for_a_load(held: Held, loaded: Registry, loads: Loads) -> None:
    """Nor do those that are unloaded meanwhile."""
    bring(held, loaded, A)
    loads.may_end.clear()
    loads.begun.clear()
    with ThreadPoolExecutor(1) as pool:
        load = pool.submit(held.prepare, B, load=True)
        assert loads.begun.wait(PATIENCE)

        assert held.answer("a", ASKED).status == 200
        held.prepare(A, load=False)
        loaded.withdraw(A)
        assert held.settle(A) == 0
        assert not load.done()
        loads.may_end.set()
        load.result(PATIENCE)


def test_a_new_worker_loads_once_on_the_first_of_many_requests(
    held: Held, loaded: Registry, loads: Loads
) -> None:
    """Its predecessor's models are in the registry; requests of one model share one load."""
    loaded.publish(A)
    loads.may_end.clear()
    with ThreadPoolExecutor(8) as pool:
        answers = [pool.submit(held.answer, "a", ASKED) for _ in range(8)]
        assert loads.begun.wait(PATIENCE)
        loads.may_end.set()

        assert {answer.result(PATIENCE).status for answer in answers} == {200}
    assert loads.count == 1


def test_a_model_that_cannot_be_loaded_again_is_unavailable(held: Held, loaded: Registry) -> None:
    """503 and the reason; tried anew with each request, so that a mended folder is found."""
    loaded.publish(Record("c", "/models/broken", 3))

    for _ in range(2):
        with pytest.raises(ModelUnavailableError, match="cannot be loaded again: damaged"):
            held.answer("c", ASKED)


def test_a_load_that_fails_leaves_nothing(held: Held) -> None:
    """And says why."""
    broken = Record("c", "/models/broken", 3)
    with pytest.raises(ArtifactError, match="damaged"):
        held.prepare(broken, load=True)

    assert held.settle(broken) == 0
    with pytest.raises(ModelNotLoadedError):
        held.answer("c", ASKED)
