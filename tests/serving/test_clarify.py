"""SageMaker Clarify asks a model as any endpoint's client: these are its exchanges.

It fills the features of each record into a template of the user's, sends several records a request
and one at a time where that fails, and reads a probability for each record in order
(https://docs.aws.amazon.com/sagemaker/latest/dg/clarify-online-explainability-precheck.html,
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ClarifyInferenceConfig.html).
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flask.testing import FlaskClient

from churn_daal import artifact
from churn_daal.artifact import Model
from churn_daal.serving.app import create_app
from churn_daal.serving.invocation import ModelService
from churn_daal.settings import ServeSettings

CSV, JSON, LINES = "text/csv", "application/json", "application/jsonlines"
TEMPLATES = ['{"features":$features}', '{"data":{"features":$features}}', "$features"]
COUNT = 12


@pytest.fixture(scope="module")
def cells(churn: Model, churn_head: str) -> list[list[str]]:
    """Return records of the training data, without the label."""
    records = csv.DictReader(io.StringIO(churn_head))
    names = churn.encoder.schema.names
    return [[record[name] for name in names] for record in islice(records, COUNT)]


@pytest.fixture(scope="module")
def features(churn: Model, cells: list[list[str]]) -> list[list[Any]]:
    """Return the same as Clarify has them in JSON: numbers as numbers, one of them missing."""
    kinds = [column.kind for column in churn.encoder.schema.columns]
    rows: list[list[Any]] = [
        [float(cell) if kind == "number" else cell for kind, cell in zip(kinds, row, strict=True)]
        for row in cells
    ]
    rows[2][kinds.index("number")] = None
    return rows


def expected(model: Model, rows: list[list[Any]]) -> list[Any]:
    """Return the model's own answers."""
    return model.predict(model.encoder.from_json(list(zip(*rows, strict=True)))).tolist()


def as_csv(rows: list[list[Any]]) -> str:
    """Return records as CSV, without an end to the last line."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().removesuffix("\n")


def as_lines(template: str, rows: list[list[Any]]) -> str:
    """Return records as JSON Lines by a ContentTemplate."""
    return "\n".join(template.replace("$features", json.dumps(row)) for row in rows)


def asked(client: FlaskClient, body: str, content_type: str, accept: str) -> list[Any]:
    """Return what Clarify reads: a record a line, by ProbabilityAttribute `score` in JSON Lines."""
    response = client.post(
        "/invocations", data=body, headers={"Content-Type": content_type, "Accept": accept}
    )
    assert (response.status_code, response.mimetype) == (200, accept), response.text
    lines = response.text.splitlines()
    if accept == LINES:
        return [json.loads(line)["score"] for line in lines]
    return [float(line) for line in lines]


def bodies(rows: list[list[Any]], count: int) -> Iterator[tuple[str, str]]:
    """Yield each body that Clarify may send of some records, and its type."""
    yield as_csv(rows[:count]), CSV
    for template in TEMPLATES:
        yield as_lines(template, rows[:count]), LINES


@pytest.mark.parametrize("accept", [CSV, LINES])
@pytest.mark.parametrize("count", [COUNT, 2, 1])
def test_a_probability_a_line_in_order(
    client: FlaskClient, churn: Model, features: list[list[Any]], accept: str, count: int
) -> None:
    """Of several records, and of the one that it falls back to."""
    wanted = expected(churn, features)
    assert len(set(wanted)) == COUNT

    for body, content_type in bodies(features, count):
        came = asked(client, body, content_type, accept)

        np.testing.assert_allclose(came, wanted[:count], atol=1e-6, err_msg=body)
        assert all(0 <= probability <= 1 for probability in came)


def test_records_alone_are_answered_as_together(
    client: FlaskClient, features: list[list[Any]]
) -> None:
    """So that a batch that failed changes no explanation."""
    for content_type, write in ((CSV, as_csv), (LINES, lambda rows: as_lines(TEMPLATES[0], rows))):
        together = asked(client, write(features), content_type, content_type)
        alone = [asked(client, write([row]), content_type, content_type)[0] for row in features]

        np.testing.assert_allclose(alone, together, atol=1e-6)


@pytest.mark.parametrize("record", ["by name", '{"features":$features}', "$features"])
def test_a_json_document_of_records(
    client: FlaskClient, churn: Model, features: list[list[Any]], record: str
) -> None:
    """ContentTemplate `{"instances":$records}`, with each form of its RecordTemplate."""
    names = churn.encoder.schema.names
    records = [
        json.dumps(dict(zip(names, row, strict=True)))
        if record == "by name"
        else record.replace("$features", json.dumps(row))
        for row in features
    ]

    response = client.post(
        "/invocations",
        data='{"instances":$records}'.replace("$records", f"[{','.join(records)}]"),
        headers={"Content-Type": JSON, "Accept": JSON},
    )

    scores = [prediction["score"] for prediction in response.json["predictions"]]
    np.testing.assert_allclose(scores, expected(churn, features), atol=1e-6)


def test_several_classes_are_side_by_side(tmp_path: Path, train_model: Callable[..., Path]) -> None:
    """In CSV a line of them, in JSON Lines a list."""
    text = "y,a,b\n" + "".join(f"{'uvw'[k % 3]},{k % 3 + k % 5},{k % 7}\n" for k in range(90))
    model = artifact.load(train_model(tmp_path, text, num_round=3))
    client = create_app(ModelService(model), ServeSettings(Path("unused"))).test_client()
    rows: list[list[Any]] = [[1.0, 2.0], [6.0, 0.0], [3.0, None]]
    headers = {"Content-Type": CSV, "Accept": CSV}

    lines = client.post("/invocations", data=as_csv(rows), headers=headers).text.splitlines()
    listed = asked(client, as_lines(TEMPLATES[0], rows), LINES, LINES)

    np.testing.assert_allclose(listed, expected(model, rows), atol=1e-6)
    np.testing.assert_allclose([list(map(float, line.split(","))) for line in lines], listed)
    np.testing.assert_allclose(np.sum(listed, axis=1), 1, atol=1e-5)
