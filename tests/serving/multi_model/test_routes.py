"""The routes on one worker, without a server in front: refusals, pages, and room."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from churn_daal.serving.access import Watched
from churn_daal.serving.app import QUICK
from churn_daal.serving.counters import Counters
from churn_daal.serving.http.reply import ask
from churn_daal.serving.invocation import ModelService
from churn_daal.serving.multi_model import registry
from churn_daal.serving.multi_model.registry import Record, Registry
from churn_daal.serving.multi_model.room import XGBOOST_BYTES, Room
from churn_daal.serving.multi_model.routes import LONGEST_NAME, create_app
from churn_daal.serving.multi_model.start import join
from churn_daal.serving.request import Answer, Request
from churn_daal.settings import ServeSettings

from ...container.multi_model_cases import ROW
from ..test_together import environ_of, shown

MB = 2**20


@dataclass
class Worker:
    """One worker's parts, and the memory that it believes in."""

    client: FlaskClient
    folder: Path
    registry: Registry
    first: Path
    left: list[int]

    def load(self, name: str = "a", **body: Any) -> TestResponse:  # noqa: ANN401 - JSON
        """POST /models."""
        return self.client.post("/models", json={"model_name": name, "url": str(self.first)} | body)

    def invoke(self, path: str = "a") -> TestResponse:
        """POST /models/{path}/invoke."""
        return self.client.post(f"/models/{path}/invoke", data=ROW, content_type="text/csv")


@pytest.fixture
def worker(folders: tuple[Path, dict[str, float]]) -> Iterator[Worker]:
    """Return a worker that is alone, with real models, registry and socket."""
    yield from working(folders[0] / "first" / "model", ("score", "leaves"))


@pytest.fixture
def usual(folders: tuple[Path, dict[str, float]]) -> Iterator[Worker]:
    """Return one whose models answer what is usual."""
    yield from working(folders[0] / "first" / "model", ())


def working(first: Path, outputs: tuple[str, ...]) -> Iterator[Worker]:
    """Yield a worker while it works."""
    left = [10_000 * MB]
    with tempfile.TemporaryDirectory(prefix="mm-") as name:
        folder = Path(name)
        registry.create(folder)
        # The last measure holds for good.
        room = Room(lambda: left.pop(0) if len(left) > 1 else left[0], reserve=64 * MB)
        settings = ServeSettings(
            Path("unused"), max_content_length=20_000, inference_output=outputs
        )
        models, held, listener = join(settings, folder, room)
        client = create_app(models, held, settings).test_client()
        yield Worker(client, folder, models.registry, first, left)
        listener.close()
        models.registry.close()


def refused(reply: TestResponse, status: int) -> str:
    """Check the one shape of a refusal and return its text."""
    assert reply.status_code == status, reply.text
    document = json.loads(reply.data)
    assert document.keys() == {"error", "status"}
    assert document["status"] == status
    return str(document["error"])


def test_a_load_says_what_is_loaded(worker: Worker) -> None:
    """In the words of AWS's multi-model server, which tests look for."""
    assert worker.load().json == {
        "status": "Workers scaled",
        "modelName": "a",
        "modelUrl": str(worker.first),
    }
    assert worker.client.get("/models/a").json == {"modelName": "a", "modelUrl": str(worker.first)}
    assert worker.client.delete("/models/a").json == {"status": 'Model "a" unregistered'}


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"", "the body is no JSON"),
        (b"{'a': 1}", "the body is no JSON"),
        (b"[]", "the body is a JSON list"),
        (b"{}", "model_name is missing"),
        (b'{"model_name": 3, "url": "/x"}', "model_name is '3'"),
        (b'{"model_name": "", "url": "/x"}', "model_name is ''"),
        (b'{"model_name": "a"}', "url is missing"),
        (b'{"model_name": "a", "url": null}', "url is 'None'"),
        (b'{"model_name": "a", "url": "s3://b/model.tar.gz"}', "expected the absolute path"),
        (b'{"model_name": "a\\u0000", "url": "/x"}', "no NUL"),
        (
            json.dumps({"model_name": "a" * (LONGEST_NAME + 1), "url": "/x"}).encode(),
            "model_name has 1,025 characters",
        ),
    ],
)
def test_a_load_request_that_is_none_is_refused(worker: Worker, body: bytes, text: str) -> None:
    """400: what came and what was expected."""
    assert text in refused(worker.client.post("/models", data=body), 400)


