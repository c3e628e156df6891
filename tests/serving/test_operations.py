"""`/execution-parameters` as batch jobs ask for it, `/metrics` as Prometheus reads it."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from churn_daal.artifact import Model
from churn_daal.serving.app import create_app
from churn_daal.serving.invocation import ModelService
from churn_daal.settings import ServeSettings
from churn_daal.tabular.encoder import Encoder
from churn_daal.tabular.schema import Column, Schema

from .test_app import ROW, assert_refused, post

SAMPLE = re.compile(r'(churn_daal_\w+)(?:\{((?:\w+="(?:[^"\\\n]|\\.)*",?)*)\})? ([0-9.e+-]+|\+Inf)')


def samples(page: str) -> dict[str, float]:
    """Read a page, of which every line has to be a comment or a sample."""
    found = {}
    for line in page.splitlines():
        if not line.startswith("# "):
            match = SAMPLE.fullmatch(line)
            assert match, line
            found[line.rpartition(" ")[0]] = float(match[3])
    return found


def scrape(client: FlaskClient) -> dict[str, float]:
    """Ask for the page."""
    response = client.get("/metrics")
    assert response.content_type == "text/plain; version=0.0.4; charset=utf-8"
    return samples(response.text)


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, (2, "MULTI_RECORD", 25)),
        ({"SAGEMAKER_BATCH": "True"}, (2, "MULTI_RECORD", 50)),
        ({"SAGEMAKER_BATCH": "true", "SAGEMAKER_MODEL_SERVER_WORKERS": "40"}, (40, None, 2)),
        ({"MAX_CONTENT_LENGTH": "1000"}, (2, "MULTI_RECORD", 1)),
        (
            {
                "SAGEMAKER_BATCH": "true",
                "SAGEMAKER_MAX_PAYLOAD_IN_MB": "7",
                "SAGEMAKER_BATCH_STRATEGY": "SingleRecord",
                "SAGEMAKER_MAX_CONCURRENT_TRANSFORMS": "9",
            },
            (9, "SINGLE_RECORD", 7),
        ),
        ({"SAGEMAKER_MAX_PAYLOAD_IN_MB": "0"}, (2, "MULTI_RECORD", 0)),
    ],
)
def test_execution_parameters(
    churn: Model, environ: dict[str, str], expected: tuple[int, str | None, int]
) -> None:
    """The job's own settings; else a request a worker, and 100 MB under way at most."""
    settings = ServeSettings.from_env({"SAGEMAKER_MODEL_SERVER_WORKERS": "2"} | environ)
    client = create_app(ModelService(churn), settings).test_client()

    answer = client.get("/execution-parameters").get_json()

    concurrent, strategy, payload = expected
    assert answer == {
        "MaxConcurrentTransforms": concurrent,
        "BatchStrategy": strategy or "MULTI_RECORD",
        "MaxPayloadInMB": payload,
    }


def test_metrics_count_what_was_asked(client: FlaskClient) -> None:
    """By status, rows, bytes and stage; the page itself and /ping are not counted."""
    client.get("/ping")
    client.get("/metrics")
    bodies = [
        f"{ROW}\n" * 3,
        ROW.replace("KS", "XX").replace("265.1", "99265.1"),
        ROW.replace("265.1", "x"),
    ]
    for body in bodies:
        post(client, body)

    found = scrape(client)

    assert found['churn_daal_requests_total{status="200"}'] == 2
    assert found['churn_daal_requests_total{status="415"}'] == 1
    assert sum(n for name, n in found.items() if "requests_total" in name) == 3
    assert found["churn_daal_requests_in_flight"] == 0
    assert found["churn_daal_rows_total"] == 4
    assert found["churn_daal_request_bytes_total"] == sum(map(len, bodies))
    assert found['churn_daal_stage_seconds_count{stage="predict"}'] == 2
    assert found['churn_daal_stage_seconds_bucket{stage="total",le="+Inf"}'] == 3
    assert found['churn_daal_stage_seconds_sum{stage="total"}'] > 0
    assert found['churn_daal_column_out_of_range_total{column="Day Mins"}'] == 1
    assert found['churn_daal_column_unseen_total{column="State"}'] == 1
    assert found["churn_daal_out_of_range_total"] == found["churn_daal_unseen_total"] == 1


def test_metrics_tell_the_model(client: FlaskClient, churn: Model) -> None:
    """Which one answers, with which engine, and how far it is from XGBoost."""
    page = client.get("/metrics").text

    assert 'churn_daal_model_info{engine="onedal",objective="binary:logistic",' in page
    assert f'sha256="{churn.manifest.files["xgboost-model"]}"' in page
    parity = churn.manifest.parity
    assert parity is not None
    assert samples(page)["churn_daal_model_parity_max_difference"] == parity["max_difference"]
    assert samples(page)["churn_daal_workers"] == 1


def test_buckets_are_cumulative(client: FlaskClient) -> None:
    """As Prometheus takes them: none smaller than the one before, the last the count."""
    for _ in range(5):
        post(client, ROW)

    found = scrape(client)

    buckets = [n for name, n in found.items() if 'bucket{stage="total"' in name]
    assert buckets == sorted(buckets)
    assert buckets[-1] == found['churn_daal_stage_seconds_count{stage="total"}'] == 5


def test_names_are_escaped(churn: Model) -> None:
    """A column may be called anything."""
    name = 'a "b"\\c\nd'
    schema = Schema((Column(name, "category", "ordinal", ("u",)), Column("n", "number")))
    manifest = replace(churn.manifest, schema=schema)
    model = replace(churn, manifest=manifest, encoder=Encoder(schema))

    client = create_app(ModelService(model), ServeSettings(Path("unused"))).test_client()

    page = client.get("/metrics").text
    assert 'churn_daal_column_unseen_total{column="a \\"b\\"\\\\c\\nd"} 0' in page
    assert samples(page)


def test_a_port_of_its_own(churn: Model) -> None:
    """Then the page is there alone, and nothing else is."""
    settings = ServeSettings(Path("unused"), port=8080, metrics_port=9001)
    client = create_app(ModelService(churn), settings).test_client()
    beside = {"base_url": "http://localhost:9001"}

    assert client.get("/metrics", **beside).status_code == 200
    assert client.get("/ping").status_code == 200
    assert_refused(client.get("/metrics"), 404, "GET /metrics")
    assert_refused(client.get("/ping", **beside), 404, "GET /ping")
    assert client.post("/invocations", data=ROW, **beside).status_code == 404
