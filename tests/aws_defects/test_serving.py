"""Requests and answers AWS's image gets wrong (X8 to X12), as far as this server has them.

Selectable answers and several models are not served yet; what is not served is refused, and never
a fault of the server.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import xgboost
from flask.testing import FlaskClient

from churn_daal import artifact
from churn_daal.artifact import Model
from churn_daal.errors import NotAcceptableError, RequestError
from churn_daal.serving.app import create_app
from churn_daal.serving.invocation import ModelService
from churn_daal.serving.request import Answer, Request
from churn_daal.settings import ServeSettings

from .jobs import RunJob, csv_text, strict_json

RNG = np.random.default_rng(14)
X = RNG.normal(size=(120, 3)).round(3)
Y = (X[:, 0] > 0).astype(int)
NAMES = ["a", "b", "c"]
TEXT = csv_text(Y, *X.T, names="y,a,b,c")
ROW = "1.5,2.5,3.5"


@pytest.fixture(scope="module", params=["gbtree", "dart"])
def model(
    train_model: Callable[..., Path],
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
) -> Model:
    """Return a model that oneDAL answers, and one that XGBoost itself does."""
    given = {"num_round": 5, "objective": "binary:logistic", "nthread": 1, "max_depth": 2}
    dropped = {"rate_drop": 0.5, "one_drop": 1} if request.param == "dart" else {}
    base = tmp_path_factory.mktemp("model")
    folder = train_model(base, TEXT, **given, booster=request.param, **dropped)
    loaded = artifact.load(folder)
    assert loaded.engine.name == ("onedal" if request.param == "gbtree" else "xgboost")
    return loaded


def ask(model: Model, body: str, accept: str = "", content_type: str = "text/csv") -> Answer:
    """Invoke with a body of text."""
    return ModelService(model).answer(
        Request(memoryview(body.encode()), content_type=content_type, accept=accept)
    )


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([1.5, 2.5], "2 values came, the model expects 3"),
        ([1.5], "1 values came, the model expects 3"),
        ([1.5, 2.5, 3.5, 4.5], "4 values came, the model expects 3"),
        ([1, 1.5, 2.5, 3.5, 4.5], "5 values came, the model expects 3"),
    ],
    ids=["one short", "two short", "one more", "two more"],
)
@pytest.mark.parametrize("form", ["csv", "list", "features", "instances"])
def test_x8_no_other_width_is_answered(
    model: Model, values: list[float], message: str, form: str
) -> None:
    """X8: short rows are not missing values, and no row loses a column, whoever answers."""
    kind, body = {
        "csv": ("text/csv", ",".join(map(str, values))),
        "list": ("application/json", json.dumps(values)),
        "features": ("application/json", json.dumps({"features": values})),
        "instances": ("application/json", json.dumps({"instances": [values]})),
    }[form]

    with pytest.raises(RequestError) as caught:
        ask(model, body, content_type=kind)

    assert f"row 1: {message}" in str(caught.value)
    assert caught.value.status == 400


def test_x8_names_are_held_to_the_model(model: Model) -> None:
    """X8: a record with a name too few or too many is told which; the right one is answered."""
    record = dict(zip(NAMES, [1.5, 2.5, 3.5], strict=True))
    for wrong, name in (({"a": 1, "b": 2}, "'c'"), (record | {"d": 4}, "'d'")):
        with pytest.raises(RequestError, match=f"row 1: .*{name}"):
            ask(model, json.dumps(wrong), content_type="application/json")

    assert ask(model, json.dumps(record), content_type="application/json").status == 200


@pytest.mark.parametrize("accept", ["application/jsonlines", "application/x-recordio-protobuf"])
def test_x9_types_are_written_whatever_the_mode(model: Model, accept: str) -> None:
    """X9: 200 without any setting, not 500; alone or in a list, which is not a 406."""
    for wish in (accept, f"image/png, {accept};q=0.9, */*;q=0.1"):
        answer = ask(model, ROW, wish)
        assert (answer.status, answer.content_type) == (200, accept)


@pytest.mark.parametrize("accept", ["application/x-parquet", "image/png"])
def test_x9_a_type_that_is_not_written_is_refused(model: Model, accept: str) -> None:
    """X9: 406 with the types there are, not 500."""
    with pytest.raises(NotAcceptableError, match="ask for one of: text/csv, application/json"):
        ask(model, ROW, accept)


@pytest.mark.filterwarnings("ignore:.*gblinear. is deprecated:UserWarning")
def test_x9_json_is_strict_whatever_the_number(run: RunJob) -> None:
    """X9: an answer that overflows float32 is null in JSON, never a bare Infinity or NaN."""
    counts = csv_text(np.exp(3 * X[:, 0]).round(3), *X.T, names="y,a,b,c")
    job = run(counts, objective="count:poisson", booster="gblinear", num_round=20)
    model = artifact.load(job.paths.model)

    rows = np.array([[1, 0, 0], [1e6, 0, 0], [-1e6, 0, 0]])
    numbers = [p["score"] for p in strict_json(_json(model, rows))["predictions"]]

    assert numbers[1:] == [None, 0.0]
    csv = [float(cell) for cell in ask(model, csv_text(*rows.T)).body.decode().split()]
    assert [None if np.isinf(number) else number for number in csv] == numbers


def _json(model: Model, rows: np.ndarray) -> bytes:
    return ask(model, csv_text(*rows.T), "application/json").body


@pytest.fixture
def client(model: Model) -> FlaskClient:
    """Return a client of an app with the settings of an endpoint that sets none."""
    return create_app(ModelService(model), ServeSettings(Path("unused"))).test_client()


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("text/csv", b"\x00\xff\xfe"),
        ("text/csv", b'"1,2,3'),
        ("text/csv", b"1,2,x"),
        ("application/json", b"[[[[1]]]]"),
        ("application/json", b'{"instances": 3}'),
        ("application/json", b"\xff"),
        ("text/libsvm", b"1:nonsense"),
        ("application/x-recordio-protobuf", b"\x0a\x23\xd7\xce\x00"),
        ("application/x-npy", b"\x93NUMPY"),
    ],
)
def test_x10_a_bad_payload_is_the_clients_fault(
    client: FlaskClient, kind: str, body: bytes
) -> None:
    """X10: whatever lies in the body, the refusal is a 4xx with a reason."""
    response = client.post("/invocations", data=body, content_type=kind)

    assert 400 <= response.status_code < 500
    assert len(strict_json(response.data)["error"]) > 40


def test_x10_softmax_answers_the_class_as_trained(run: RunJob) -> None:
    """X10: a class is a name to choose, not a number to take the mean of."""
    words = np.array(["low", "mid", "top"])[np.digitize(X[:, 0], [-0.4, 0.4])]
    job = run(csv_text(words, *X.T, names="y,a,b,c"), objective="multi:softmax", num_round=20)

    said = ask(artifact.load(job.paths.model), csv_text(*X.T)).body.decode().split()

    assert set(said) == {"low", "mid", "top"}
    assert (np.array(said) == words).mean() > 0.9


def test_x11_logitraw_answers_the_margin(run: RunJob) -> None:
    """X11: one number a row, XGBoost's margin, and no `1 - margin` beside it."""
    job = run(TEXT, objective="binary:logitraw")
    model = artifact.load(job.paths.model)
    margin = job.booster.predict(xgboost.DMatrix(X.astype(np.float32)), output_margin=True)

    csv = np.loadtxt(ask(model, csv_text(*X.T)).body.decode().split(), dtype=np.float32)
    scores = [p["score"] for p in strict_json(_json(model, X))["predictions"]]

    np.testing.assert_allclose(csv, margin, atol=1e-5)
    np.testing.assert_array_equal(np.float32(scores), csv)
    assert margin.min() < 0 < margin.max()


@pytest.mark.parametrize(
    "accept",
    ["text/csv", "application/json", "application/jsonlines", "application/x-recordio-protobuf"],
)
def test_x11_an_answer_grows_with_its_rows(model: Model, accept: str) -> None:
    """X11: a hundred times the rows, a hundred times the bytes, in each type that is written."""
    few, many = (len(ask(model, f"{ROW}\n" * n, accept).body) for n in (10, 1000))

    assert 90 * few <= many <= 110 * few


def test_x12_a_batch_over_six_megabytes_is_answered(client: FlaskClient) -> None:
    """X12: 7 MB pass without a setting, where AWS's image answers 413 over 6."""
    wide = ",".join(cell.ljust(1000) for cell in ROW.split(",")) + "\n"
    body = wide * (7 * 2**20 // len(wide) + 1)

    response = client.post("/invocations", data=body, content_type="text/csv")

    assert len(body) > 7 * 2**20
    assert response.status_code == 200
    assert len(response.data.split()) == body.count("\n")
