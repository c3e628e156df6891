"""What every multi-model server of this project does, whichever program serves (contract 1.6).

Each case is a claim that takes an `Endpoint`, a running server of which HTTP alone is used. A case
loads models under names of its own and unloads them, so that the cases can share one server.
"""

from __future__ import annotations

import http.client
import json
import shutil
import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

CLOSE = 1e-5
# Stands for the status of a request that is not answered in time.
NO_ANSWER = 0
ROW = b"KS,128,415,no,yes,25,265.1,110,45.07,197.4,99,16.78,244.7,91,11.01,10.0,3,2.7,1\n"
# What a cell of text does in a column of numbers.
BAD_ROW = ROW.replace(b"265.1", b"much")


@dataclass(frozen=True)
class Reply:
    """What came back for one request."""

    status: int
    body: bytes
    content_type: str

    def json(self) -> Any:  # noqa: ANN401 - as json.loads has it
        """Return the body as JSON."""
        return json.loads(self.body)

    def score(self) -> float:
        """Return the one number of a CSV answer."""
        assert self.status == 200, self.body
        return float(self.body.strip().split(b",")[0])


@dataclass(frozen=True)
class Endpoint:
    """A multi-model server under test.

    Attributes
    ----------
    base_url
        Such as `http://127.0.0.1:8080`.
    models
        The folder that `lay_models` filled, as the server sees it: `/opt/ml/models` in a container.
    scores
        What `first` and `second` answer to `ROW`, by folder.
    between
        What a request may be answered, beside 200, that meets the coming or going of its own model.
    rounds
        How often models come and go under fire.
    patience
        Seconds until a client gives up.
    """

    base_url: str
    models: str
    scores: dict[str, float]
    between: frozenset[int] = frozenset({404})
    rounds: int = 10
    patience: float = 120.0

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Reply:
        """Send one request on a connection of its own."""
        host = self.base_url.removeprefix("http://").rstrip("/")
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        with closing(http.client.HTTPConnection(host, timeout=self.patience)) as connection:
            connection.request(method, path, body, named)
            with connection.getresponse() as response:
                kind = response.headers.get("Content-Type", "")
                return Reply(response.status, response.read(), kind)

    def url(self, folder: str) -> str:
        """Return where a model lies, as the platform tells it."""
        return f"{self.models}/{folder}/model"

    def load(self, name: str, folder: str = "first") -> Reply:
        """POST /models."""
        body = json.dumps({"model_name": name, "url": self.url(folder)}).encode()
        return self.ask("POST", "/models", body, Content_Type="application/json")

    def unload(self, name: str) -> Reply:
        """DELETE /models/{name}."""
        return self.ask("DELETE", f"/models/{quote(name, safe='')}")

    def invoke(self, name: str, body: bytes = ROW, **headers: str) -> Reply:
        """POST /models/{name}/invoke, CSV unless the headers say otherwise."""
        sent = {"Content_Type": "text/csv", "Accept": "text/csv"} | headers
        return self.ask("POST", f"/models/{quote(name, safe='')}/invoke", body, **sent)

    def describe(self, name: str) -> Reply:
        """GET /models/{name}."""
        return self.ask("GET", f"/models/{quote(name, safe='')}")

    def listed(self, limit: int | None = None) -> dict[str, str]:
        """Return every loaded model's url by name, page after page."""
        found: dict[str, str] = {}
        wish = [] if limit is None else [f"limit={limit}"]
        token: list[str] = []
        while True:
            query = "&".join([*wish, *token])
            page = self.ask("GET", f"/models?{query}" if query else "/models")
            assert page.status == 200, page.body
            entries = {model["modelName"]: model["modelUrl"] for model in page.json()["models"]}
            assert found.keys().isdisjoint(entries)
            assert limit is None or len(entries) <= limit
            found |= entries
            if not page.json().get("nextPageToken"):
                return found
            token = [f"next_page_token={quote(page.json()['nextPageToken'], safe='')}"]


def lay_models(base: Path, first: Path, second: Path) -> Path:
    """Lay two models that answer `ROW` differently, a damaged one and an empty folder."""
    for folder, source in (("first", first), ("second", second), ("damaged", first)):
        shutil.copytree(source, base / folder / "model")
    (base / "empty" / "model").mkdir(parents=True)
    # One byte changed and one file cut: what a broken copy looks like.
    onedal = base / "damaged" / "model" / "daal" / "onedal.bin"
    onedal.write_bytes(onedal.read_bytes()[:-7])
    booster = base / "damaged" / "model" / "xgboost-model"
    booster.write_bytes(b"\x00" + booster.read_bytes()[1:])
    return base