def test_an_archive_is_no_folder(worker: Worker, tmp_path: Path) -> None:
    """The remedy is to unpack it."""
    archive = tmp_path / "model.tar.gz"
    archive.write_bytes(b"x")

    assert "unpack the model.tar.gz" in refused(worker.load(url=str(archive)), 400)


def test_a_damaged_model_says_which_file(worker: Worker) -> None:
    """As the first line of `serve` does for one model."""
    damaged = worker.first.parents[1] / "damaged" / "model"

    assert "xgboost-model" in refused(worker.load(url=str(damaged)), 400)
    assert refused(worker.invoke(), 404) == "Model not found: a"


def test_a_model_too_large_for_what_is_left_is_not_touched(worker: Worker) -> None:
    """507 from the sizes of its files; with room again it loads."""
    worker.left[:] = [64 * MB + 1000]
    assert "there is no memory for model a: it takes about" in refused(worker.load(), 507)
    assert refused(worker.invoke(), 404)
    worker.left[:] = [10_000 * MB]

    assert worker.load().status_code == 200


def test_a_model_that_took_more_than_there_was_is_dropped_again(worker: Worker) -> None:
    """507 by what is measured after the load, and nothing of it stays."""
    worker.left[:] = [900 * MB, 900 * MB, 900 * MB, 900 * MB, 63 * MB]

    assert "took too much" in refused(worker.load(), 507)
    assert refused(worker.invoke(), 404)
    assert worker.client.get("/models").json == {"models": []}


def test_an_output_the_model_has_not_is_told_once(
    worker: Worker, caplog: pytest.LogCaptureFixture
) -> None:
    """As the server of one model tells at its start."""
    worker.load()
    worker.invoke()

    [told] = [entry.getMessage() for entry in caplog.records if entry.levelname == "WARNING"]
    assert told.startswith("model a: SAGEMAKER_INFERENCE_OUTPUT: 'leaves' is not what a binary:")


def test_nothing_is_left_of_what_was_made_for_a_model(worker: Worker) -> None:
    """Neither after an unload nor after a load that is refused."""
    made = worker.folder / "provisions"
    worker.load()
    assert [path.is_dir() for path in made.iterdir()] == [True]
    worker.client.delete("/models/a")
    assert list(made.iterdir()) == []

    assert worker.load(url=str(worker.first.parents[1] / "damaged" / "model")).status_code == 400
    assert list(made.iterdir()) == []


def test_xgboost_is_counted_before_the_first_model_that_needs_it(
    worker: Worker, tmp_path: Path, churn_head: str, train_model: Callable[..., Path]
) -> None:
    """It takes more than most models; once it is there, a model takes what its files say."""
    given = {"objective": "multi:softprob", "num_class": 2, "num_round": 2}
    native = str(train_model(tmp_path, churn_head, label="Churn?", **given))
    worker.left[:] = [64 * MB + XGBOOST_BYTES]
    with pytest.MonkeyPatch.context() as patch:
        patch.delitem(sys.modules, "xgboost")
        assert worker.load().status_code == 200
        assert "it takes about 78." in refused(worker.load("b", url=native), 507)
    assert worker.load("b", url=native).status_code == 200


def test_invocations_name_no_model(worker: Worker) -> None:
    """The text says which route does."""
    reply = worker.client.post("/invocations", data=ROW, content_type="text/csv")

    assert "/models/NAME/invoke" in refused(reply, 404)


def test_a_large_body_is_refused_as_on_invocations(worker: Worker) -> None:
    """413 on both routes that take one."""
    worker.load()
    for path in ("/models", "/models/a/invoke"):
        assert "over the limit" in refused(worker.client.post(path, data=b"1" * 30_000), 413)


def test_a_name_may_hold_escapes_of_its_own(worker: Worker) -> None:
    """The path's escape is undone first; where no such model is loaded the name is taken as is."""
    assert worker.load("a%20b").status_code == 200
    assert worker.invoke("a%2520b").status_code == 200
    assert worker.invoke("a%20b").status_code == 200
    assert worker.load("a b").status_code == 200
    assert worker.client.delete("/models/a%20b").json == {"status": 'Model "a b" unregistered'}
    assert worker.client.delete("/models/a%20b").json == {"status": 'Model "a%20b" unregistered'}
    assert refused(worker.client.delete("/models/a%20b"), 404)


