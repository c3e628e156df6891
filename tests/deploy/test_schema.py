"""The schema of requests against the container: it refuses nothing that is answered."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from flask.testing import FlaskClient

from churn_daal import artifact
from churn_daal.serving.app import create_app
from churn_daal.serving.invocation import ModelService
from churn_daal.settings import ServeSettings

from .conftest import pack

jsonschema = pytest.importorskip(
    "jsonschema", reason="jsonschema is not installed: make mlops-test"
)

from deploy.archive import manifest_of  # noqa: E402
from deploy.errors import DeployError  # noqa: E402
from deploy.examples import as_csv, example_record  # noqa: E402
from deploy.schema import request_model  # noqa: E402

pytestmark = pytest.mark.mlops

# The library has no types.
Validator: TypeAlias = Any
Json: TypeAlias = Any

# Values of a number, a yes-or-no and a category column, each as it may come in JSON.
CELLS: list[Any] = [
    *(0, 1, -1, 2, 1.5, 1.0, 1e300, True, False, None),
    *("", " ", "1", " 1 ", "+1", "-.5", "5.", "1e3", "1e", "e3", "1,5", "0x10", "1_000", "inf"),
    *("NaN", "nan", "NA", "na", "yes", "YES", "no.", "True.", "true", "tRuE", "t", "f.", "n"),
    *("y", "maybe", "KS", "Atlantis", "415", "415.0", [], {}, [1], {"a": 1}),
]


@pytest.fixture(scope="module")
def client(churn_model: Path) -> FlaskClient:
    """Return a client of the model's app."""
    service = ModelService(artifact.load(churn_model))
    return create_app(service, ServeSettings(Path("unused"))).test_client()


@pytest.fixture(scope="module")
def manifest(churn_model: Path) -> artifact.Manifest:
    """Return the model's manifest."""
    return artifact.load(churn_model).manifest


@pytest.fixture(scope="module")
def validator(manifest: artifact.Manifest) -> Validator:
    """Return a validator of draft 4, which is what API Gateway reads."""
    schema = json.loads(json.dumps(request_model(manifest.schema)))
    jsonschema.Draft4Validator.check_schema(schema)
    return jsonschema.Draft4Validator(schema)


def answered(client: FlaskClient, body: Json) -> bool:
    """Tell whether the container answers a body; what it does not answer it has to refuse."""
    status = client.post("/invocations", json=body).status_code
    assert status in {200, 400}
    return status == 200


@pytest.mark.parametrize("column", ["Day Mins", "Int'l Plan", "State"])
@pytest.mark.parametrize("cell", CELLS, ids=repr)
def test_a_cell_is_valid_where_the_container_reads_it(
    client: FlaskClient, validator: Validator, manifest: artifact.Manifest, column: str, cell: Json
) -> None:
    """By name and by position. Only float32's range is left to the container."""
    record = example_record(manifest) | {column: cell}
    out_of_range = column == "Day Mins" and cell == 1e300

    for body in (record, list(record.values())):
        valid = validator.is_valid(body)
        assert valid is (answered(client, body) or out_of_range)


BODIES: dict[str, Any] = {
    "a record": lambda record: record,
    "values": lambda record: list(record.values()),
    "records": lambda record: [record, record],
    "a mixture": lambda record: [record, list(record.values())],
    "instances": lambda record: {"instances": [record]},
    "instances and more": lambda record: {"instances": [record], "parameters": {}},
    "with the label": lambda record: record | {"Churn?": "True."},
    "features": lambda record: {"features": list(record.values())},
    "features in instances": lambda record: {"instances": [{"features": list(record.values())}]},
    "data": lambda record: {"data": {"features": {"values": list(record.values())}}},
    "in another order": lambda record: dict(reversed(record.items())),
}
REFUSED: dict[str, Any] = {
    "a name left out": lambda record: dict(list(record.items())[1:]),
    "an unknown name": lambda record: record | {"Shoe Size": 43},
    "a value too few": lambda record: list(record.values())[1:],
    "a value too many": lambda record: [*record.values(), 1],
    "no rows": lambda _: [],
    "no instances": lambda _: {"instances": []},
    "a row that is none": lambda record: {"instances": [record, 3]},
    "a number": lambda _: 3,
    "a text": lambda _: "KS",
    "nothing": lambda _: {},
}


@pytest.mark.parametrize("name", BODIES)
def test_every_form_the_container_answers_is_valid(
    client: FlaskClient, validator: Validator, manifest: artifact.Manifest, name: str
) -> None:
    """Else the API would refuse what the endpoint takes."""
    body = BODIES[name](example_record(manifest))

    assert answered(client, body)
    assert validator.is_valid(body)


@pytest.mark.parametrize("name", REFUSED)
def test_what_the_container_refuses_for_its_form_is_refused_before(
    client: FlaskClient, validator: Validator, manifest: artifact.Manifest, name: str
) -> None:
    """By API Gateway, which costs no invocation."""
    body = REFUSED[name](example_record(manifest))

    assert not answered(client, body)
    assert not validator.is_valid(body)


def test_examples_are_answered(client: FlaskClient, manifest: artifact.Manifest) -> None:
    """The documents show them."""
    record = example_record(manifest)

    by_name = client.post("/invocations", json=record)
    headers = {"Accept": "application/json"}
    by_position = client.post(
        "/invocations", data=as_csv(manifest, record), content_type="text/csv", headers=headers
    )

    assert by_name.json == by_position.json
    assert "X-Churn-Daal-Warnings" not in by_name.headers


def test_the_manifest_is_read_from_an_archive_or_a_folder(
    archive: Path, churn_model: Path, manifest: artifact.Manifest
) -> None:
    """It is the same one."""
    assert manifest_of(archive) == manifest_of(churn_model) == manifest


@pytest.mark.parametrize("fault", ["absent", "no archive", "cut", "foreign", "empty folder"])
def test_what_holds_no_manifest_is_told(tmp_path: Path, archive: Path, fault: str) -> None:
    """By its path, and with what was expected."""
    file, named = tmp_path / "model.tar.gz", "expected the model.tar.gz of a training job"
    if fault == "no archive":
        file.write_text("xgboost")
    elif fault == "cut":
        file.write_bytes(archive.read_bytes()[:500])
    elif fault in {"foreign", "empty folder"}:
        folder = tmp_path / "folder"
        folder.mkdir()
        named = "expected a model that this toolkit trained"
        file = pack(folder, file) if fault == "foreign" else folder

    with pytest.raises(DeployError, match=named) as caught:
        manifest_of(file)

    assert str(file) in str(caught.value)
