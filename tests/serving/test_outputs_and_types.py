"""Each output in each type holds what the JSON answer holds, for models of every kind."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import xgboost

from churn_daal import artifact
from churn_daal.artifact import Model
from churn_daal.errors import NotAcceptableError, RequestError
from churn_daal.serving.encoders import ENCODERS
from churn_daal.serving.invocation import ModelService
from churn_daal.serving.outputs import outputs_of
from churn_daal.serving.request import Request

from .encoders.test_selected import ARROW, NPY, RECORDS, tensors

LINES = "application/jsonlines"
# Rows by position, a cell missing in the second.
BODY = b"1.5,v,yes\n,u,no\n4,w,yes\n"
LABELS = {
    "words": ("go", "stay"),
    "numbers": (0, 1),
    "three": ("a", "b", "c"),
    "value": (1.5, 2.5, 4.0, 8.0),
}


@pytest.fixture(scope="module", params=[*LABELS, "ensemble"])
def model(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    train_model: Callable[..., Path],
) -> Model:
    """Return a model of text classes, numbered classes, three classes, values; an ensemble."""
    if request.param == "ensemble":
        return ensemble(tmp_path_factory.mktemp("ensemble"))
    labels = LABELS[request.param]
    rows = []
    for k in range(120):
        label = k % len(labels)
        rows.append(f"{labels[label]},{k % 5 + label},{'uvw'[k % 3]},{'yes' if k % 2 else 'no'}\n")
    text = "y,n,c,b\n" + "".join(rows)
    objective = {"objective": "reg:squarederror"} if request.param == "value" else {}
    return artifact.load(
        train_model(tmp_path_factory.mktemp(request.param), text, num_round=4, **objective)
    )


def ensemble(folder: Path) -> Model:
    """Return two boosters trained elsewhere that answer together, on three columns of numbers."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(90, 3)).astype(np.float32)
    for seed in range(2):
        rows = xgboost.DMatrix(X, (X[:, 0] + rng.normal(size=90) > 0).astype(int))
        booster = xgboost.train({"objective": "binary:logistic", "seed": seed}, rows, 3)
        booster.save_model(folder / f"xgboost-model-{seed}.ubj")
    return artifact.load(folder)


def ask(model: Model, output: str, accept: str, setting: tuple[str, ...] = ()) -> bytes:
    """Return the answer to the rows, in one type; "" for what the setting names."""
    words = any(column.kind != "number" for column in model.manifest.schema.columns)
    body = BODY if words else b"1.5,0,1\n,1,0\n4,2,1\n"
    query = {"outputs": output} if output else {}
    request = Request(memoryview(body), accept=accept, query=query)
    answer = ModelService(model, setting).answer(request)
    assert answer.status == 200
    return bytes(answer.body)


def read(kind: str, body: bytes, output: str) -> list[Any]:
    """Read a body's column by the type's own tools."""
    if kind == "text/csv":
        cells = [row[0] for row in csv.reader(io.StringIO(body.decode()))]
        return [parsed(cell) for cell in cells]
    if kind == LINES:
        return [json.loads(line)[output] for line in body.splitlines()]
    if kind == NPY:
        return np.load(io.BytesIO(body), allow_pickle=False).tolist()
    if kind == RECORDS:
        return [record[output] for record in tensors(body)]
    assert kind == ARROW
    values = pa.ipc.open_stream(body).read_all().column(output).to_pylist()
    # Arrow has no type for values of several types, and holds JSON's text of them.
    return list(map(json.loads, values)) if output == "contributions" else values


def parsed(cell: str) -> Any:  # noqa: ANN401 - whatever JSON holds
    """Read a cell as JSON where it is that, and as text where it is not."""
    try:
        return json.loads(cell)
    except json.JSONDecodeError:
        return cell