def test_thousands_of_models_are_listed_in_pages(worker: Worker) -> None:
    """A thousand a page unless fewer are asked for, each model once."""
    for number in range(2500):
        worker.registry.publish(Record(f"m{number}", "/x", number))
    sizes, names, query = [], [], ""
    while True:
        page = worker.client.get(f"/models{query}").json
        assert page is not None
        sizes.append(len(page["models"]))
        names += [model["modelName"] for model in page["models"]]
        if "nextPageToken" not in page:
            break
        query = f"?next_page_token={page['nextPageToken']}"

    assert sizes == [1000, 1000, 500]
    assert sorted(names) == sorted(f"m{number}" for number in range(2500))


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("limit=0", "limit is '0'"),
        ("limit=many", "limit is 'many'"),
        ("next_page_token=%C3%BC", "next_page_token is"),
        ("next_page_token=a", "next_page_token is"),
    ],
)
def test_a_page_that_is_none_is_refused(worker: Worker, query: str, text: str) -> None:
    """400."""
    assert text in refused(worker.client.get(f"/models?{query}"), 400)


def test_a_route_of_another_method_says_which(worker: Worker) -> None:
    """405 in the one shape."""
    assert refused(worker.client.put("/models"), 405)


def test_a_user_of_the_old_folder_loads_again(
    worker: Worker, tmp_path: Path, train_model: Callable[..., Path]
) -> None:
    """A name unloaded and loaded from another folder answers from that one."""
    other = train_model(
        tmp_path / "other", "y,x\n" + "".join(f"{k % 2},{k}\n" for k in range(50)), num_round=2
    )
    worker.load()
    assert worker.invoke().status_code == 200
    worker.client.delete("/models/a")
    worker.load(url=str(other))

    assert refused(worker.invoke(), 400).startswith("Loading csv data failed: row 1: 19 values")


@pytest.mark.parametrize(
    "path",
    ["a/invoke", "b/invoke", "x%2Fy/invoke", "caf%C3%A9/invoke", "%FF/invoke", "/invoke", "invoke"],
)
def test_flask_and_the_lane_in_front_of_it_answer_alike(worker: Worker, path: str) -> None:
    """Names of all kinds, loaded or not, and what is no name."""
    for name in ("a", "x/y", "caf\u00e9"):
        assert worker.load(name).status_code == 200
    app = worker.client.application
    lane = app.wsgi_app
    replies = []
    for front in (lane, Watched(partial(type(app).wsgi_app, app), Counters(1).tally(0))):
        app.wsgi_app = front  # type: ignore[method-assign]
        named = {"X-Amzn-SageMaker-Inference-Id": "same"}
        reply = worker.client.post(
            f"/models/{path}", data=ROW, content_type="text/csv", headers=named
        )
        replies.append((reply.status, sorted(reply.headers.items()), reply.data))

    assert replies[0] == replies[1]
    assert (replies[0][0] == "200 OK") == path.startswith(("a", "x", "c"))


def test_invocations_of_a_model_are_answered_together(
    usual: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those of each for themselves, each as alone; what is not loaded is refused as ever."""
    for name in "ab":
        usual.load(name)
        # The first one finds what the registry says, and so settles it.
        assert usual.invoke(name).status_code == 200
    together: list[int] = []
    ask_all = ModelService.together

    def counted(service: ModelService, requests: Sequence[Request]) -> list[Answer | None]:
        together.append(len(requests))
        return ask_all(service, requests)

    monkeypatch.setattr(ModelService, "together", counted)
    cases = [
        {"body": ROW, "PATH_INFO": f"/models/{name}/invoke"}
        for name in ("a", "b", "none", "a", "b", "a", "c%20d")
    ]
    cases += [{"REQUEST_METHOD": "GET", "PATH_INFO": "/ping"}, {"body": ROW}]
    quick = usual.client.application.extensions[QUICK]
    answers = [shown(reply) for reply in quick.answers(list(map(environ_of, cases)))]

    assert together == [3, 2]
    front = usual.client.application.wsgi_app
    assert answers == [shown(ask(front, environ_of(case))) for case in cases]
    statuses = [status[:3] for status, _, _ in answers]
    assert statuses == ["200", "200", "404", "200", "200", "200", "404", "200", "404"]
    usual.client.delete("/models/a")
    assert quick.answers(list(map(environ_of, cases)))[0].status.startswith("404")
