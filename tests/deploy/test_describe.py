"""`python -m deploy.describe`: documents that hold for the model they are made from."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("yaml", reason="PyYAML is not installed: make mlops-test")
validator = pytest.importorskip("openapi_spec_validator", reason="comes with moto: make mlops-test")
jsonschema = pytest.importorskip("jsonschema", reason="comes with moto: make mlops-test")

from deploy.describe import main  # noqa: E402

pytestmark = pytest.mark.mlops

OBJECTIVES = {
    "binary": ("binary:logistic", "no,yes"),
    "several": ("multi:softprob", "red,green,blue"),
    "softmax": ("multi:softmax", "0,1,2"),
    "number": ("reg:squarederror", "1.5,2.5"),
}


def described(model: Path, folder: Path, *more: str) -> dict[str, Any]:
    """Return the documents by name."""
    assert main([str(model), "--output", str(folder), *more]) == 0
    return {path.name: json.loads(path.read_text()) for path in folder.iterdir()}


@pytest.mark.parametrize("kind", OBJECTIVES)
def test_the_document_is_openapi_and_its_example_fits_its_schema(
    tmp_path: Path, train_model: Callable[..., Path], kind: str
) -> None:
    """Whatever the model answers."""
    objective, labels = OBJECTIVES[kind]
    words = labels.split(",")
    rows = "".join(f"{words[i % len(words)]},{i},{'ab'[i % 2]},{i % 3}\n" for i in range(120))
    given = {"label": "y", "objective": objective, "num_round": 2}
    if objective.startswith("multi"):
        given["num_class"] = 3
    model = train_model(tmp_path / "job", f"y,size,kind,again\n{rows}", **given)

    document = described(model, tmp_path / "out")["openapi.json"]

    validator.validate(document)
    content = document["paths"]["/invocations"]["post"]["requestBody"]["content"]
    root = {"$ref": "#/components/schemas/Request", "components": document["components"]}
    checker = jsonschema.Draft202012Validator(root)
    checker.validate(content["application/json"]["example"])
    assert not checker.is_valid({"size": 1})


def test_the_documents_name_the_models_columns_and_classes(archive: Path, tmp_path: Path) -> None:
    """From the archive alone."""
    documents = described(archive, tmp_path, "--url", "https://api.example/staging/")

    document = documents["openapi.json"]
    schemas = document["components"]["schemas"]
    assert "Day Mins" in schemas["Record"]["required"]
    assert "Churn?" not in schemas["Record"]["required"]
    answer = schemas["Answer"]["properties"]["predictions"]["items"]["properties"]
    assert answer["predicted_label"] == {"enum": ["False.", "True."]}
    assert document["servers"] == [{"url": "https://api.example/staging"}]
    assert documents["request.schema.json"]["$schema"].endswith("draft-04/schema#")


@pytest.mark.parametrize(
    ("authorization", "header", "secrets"),
    [
        ("api-key", "x-api-key", ["api_key"]),
        ("iam", "Authorization", ["access_key", "secret_key", "session_token", "region"]),
    ],
)
def test_both_documents_say_how_to_authenticate_and_hold_no_secret(
    archive: Path, tmp_path: Path, authorization: str, header: str, secrets: list[str]
) -> None:
    """What is secret is an empty variable of the collection."""
    documents = described(archive, tmp_path, "--authorization", authorization)

    [scheme] = documents["openapi.json"]["components"]["securitySchemes"].values()
    assert scheme["name"] == header
    variables = {v["key"]: v["value"] for v in documents["postman.json"]["variable"]}
    assert [name for name, value in variables.items() if not value] == secrets


@pytest.mark.parametrize("fault", ["model", "folder"])
def test_what_cannot_be_read_or_written_is_told(
    archive: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], fault: str
) -> None:
    """Exit status 1, a line, and no file."""
    taken = tmp_path / "taken"
    taken.write_text("a file")
    model, output = (tmp_path / "no.tar.gz", tmp_path) if fault == "model" else (archive, taken)

    assert main([str(model), "--output", str(output)]) == 1

    told = capsys.readouterr()
    assert told.err.startswith("deploy.describe: ")
    assert told.out == ""
    assert sorted(tmp_path.iterdir()) == [taken]