@contextmanager
def loaded(server: Endpoint, folder: str = "first") -> Iterator[str]:
    """Load a model under a fresh name and unload it at the end."""
    name = fresh()
    reply = server.load(name, folder)
    assert reply.status == 200, reply.body
    try:
        yield name
    finally:
        server.unload(name)


def fresh() -> str:
    """Return a name as the platform makes them: a hash."""
    return uuid.uuid4().hex


def ping_is_200_without_any_model(server: Endpoint) -> None:
    """Health is asked for before the first model is loaded."""
    assert server.ask("GET", "/ping").status == 200


def a_loaded_model_answers_is_listed_and_described(server: Endpoint) -> None:
    """From the moment POST /models is answered."""
    with loaded(server) as name:
        assert abs(server.invoke(name).score() - server.scores["first"]) <= CLOSE
        assert server.listed()[name] == server.url("first")
        described = server.describe(name)
        assert described.status == 200
        assert name in described.body.decode()


def models_do_not_mix(server: Endpoint) -> None:
    """Two models loaded side by side each give their own answer."""
    with loaded(server, "first") as first, loaded(server, "second") as second:
        for _ in range(5):
            assert abs(server.invoke(first).score() - server.scores["first"]) <= CLOSE
            assert abs(server.invoke(second).score() - server.scores["second"]) <= CLOSE


def a_loaded_model_is_a_conflict(server: Endpoint) -> None:
    """409, and the one that is loaded goes on."""
    with loaded(server, "first") as name:
        again = server.load(name, "second")

        assert again.status == 409
        assert f"Model {name} is already registered." in again.body.decode()
        assert abs(server.invoke(name).score() - server.scores["first"]) <= CLOSE


def two_loads_at_once_are_one_load(server: Endpoint) -> None:
    """One client gets 200, the others 409; the model answers."""
    name = fresh()
    with ThreadPoolExecutor(4) as pool:
        replies = list(pool.map(lambda _: server.load(name), range(4)))

    assert sorted(reply.status for reply in replies) == [200, 409, 409, 409]
    assert server.invoke(name).status == 200
    assert server.unload(name).status == 200


def an_unloaded_model_is_gone(server: Endpoint) -> None:
    """From the moment DELETE is answered, in every worker; it can be loaded again."""
    with loaded(server) as name:
        unloaded = server.unload(name)

        assert unloaded.status == 200
        assert f'Model \\"{name}\\" unregistered' in unloaded.body.decode()
        assert {server.invoke(name).status for _ in range(20)} == {404}
        assert server.describe(name).status == 404
        assert name not in server.listed()
        assert server.load(name, "second").status == 200
        for _ in range(20):
            assert abs(server.invoke(name).score() - server.scores["second"]) <= CLOSE


def unknown_models_are_404(server: Endpoint) -> None:
    """To invoke, describe or unload."""
    name = fresh()
    for reply in (server.invoke(name), server.describe(name), server.unload(name)):
        assert reply.status == 404
        assert f"Model not found: {name}" in reply.body.decode()


def a_missing_url_is_404(server: Endpoint) -> None:
    """And nothing is loaded."""
    name = fresh()

    assert server.load(name, "nowhere").status == 404
    assert_nothing_of(server, name)


def a_damaged_model_is_400(server: Endpoint) -> None:
    """Nothing is loaded of a folder whose files are damaged, or that holds none."""
    for folder in ("damaged", "empty"):
        name = fresh()
        reply = server.load(name, folder)

        assert reply.status == 400, reply.body
        assert_nothing_of(server, name)


def assert_nothing_of(server: Endpoint, name: str) -> None:
    """Check that no trace of a refused load is left."""
    assert {server.invoke(name).status for _ in range(10)} == {404}
    assert server.describe(name).status == 404
    assert name not in server.listed()


def a_body_that_is_no_load_request_is_400(server: Endpoint) -> None:
    """Broken JSON, no object, keys left out or of another type."""
    url = server.url("first")
    bodies: list[Any] = [[], {}, {"model_name": fresh()}, {"url": url}]
    bodies += [{"model_name": 3, "url": url}, {"model_name": "", "url": url}]
    for body in (b"", b"{", *(json.dumps(body).encode() for body in bodies)):
        reply = server.ask("POST", "/models", body, Content_Type="application/json")
        assert reply.status == 400, (body, reply.body)


