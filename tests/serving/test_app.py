"""SageMaker's routes, with the statuses AWS's image answers."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from churn_daal.artifact import Model
from churn_daal.serving.app import create_app
from churn_daal.serving.invocation import ModelService
from churn_daal.settings import ServeSettings

ROW = "KS,128,415,no,yes,25,265.1,110,45.07,197.4,99,16.78,244.7,91,11.01,10.0,3,2.7,1"


def post(client: FlaskClient, body: str | bytes, **headers: str) -> TestResponse:
    """Invoke, with header names written with underscores."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.post("/invocations", data=body, headers=named)


def assert_refused(response: TestResponse, status: int, text: str) -> None:
    """Every refusal has one shape."""
    assert response.status_code == status
    assert response.content_type == "application/json"
    data = response.get_json()
    assert set(data) == {"error", "status"}
    assert data["status"] == status
    assert text in data["error"]


def test_ping(client: FlaskClient) -> None:
    """200 and an empty body."""
    response = client.get("/ping")

    assert (response.status_code, response.data) == (200, b"")


@pytest.mark.parametrize(("value", "status"), [(np.nan, 503), (np.inf, 200)])
def test_ping_fails_with_the_model(churn: Model, value: float, status: int) -> None:
    """A model that answers NaN is not healthy; infinity is what an overflowing link answers."""

    class Stuck:
        name, n_features = "onedal", churn.engine.n_features

        def predict(self, X: Any) -> Any:  # noqa: ANN401 - an engine
            return np.full(len(X), value, dtype=np.float32)

    model = replace(churn, engine=Stuck())  # type: ignore[arg-type]
    app = create_app(ModelService(model), ServeSettings(Path("unused")))

    assert app.test_client().get("/ping").status_code == status


@pytest.mark.parametrize("content_type", ["text/csv", "text/csv; charset=utf-8", "TEXT/CSV", None])
def test_csv_in_csv_out(client: FlaskClient, content_type: str | None) -> None:
    """CSV is the default, whatever the parameters and the case of the type."""
    headers = {} if content_type is None else {"Content_Type": content_type}

    response = post(client, f"{ROW}\n{ROW}\n", **headers)

    assert response.status_code == 200
    assert response.content_type == "text/csv; charset=utf-8"
    first, second = response.data.decode().split()
    assert first == second
    assert 0 < float(first) < 1


def test_json_in_json_out(client: FlaskClient, churn: Model) -> None:
    """A record by name gets the score its CSV row gets, and the class as trained."""
    record = dict(zip(churn.encoder.schema.names, ROW.split(","), strict=True))

    response = post(client, json.dumps(record), Content_Type="application/json")

    assert response.content_type == "application/json"
    (prediction,) = response.get_json()["predictions"]
    assert prediction["predicted_label"] == "False."
    csv = post(client, ROW, Content_Type="text/csv").data
    assert np.float32(prediction["score"]) == np.float32(csv.decode())


@pytest.mark.parametrize(
    ("accept", "answered"),
    [
        ("", "text/csv; charset=utf-8"),
        ("*/*", "text/csv; charset=utf-8"),
        ("application/json", "application/json"),
        ("text/html, application/json;q=0.9, */*;q=0.1", "application/json"),
        ("application/json;q=0.1, text/*", "text/csv; charset=utf-8"),
        ("text/csv; charset=utf-8", "text/csv; charset=utf-8"),
    ],
)
def test_accept(client: FlaskClient, accept: str, answered: str) -> None:
    """Lists, wildcards and q-values are understood; without a wish, CSV answers CSV."""
    assert post(client, ROW, Content_Type="text/csv", Accept=accept).content_type == answered


@pytest.mark.parametrize(
    ("accept", "answered"),
    [
        ("csv", "text/csv; charset=utf-8"),
        ("application/jsonlines", "application/jsonlines"),
        ("application/x-jsonlines", "application/jsonlines"),
        ("recordio-protobuf;q=0.5, image/png", "application/x-recordio-protobuf"),
        ("application/x-npy", "application/x-npy"),
        ("application/*;q=0.2, application/x-npy", "application/x-npy"),
        ("application/*", "application/json"),
        ("application/vnd.apache.arrow.stream", "application/vnd.apache.arrow.stream"),
    ],
)
def test_every_type_is_answered_where_it_is_asked_for(
    client: FlaskClient, accept: str, answered: str
) -> None:
    """Short names too, as AWS's images have them."""
    response = post(client, ROW, Content_Type="text/csv", Accept=accept)

    assert (response.status_code, response.content_type) == (200, answered)