def flat(value: Any) -> Iterator[Any]:  # noqa: ANN401 - whatever JSON holds
    """Yield the leaves of a value in order."""
    if isinstance(value, dict):
        value = value.values()
    if hasattr(value, "__iter__") and not isinstance(value, str):
        for part in value:
            yield from flat(part)
    else:
        yield value


def alike(came: Any, expected: Any, classes: tuple[Any, ...]) -> bool:  # noqa: ANN401
    """Tell whether a leaf is the same: a number as float32, a class as itself or its number."""
    if isinstance(expected, str) and not isinstance(came, str):
        expected = classes.index(expected)
    if isinstance(expected, int | float) and isinstance(came, str):
        came = float(came)
    if isinstance(expected, int | float):
        return bool(np.float32(came) == np.float32(expected))
    return bool(came == expected)


@pytest.mark.parametrize("kind", [kind for kind in ENCODERS if kind != "application/json"])
def test_every_output_in_every_type(model: Model, kind: str) -> None:
    """Numbers agree to the last bit of float32; what a type cannot hold is refused, not garbled."""
    classes = model.manifest.labels.classes
    several = len(model.sources) > 1
    for output in outputs_of(model.manifest):
        if several and output in {"contributions", "leaf"}:
            with pytest.raises(RequestError, match=f"'{output}' cannot be answered"):
                ask(model, output, kind)
            continue
        document = json.loads(ask(model, output, "application/json"))
        expected = [row[output] for row in document["predictions"]]
        if output == "contributions" and kind in {NPY, RECORDS}:
            with pytest.raises(NotAcceptableError, match="'contributions' holds what is no number"):
                ask(model, output, kind)
            continue
        came = read(kind, ask(model, output, kind), output)

        assert len(came) == len(expected) == 3
        pairs = [
            pair
            for row, wanted in zip(came, expected, strict=True)
            for pair in zip(flat(row), flat(wanted), strict=True)
        ]
        assert all(alike(one, other, classes) for one, other in pairs), (output, came, expected)


def rows_of(kind: str, body: bytes, names: tuple[str, ...]) -> list[list[Any]]:
    """Read a body's rows, the columns side by side, by the type's own tools."""
    if kind == "application/json":
        return [list(record.values()) for record in json.loads(body)["predictions"]]
    if kind == "text/csv":
        cells = csv.reader(io.StringIO(body.decode()))
        return [[math.nan if cell == "nan" else parsed(cell) for cell in row] for row in cells]
    columns = []
    for name in names:
        if kind == NPY:
            array = np.load(io.BytesIO(body), allow_pickle=False)
            columns.append(array[name].tolist() if len(names) > 1 else array.tolist())
        elif kind == RECORDS:
            columns.append([record[name][0] for record in tensors(body)])
        else:
            columns.append(read(kind, body, name))
    return [list(row) for row in zip(*columns, strict=True)]


@pytest.mark.parametrize("kind", ENCODERS)
def test_what_the_setting_names_in_vain(model: Model, kind: str) -> None:
    """NaN as AWS's image has it, null in JSON, beside what there is and alone; nothing refused."""
    absent = "nonsense" if model.manifest.labels.classes else "probability"
    explained = ("leaf",) if len(model.sources) > 1 else ()
    empty = {None} if kind in {"application/json", LINES} else {"nan"}

    for setting in ((absent,), (absent, "margin", "predicted_label", *explained)):
        rows = rows_of(kind, ask(model, "", kind, setting), setting)

        assert len(rows) == 3
        vain = {absent, *explained} | set(setting).difference(outputs_of(model.manifest))
        for name, column in zip(setting, zip(*rows, strict=True), strict=True):
            found = {"nan" if cell != cell else cell for cell in map(plain, column)}  # noqa: PLR0124
            assert (found == empty) is (name in vain), (name, column)


def plain(cell: Any) -> Any:  # noqa: ANN401 - whatever JSON holds
    """Return a cell that a set may hold."""
    return tuple(cell) if isinstance(cell, list) else cell
