"""Each output of each family of objectives, through `docker run IMAGE serve`, is stock XGBoost's.

Asked for by query, by custom attributes and by the server's setting.
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import numpy as np
import pytest
import xgboost

from churn_daal import artifact

from .conftest import Start, Train
from .drive import Answer, Container, as_csv, lay_job, stock_booster

pytestmark = pytest.mark.container
LIMIT = 1e-5
ATTRIBUTES = "X-Amzn-SageMaker-Custom-Attributes"
CLASSES = {"binary": ["no", "yes"], "multi": ["high", "low", "mid"]}


def cells(seed: int, count: int = 300) -> list[list[str]]:
    """Return raw rows of two numbers, a category and a boolean, some cells missing."""
    rng = np.random.default_rng(seed)
    numbers = np.round(rng.normal(0, 2, (count, 2)), 2).astype(str)
    numbers[rng.random(numbers.shape) < 0.1] = ""
    words = rng.choice(["u", "v", "w", ""], (count, 1)), rng.choice(["yes", "no"], (count, 1))
    return np.hstack([numbers, *words]).tolist()


def training_text(family: str) -> str:
    """Return those rows behind a label that follows from them."""
    lines = ["y,a,b,c,d"]
    for row in cells(0):
        signal = float(row[0] or 0) + 2 * (row[2] == "v") - (row[3] == "yes")
        label = {
            "binary": "yes" if signal > 0 else "no",
            "multi": "low" if signal < -1 else "high" if signal > 1 else "mid",
        }.get(family, str(round(float(np.exp(signal / 4)), 3)))
        lines.append(",".join([label, *row]))
    return "\n".join(lines) + "\n"


def train_one(train: Train, base: Path, objective: str, **given: object) -> Path:
    """Train a model of an objective in the image; return its folder."""
    family = objective.partition(":")[0]
    settings = {"label": "y", "objective": objective, "num_round": 8, "max_depth": 3} | given
    if family == "multi":
        settings["num_class"] = 3
    opt_ml = lay_job(base / "ml", {"train/rows.csv": training_text(family)}, **settings)
    done = train(opt_ml)
    assert done.returncode == 0, done.stderr[-3000:]
    return opt_ml / "model"


def invoke(
    container: Container,
    rows: Sequence[Sequence[str]],
    query: Mapping[str, object] | None = None,
    attributes: str = "",
) -> Answer:
    """POST rows as CSV and ask for JSON, with a query and the custom attributes."""
    path = "/invocations" + (f"?{urlencode(query)}" if query else "")
    headers = {"Content-Type": "text/csv", "Accept": "application/json"}
    headers |= {ATTRIBUTES: attributes} if attributes else {}
    with closing(http.client.HTTPConnection("127.0.0.1", container.port(), timeout=60)) as link:
        link.request("POST", path, as_csv(rows), headers)
        with link.getresponse() as response:
            return Answer(response.status, response.read())


def records(answer: Answer) -> list[dict[str, Any]]:
    """Return the predictions of a JSON answer; a bare NaN is none."""
    assert answer.status == 200, answer.body

    def refuse(text: str) -> None:
        raise AssertionError(f"{text} is not JSON")

    return json.loads(answer.body, parse_constant=refuse)["predictions"]


def expected_columns(
    objective: str, booster: xgboost.Booster, X: np.ndarray
) -> dict[str, list[Any]]:
    """Return what stock XGBoost makes of rows, by the name of the output."""
    matrix = xgboost.DMatrix(X)
    response = booster.predict(matrix)
    margin = booster.predict(matrix, output_margin=True)
    found: dict[str, Any] = {
        "margin": margin,
        "leaf": booster.predict(matrix, pred_leaf=True),
    }
    family = objective.partition(":")[0]
    if family not in CLASSES:
        return found | {"predicted_score": response}
    classes = CLASSES[family]
    found["labels"] = [classes] * len(X)
    if family == "multi":
        odds = np.exp(margin - margin.max(axis=1, keepdims=True))
        shares = odds / odds.sum(axis=1, keepdims=True)
        raw, numbers = shares, margin.argmax(axis=1)
    else:
        positive = 1 / (1 + np.exp(-margin))
        shares = np.stack([1 - positive, positive], axis=1)
        numbers = (margin > 0).astype(int)
        raw = {
            "binary:logistic": shares,
            "binary:logitraw": np.stack([-margin, margin], axis=1),
            "binary:hinge": np.stack([1 - numbers, numbers], axis=1),
        }[objective]
    winning = raw.max(axis=1) if family == "multi" else raw[:, 1]
    found |= {"predicted_label": [classes[number] for number in numbers]}
    found |= {"raw_scores": raw, "raw_score": winning}
    if objective != "binary:hinge":
        best = shares.max(axis=1) if family == "multi" else shares[:, 1]
        found |= {"probabilities": shares, "probability": best}
    return found


def difference(found: list[dict[str, Any]], expected: dict[str, Any]) -> float:
    """Compare texts exactly and numbers relative to max(1, |number|); return the largest."""
    largest = 0.0
    for name, column in expected.items():
        values = [record[name] for record in found]
        if name in {"predicted_label", "labels"}:
            assert values == list(column)
            continue
        numbers = np.asarray(column, dtype=np.float64)
        off = np.abs(np.asarray(values, dtype=np.float64) - numbers)
        largest = max(largest, float((off / np.maximum(1, np.abs(numbers))).max()))
    return largest


def contributions_difference(
    found: list[dict[str, Any]], booster: xgboost.Booster, model_dir: Path, X: np.ndarray
) -> float:
    """Compare told contributions with `pred_contribs`, and their sum with the margin."""
    schema = artifact.load(model_dir).encoder.schema
    values = booster.predict(xgboost.DMatrix(X), pred_contribs=True).astype(np.float64)
    margin = booster.predict(xgboost.DMatrix(X), output_margin=True)
    if values.ndim == 3:
        rows, winning = np.arange(len(X)), margin.argmax(axis=1)
        assert [r["contributions"]["class"] for r in found] == [
            CLASSES["multi"][k] for k in winning
        ]
        values, margin = values[rows, winning], margin[rows, winning]
    largest = 0.0
    for row, record in enumerate(found):
        told = record["contributions"]
        by_name = {f["name"]: f["contribution"] for f in told["features"]}
        offset = 0
        for column in schema.columns:
            own = values[row, offset : offset + column.width].sum()
            largest = max(largest, abs(by_name[column.name] - own))
            offset += column.width
        largest = max(largest, abs(told["base"] - values[row, -1]))
        assert abs(told["base"] + sum(by_name.values()) - margin[row]) <= LIMIT
    return largest


@pytest.mark.parametrize(
    ("objective", "given"),
    [
        ("binary:logistic", {}),
        ("binary:logitraw", {}),
        ("binary:hinge", {}),
        ("multi:softprob", {}),
        ("multi:softmax", {}),
        ("reg:squarederror", {}),
        ("count:poisson", {}),
    ],
    ids=lambda value: value if isinstance(value, str) else value.get("booster", "gbtree"),
)
def test_every_output_is_stock_xgboosts(
    train: Train,
    serve: Start,
    tmp_path: Path,
    objective: str,
    given: dict[str, object],
) -> None:
    """By query as by attributes, within 1e-5; contributions add up to the margin."""
    model_dir = train_one(train, tmp_path, objective, **given)
    booster, rows = stock_booster(model_dir), cells(1, 60)
    X = artifact.load(model_dir).encoder.from_text(list(zip(*rows, strict=True)))
    expected = expected_columns(objective, booster, X)
    names = ",".join([*expected, "contributions"])
    container = serve(model_dir)

    by_query = records(invoke(container, rows, {"outputs": names}))
    by_attributes = records(invoke(container, rows, attributes=f"trace=7; outputs = {names}"))

    assert by_query == by_attributes
    assert list(by_query[0]) == names.split(",")
    off = difference(by_query, expected)
    explained = contributions_difference(by_query, booster, model_dir, X)
    print(f"{objective} {given}: outputs {off:.1e}, contributions {explained:.1e}")
    assert off <= LIMIT
    assert explained <= LIMIT


def test_the_setting_holds_where_a_request_says_nothing(
    train: Train, serve: Start, tmp_path: Path
) -> None:
    """SAGEMAKER_INFERENCE_OUTPUT, what does not fit null and told once; a request comes first."""
    model_dir = train_one(train, tmp_path, "binary:logistic")
    rows = cells(1, 5)
    container = serve(
        model_dir,
        "--env",
        "SAGEMAKER_INFERENCE_OUTPUT=predicted_label, Probability,predicted_score",
    )

    usual = records(invoke(container, rows))
    asked = records(invoke(container, rows, {"outputs": "margin"}, "outputs=labels"))

    assert [list(r) for r in usual] == [["predicted_label", "probability", "predicted_score"]] * 5
    assert {record["predicted_score"] for record in usual} == {None}
    assert {record["predicted_label"] for record in usual} <= {"no", "yes"}
    assert [list(r) for r in asked] == [["margin"]] * 5
    assert container.logs().count("'predicted_score' is not what a binary:logistic model") == 1


def test_a_threshold_and_a_cut_for_one_request(train: Train, serve: Start, tmp_path: Path) -> None:
    """They hold for the request that says them, and for no other."""
    model_dir = train_one(train, tmp_path, "binary:logistic")
    rows = cells(1, 40)
    container = serve(model_dir)

    before = records(invoke(container, rows))
    low = records(invoke(container, rows, {"threshold": 0.2}))
    told = records(invoke(container, rows, attributes="outputs=contributions,margin;top_k=2"))
    after = records(invoke(container, rows))

    assert before == after
    assert [r["score"] for r in low] == [r["score"] for r in before]
    assert [r["predicted_label"] for r in low] == [
        "yes" if r["score"] >= np.float32(0.2) else "no" for r in before
    ]
    assert [r["predicted_label"] for r in low] != [r["predicted_label"] for r in before]
    for record in told:
        part = record["contributions"]
        assert len(part["features"]) == 2
        amount = sum(feature["contribution"] for feature in part["features"])
        assert abs(part["base"] + amount + part["rest"] - record["margin"]) <= LIMIT


def test_a_wish_that_cannot_be_met_is_a_400(train: Train, serve: Start, tmp_path: Path) -> None:
    """With the key, the value and what is allowed; the server lives on."""
    container = serve(train_one(train, tmp_path, "reg:squarederror"))
    rows = cells(1, 2)
    wrong = [
        ({"outputs": "probability"}, "", b"'probability' is not what a reg:squarederror model"),
        ({"outputs": "contributions", "top_k": "none"}, "", b"top_k='none' in the request"),
        ({}, "threshold=0.4", b"a reg:squarederror model answers by no threshold"),
        ({"outputs": "margin", "treshold": "0.4"}, "", b"is not known; write 'threshold'"),
    ]

    for query, attributes, text in wrong:
        refused = invoke(container, rows, query, attributes)
        assert refused.status == 400
        assert text in refused.body
    assert len(records(invoke(container, rows, {"outputs": "predicted_score"}))) == 2
