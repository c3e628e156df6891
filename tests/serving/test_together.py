"""Requests answered together get the answers, counts and lines that each gets alone."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from churn_daal import artifact
from churn_daal.artifact import Model
from churn_daal.serving import together
from churn_daal.serving.access import Watched
from churn_daal.serving.app import QUICK, create_app
from churn_daal.serving.counters import Counters, Totals
from churn_daal.serving.http.arrival import Arrival
from churn_daal.serving.http.reply import Reply, ask
from churn_daal.serving.invocation import ModelService
from churn_daal.serving.request import Request
from churn_daal.settings import ServeSettings

from .test_lane import CASES, INFERENCE_ID, ROW

SETTINGS = ServeSettings(Path("unused"), max_content_length=20_000)
Environ = dict[str, Any]


def environ_of(case: Environ, place: int = 0) -> Environ:
    """Return a request as the event loop has it."""
    body = case.get("body", b"")
    arrival = Arrival(SETTINGS.max_content_length, len(body))
    arrival.add(body)
    return {
        "REQUEST_METHOD": "POST",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/invocations",
        "QUERY_STRING": "",
        "CONTENT_TYPE": "text/csv",
        "SERVER_NAME": "x",
        "SERVER_PORT": "8080",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.url_scheme": "http",
        "wsgi.errors": None,
        "wsgi.input": arrival,
        INFERENCE_ID: f"number-{place}",
        **{key: value for key, value in case.items() if key != "body"},
        "CONTENT_LENGTH": str(len(body)),
    }


def shown(reply: Reply) -> tuple[str, list[tuple[str, str]], bytes]:
    """Return a reply, its headers in an order of their own."""
    body = reply.body if isinstance(reply.body, bytes) else b"".join(reply.body)
    return reply.status, sorted(reply.headers), body


Server = tuple[Any, Callable[[], Totals], list[dict[str, Any]]]


def serving(model: Model, outputs: tuple[str, ...] = ()) -> Server:
    """Return a model's app, its counts, and the lines it writes."""
    counters = Counters(1)
    app = create_app(ModelService(model, outputs), SETTINGS, counters.tally(0))
    lines: list[dict[str, Any]] = []
    front = app.wsgi_app
    assert isinstance(front, Watched)
    front.write = lambda line: lines.append(orjson.loads(line))
    return app, counters.totals, lines


def told(line: dict[str, Any]) -> dict[str, Any]:
    """Return what of a line is not time."""
    return {key: value for key, value in line.items() if not key.endswith("_ms") and key != "time"}


def same(model: Model, cases: list[Environ], outputs: tuple[str, ...] = ()) -> list[str]:
    """Check that requests get together what they get alone; return their statuses."""
    app, totals, lines = serving(model, outputs)
    together = [
        shown(reply)
        for reply in app.extensions[QUICK].answers(list(map(environ_of, cases, range(99))))
    ]
    app, totals_alone, lines_alone = serving(model, outputs)
    alone = [shown(ask(app.wsgi_app, environ_of(case, place))) for place, case in enumerate(cases)]

    assert together == alone
    by_id = partial(sorted, key=lambda line: line["request_id"])
    assert list(map(told, by_id(lines))) == list(map(told, by_id(lines_alone)))
    counts, counts_alone = vars(totals()), vars(totals_alone())
    assert {key: counts[key] for key in counts if key != "stages"} == {
        key: counts_alone[key] for key in counts if key != "stages"
    }
    return [status for status, _, _ in together]


@pytest.mark.parametrize("case", [name for name in CASES if name != "cut short"])
def test_beside_plain_rows(churn: Model, case: str) -> None:
    """Whatever comes with them, the others are answered, and it is answered as alone."""
    plain = {"body": ROW}
    statuses = same(churn, [plain, CASES[case], plain, plain, CASES[case]])

    assert [statuses[place] for place in (0, 2, 3)] == ["200 OK"] * 3


def test_all_kinds_at_once(churn: Model) -> None:
    """In one go."""
    same(churn, [case for name, case in CASES.items() if name != "cut short"] * 2)


def test_more_rows_than_go_together(churn: Model) -> None:
    """Many requests, and requests of many rows."""
    rows = b"\n".join([ROW] * 20)
    same(churn, [{"body": ROW}] * 90)
    same(churn, [{"body": rows}, {"body": ROW}, {"body": rows + b"\n" + rows}, {"body": rows}])


def test_outputs_that_the_operator_names(churn: Model) -> None:
    """They are another answer than the usual one."""
    same(churn, [{"body": ROW}] * 3, ("predicted_label", "probability"))


ENDS = st.sampled_from([b"", b"\n", b"\r\n", b"\n\n", b"\r", b"\n\r", b'"', b"\x00"])
CELLS = st.sampled_from(
    [b"1", b"4", b"-0", b"u", b"w", b"yes", b"no", b"", b"NaN", b'"u"', b"1e39"]
)
ROWS = st.one_of(
    st.lists(CELLS, min_size=1, max_size=5).map(b",".join),
    st.tuples(
        *(
            st.sampled_from(cells)
            for cells in ([b"1", b"2.5", b"99", b""], [b"u", b"v", b"?"], [b"yes", b"0"])
        )
    ).map(b",".join),
    st.sampled_from([b"n,c,b", b"n,b,c", b"\xef\xbb\xbf1,u,yes"]),
)
BODIES = st.builds(
    lambda rows, end: b"\n".join(rows) + end, st.lists(ROWS, min_size=1, max_size=3), ENDS
)
JSON = st.sampled_from(
    [[[1, "u", True]], [[2, None, "no"], [3, "w", False]], [{"n": 1}], [[1, 2]], []]
)