def names_are_opaque(server: Endpoint) -> None:
    """Slashes, blanks, percent signs and other scripts come through the path escaped."""
    for name in (
        f"team/a b/{fresh()}",
        f"100%25-{fresh()}",
        f"modèle-{fresh()}",
        f"{fresh()}/invoke",
    ):
        assert server.load(name).status == 200
        try:
            assert server.invoke(name).status == 200, name
            assert name in server.listed()
            assert server.describe(name).status == 200
        finally:
            assert server.unload(name).status == 200, name
        assert server.invoke(name).status == 404


def lists_come_in_pages(server: Endpoint) -> None:
    """Each model once, whatever the size of a page."""
    names = [fresh() for _ in range(7)]
    for name in names:
        assert server.load(name).status == 200
    try:
        for limit in (1, 3, 100, None):
            assert set(names) <= server.listed(limit).keys()
    finally:
        for name in names:
            assert server.unload(name).status == 200


def an_invoke_is_an_invocation(server: Endpoint) -> None:
    """Types in and out and refusals are those of `/invocations`."""
    with loaded(server) as name:
        record = json.dumps({"instances": [ROW.decode().strip().split(",")]}).encode()
        as_json = server.invoke(name, record, Content_Type="application/json", Accept="*/*")
        assert as_json.status == 200, as_json.body
        score = as_json.json()["predictions"][0]["score"]
        assert abs(score - server.scores["first"]) <= CLOSE
        assert as_json.content_type.startswith("application/json")
        assert len(server.invoke(name, ROW * 300).body.split()) == 300

        bad = server.invoke(name, ROW + BAD_ROW)
        assert bad.status == 415
        assert b"Loading csv data failed" in bad.body
        assert b"row 2" in bad.body
        short = server.invoke(name, ROW.rpartition(b",")[0])
        assert 400 <= short.status < 500
        assert server.invoke(name, Content_Type="image/png").status == 415
        assert server.invoke(name, Accept="image/png").status == 406
        assert server.invoke(name).status == 200


def invocations_without_a_model_are_refused(server: Endpoint) -> None:
    """None of the many models is meant."""
    reply = server.ask("POST", "/invocations", ROW, Content_Type="text/csv")

    assert 400 <= reply.status < 500


def clients_of_one_model_do_not_feel_the_coming_and_going_of_others(server: Endpoint) -> None:
    """Under fire 200 comes from what stays, 200 or 404 from what comes and goes.

    Some servers have other codes than 404 for the latter, or none.
    """
    over = threading.Event()
    fleeting = [fresh() for _ in range(3)]
    # Where a request may be lost, there is no use in waiting for it.
    hasty = replace(server, patience=5.0) if NO_ANSWER in server.between else server

    def fire(client: Endpoint, name: str) -> set[int]:
        statuses = set()
        while not over.is_set():
            try:
                reply = client.invoke(name)
            except TimeoutError:
                statuses.add(NO_ANSWER)
                continue
            statuses.add(reply.status)
            if reply.status == 200:
                assert abs(reply.score() - server.scores["first"]) <= CLOSE
        return statuses

    with loaded(server) as steady, ThreadPoolExecutor(6) as pool:
        seen = [pool.submit(fire, server, steady) for _ in range(3)]
        seen += [pool.submit(fire, hasty, name) for name in fleeting]
        try:
            for _ in range(server.rounds):
                for name in fleeting:
                    assert server.load(name).status == 200
                for name in fleeting:
                    assert server.unload(name).status == 200
        finally:
            over.set()
        assert [future.result() for future in seen[:3]] == [{200}] * 3
        assert all(future.result() <= {200, *server.between} for future in seen[3:])


CASES: tuple[Callable[[Endpoint], None], ...] = (
    ping_is_200_without_any_model,
    a_loaded_model_answers_is_listed_and_described,
    models_do_not_mix,
    a_loaded_model_is_a_conflict,
    two_loads_at_once_are_one_load,
    an_unloaded_model_is_gone,
    unknown_models_are_404,
    a_missing_url_is_404,
    a_damaged_model_is_400,
    a_body_that_is_no_load_request_is_400,
    names_are_opaque,
    lists_come_in_pages,
    an_invoke_is_an_invocation,
    invocations_without_a_model_are_refused,
    clients_of_one_model_do_not_feel_the_coming_and_going_of_others,
)


def case_name(case: Callable[[Endpoint], None]) -> str:
    """Return a case's name for pytest's ids."""
    return case.__name__
