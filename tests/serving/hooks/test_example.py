"""The example in `examples/inference_code` does what its page says."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from flask.testing import FlaskClient

from churn_daal import artifact
from churn_daal.data import churn_csv
from churn_daal.serving.app import create_app
from churn_daal.serving.loading import load_service
from churn_daal.settings import ServeSettings

EXAMPLE = Path(__file__).parents[3] / "examples" / "inference_code" / "inference.py"


@pytest.fixture
def folder(tmp_path: Path, churn_model: Path) -> Path:
    """Return the churn model with the example in its folder `code`."""
    folder = Path(shutil.copytree(churn_model, tmp_path / "model"))
    (folder / "code").mkdir()
    shutil.copy(EXAMPLE, folder / "code")
    return folder


@pytest.fixture
def client(folder: Path) -> FlaskClient:
    """Return a client of it."""
    return create_app(load_service(folder, threads=1), ServeSettings(folder)).test_client()


def test_customers_in_decisions_out(folder: Path, client: FlaskClient) -> None:
    """Raw records by name, the model's own numbers, a line a customer."""
    lines = churn_csv().read_text().splitlines()
    names, rows = lines[0].split(","), [line.split(",") for line in lines[1:41]]
    records = [dict(zip(names[:-1], row[:-1], strict=True)) for row in rows]
    model = artifact.load(folder)
    scores = model.predict(model.encoder.from_text(list(zip(*(r[:-1] for r in rows), strict=True))))

    answer = client.post(
        "/invocations",
        json={"customers": [{"id": n, "features": r} for n, r in enumerate(records)]},
    )

    assert answer.content_type == "application/jsonlines"
    said = [json.loads(line) for line in answer.text.splitlines()]
    assert [row["id"] for row in said] == list(range(40))
    np.testing.assert_allclose([row["risk"] for row in said], scores, atol=1e-6)
    assert answer.headers["X-To-Call"] == str(sum(scores >= 0.3))
    assert 0 < sum(scores >= 0.3) < 40


@pytest.mark.parametrize(("body", "status"), [({"clients": []}, 400), ("x", 400)])
def test_another_shape_is_refused_by_the_code(
    client: FlaskClient, body: object, status: int
) -> None:
    """With what to send."""
    answer = client.post("/invocations", json=body)

    assert answer.status_code == status
    assert "send {" in answer.json["error"]


def test_a_bad_cell_is_refused_by_the_encoder(client: FlaskClient) -> None:
    """The model's schema is the same as without code."""
    answer = client.post(
        "/invocations", json={"customers": [{"id": 1, "features": {"Day Mins": "many"}}]}
    )

    assert answer.status_code == 400
    assert "'many' is not a number" in answer.json["error"]