@pytest.mark.parametrize(
    ("content_type", "body", "answered"),
    [
        ("csv", ROW, "text/csv; charset=utf-8"),
        ("application/jsonlines", "{}", "application/jsonlines"),
        ("jsonlines", "{}", "application/jsonlines"),
        ("json", json.dumps(ROW.split(",")), "application/json"),
    ],
)
def test_a_type_is_answered_with_its_own(
    client: FlaskClient, content_type: str, body: str, answered: str
) -> None:
    """Where the client has no wish."""
    assert post(client, body, Content_Type=content_type).content_type == answered


@pytest.mark.parametrize(
    ("accept", "answered"),
    [
        ({}, "application/jsonlines"),
        ({"Accept": "*/*"}, "application/jsonlines"),
        ({"Accept": "*/*; q=0.1, "}, "application/jsonlines"),
        ({"Accept": "*/*;q=0.8, csv;q=0.9"}, "text/csv; charset=utf-8"),
        ({"Accept": "application/json"}, "application/json"),
    ],
)
def test_the_operators_default_answers_where_the_client_has_no_wish(
    churn: Model, accept: dict[str, str], answered: str
) -> None:
    """As AWS's image reads SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT."""
    settings = ServeSettings(Path("unused"), default_accept="application/jsonlines")
    client = create_app(ModelService(churn), settings).test_client()

    response = post(client, ROW, Content_Type="text/csv", **accept)

    assert response.content_type == answered


@pytest.mark.parametrize(
    ("content_type", "status", "text"),
    [
        ("text/libsvm", 400, "Loading libsvm data failed: column 1 ('State'): a category of words"),
        ("application/x-npy", 400, "Loading npy data failed: column 1 ('State')"),
        ("application/jsonlines", 415, "Loading jsonlines data failed: row 1: "),
        ("application/x-parquet", 415, "Loading parquet data failed: not a Parquet file, cut off"),
        ("application/vnd.apache.arrow.stream", 415, "Loading arrow data failed: not an Arrow"),
        ("text/csv; charset=klingon", 415, "the media type's charset=klingon is not known; send"),
        ("text/csv; charset=utf-16-le", 415, "Loading csv data failed: row 1: byte 0x"),
    ],
)
def test_refusals_begin_as_awss_do(
    client: FlaskClient, content_type: str, status: int, text: str
) -> None:
    """`Loading libsvm data failed` and the like: clients match on it."""
    assert_refused(post(client, b"KS,1\xd8", Content_Type=content_type), status, text)


@pytest.mark.parametrize("body", ["", "\n", "\r\n\r\n"])
def test_an_empty_body_is_204(client: FlaskClient, body: str) -> None:
    """As AWS's image answers it."""
    response = post(client, body, Content_Type="text/csv")

    assert (response.status_code, response.data) == (204, b"")


@pytest.mark.parametrize(
    ("body", "headers", "status", "text"),
    [
        (ROW, {"Content_Type": "image/png"}, 415, "send one of: text/csv, application/json"),
        (ROW, {"Accept": "image/png"}, 406, "ask for one of: text/csv, application/json"),
        (ROW.replace("128", "x"), {}, 415, "Loading csv data failed: row 1, column 2 ('Account"),
        (
            ROW + ",1",
            {},
            400,
            "Loading csv data failed: row 1: 20 values came, the model expects 19",
        ),
        ("{", {"Content_Type": "application/json"}, 415, "Loading json data failed: row 1: "),
        ("{}", {"Content_Type": "application/json"}, 400, "row 1: 0 names came"),
        ("x" * 20_001, {}, 413, "the body has 20,001 bytes and is over the limit of 20,000 bytes"),
    ],
)
def test_refusals(
    client: FlaskClient, body: str, headers: dict[str, str], status: int, text: str
) -> None:
    """415, 406, 400 and 413, each with what came, what was expected and the remedy."""
    assert_refused(post(client, body, **({"Content_Type": "text/csv"} | headers)), status, text)


def test_unknown_routes_and_methods(client: FlaskClient) -> None:
    """404 and 405 in the same shape."""
    assert_refused(client.get("/nowhere"), 404, "GET /nowhere")
    assert_refused(client.get("/invocations"), 405, "GET /invocations")


def test_an_unknown_fault_is_logged_and_not_told(
    churn: Model, caplog: pytest.LogCaptureFixture
) -> None:
    """The client gets a fixed text, the log the traceback."""

    class Exploding:
        name, n_features = "onedal", churn.engine.n_features

        def predict(self, X: Any) -> Any:  # noqa: ANN401 - an engine
            raise ZeroDivisionError(f"secret {len(X)}")

    model = replace(churn, engine=Exploding())  # type: ignore[arg-type]
    client = create_app(ModelService(model), ServeSettings(Path("unused"))).test_client()
    with caplog.at_level(logging.ERROR):
        response = post(client, ROW, Content_Type="text/csv")

    assert_refused(response, 500, "the model server failed on this request; its log")
    assert "secret" not in response.text
    assert "ZeroDivisionError: secret 1" in caplog.text