def _request(body: bytes | list[Any], accept: str, kind: str) -> Environ:
    if isinstance(body, list):
        return {
            "body": json.dumps({"instances": body}).encode(),
            "CONTENT_TYPE": "application/json",
            "HTTP_ACCEPT": accept,
        }
    return {"body": body, "HTTP_ACCEPT": accept, "CONTENT_TYPE": kind}


REQUESTS = st.builds(
    _request,
    st.one_of(BODIES, BODIES, JSON),
    st.sampled_from(["", "", "text/csv", "application/json", "application/x-npy", "image/png"]),
    st.sampled_from(
        ["text/csv", "text/csv", "text/csv; header=absent", "text/csv; charset=latin-1"]
    ),
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(REQUESTS, min_size=2, max_size=9))
def test_whatever_comes_together(small: Model, requests: list[Environ]) -> None:
    """The answers, refusals, counts and lines are those of each alone."""
    same(small, requests)


@pytest.mark.parametrize(
    "objective", ["multi:softprob", "multi:softmax", "binary:hinge", "reg:squarederror"]
)
def test_every_kind_of_answer(
    objective: str, tmp_path: Path, train_model: Callable[..., Path]
) -> None:
    """Classes, their probabilities, and numbers, in every type."""
    rng = np.random.default_rng(0)
    words = ["a,b", "c\nd", "e"] if objective.startswith("multi") else [0, 1]
    text = "y,m,n\n" + "".join(
        f'"{words[k % len(words)]}",{rng.normal():.3f},{k % 7}\n' for k in range(90)
    )
    model = artifact.load(train_model(tmp_path, text, num_round=4, objective=objective))
    rows = [f"{rng.normal():.3f},{k}".encode() for k in range(6)]
    for accept in ("text/csv", "application/json", "application/jsonlines", "application/x-npy"):
        statuses = same(model, [{"body": row, "HTTP_ACCEPT": accept} for row in rows])
        assert set(statuses) == {"200 OK"}


def test_a_fault_leaves_each_to_itself(
    churn: Model, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What nobody foresaw is logged, and costs nobody the answer."""

    def fail(_self: ModelService, _requests: list[Request]) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(ModelService, "together", fail)
    assert same(churn, [{"body": ROW}] * 3) == ["200 OK"] * 3
    assert "3 requests could not be answered together" in caplog.text


def test_they_share_the_time(churn: Model) -> None:
    """Each is told an equal part of what its stages took, and all rows are predicted at once."""
    app, totals, lines = serving(churn)
    app.extensions[QUICK].answers([environ_of({"body": ROW}, place) for place in range(5)])

    assert len({(line["decode_ms"], line["predict_ms"], line["encode_ms"]) for line in lines}) == 1
    assert all(line["total_ms"] > line["predict_ms"] > 0 for line in lines)
    assert totals().rows == 5


def test_a_fault_half_way_counts_nothing_twice(
    churn: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows, times and warnings that were noted before it are those of each once more."""
    predict = Model.predict

    def fail_on_several(self: Model, X: np.ndarray) -> np.ndarray:
        if len(X) > 1:
            raise MemoryError
        return predict(self, X)

    monkeypatch.setattr(Model, "predict", fail_on_several)
    odd = ROW.replace(b"KS", b"??").replace(b"265.1", b"9999")
    assert same(churn, [{"body": ROW.replace(b"265.1", b"9999")}] * 3) == ["200 OK"] * 3
    assert same(churn, [{"body": ROW}, {"body": odd}]) == ["200 OK"] * 2


def test_what_is_infinite_changes_no_other(
    tmp_path: Path, train_model: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The exponential link can overflow for one row; the digits of the others stay."""
    text = "y,m\n" + "".join(f"{k % 3 + 1},{k % 7}\n" for k in range(90))
    model = artifact.load(train_model(tmp_path, text, num_round=2, objective="count:poisson"))
    margins = {1: 1_000, 2: -12, 3: 60}

    def margin(_self: object, X: np.ndarray) -> np.ndarray:
        return np.array([margins[int(m)] for [m] in X], dtype=np.float32)

    monkeypatch.setattr(type(model.engine), "margin", margin)
    same(model, [{"body": body} for body in (b"1", b"2", b"3", b"2\n1\n3")])


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory, train_model: Callable[..., Path]) -> Model:
    """Return a model of one column that takes 60 of the matrix."""
    text = "y,c\n" + "".join(f"{k % 2},c{k % 60}\n" for k in range(600))
    return artifact.load(train_model(tmp_path_factory.mktemp("wide"), text, num_round=2))


@pytest.mark.parametrize("kind", ["text/csv", "application/json"])
@pytest.mark.parametrize("rows", [27, 1_000])
def test_memory_does_not_grow_with_their_number(
    wide: Model, rows: int, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the matrices of many that come at once a part is held at a time."""
    monkeypatch.setattr(together, "_CELLS", 100 * 60)
    body = b"c7\n" * rows
    if kind == "application/json":
        body = orjson.dumps({"instances": [["c7"]] * rows})
    app, _, _ = serving(wide)
    count = 60_000 // rows
    environs = [environ_of({"body": body, "CONTENT_TYPE": kind}) for _ in range(count)]
    app.extensions[QUICK].answers(environs[:2])
    tracemalloc.start()
    try:
        replies = app.extensions[QUICK].answers(environs)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert {reply.status for reply in replies} == {"200 OK"}
    assert peak < 60_000 * 60 * 4 / 2


def test_batches_are_answered_as_one(wide: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever their size."""
    cases = [{"body": b"c7\nc8\n" * count} for count in (1, 3, 1, 20, 2, 1, 1)]
    cases.insert(3, {"body": b"c7,1"})
    for cells in (1, 60, 240, 600):
        monkeypatch.setattr(together, "_CELLS", cells)
        same(wide, cases)
