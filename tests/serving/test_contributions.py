"""What is told of a row's SHAP values adds up to its margin, by the names of the raw columns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost

from churn_daal import artifact
from churn_daal.artifact import Model
from churn_daal.engine import Explainer
from churn_daal.serving import contributions as module
from churn_daal.serving.contributions import contributions
from churn_daal.tabular.labels import Labels

CELLS = [
    ["265.1", "", "-3", "1e3"],
    ["KS", "OH", "", "never seen"],
    ["yes", "no", "", "yes"],
    ["1", "2", "3", "4"],
]


@pytest.fixture(scope="module", params=["onehot", "ordinal"])
def model(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    train_model: Callable[..., Path],
) -> Model:
    """Return a binary model of a number, a category, a boolean and a number."""
    rng = np.random.default_rng(3)
    rows = [
        f"{y},{a:.1f},{c},{b},{k % 5}"
        for k, (a, c, b) in enumerate(
            zip(
                rng.normal(100, 90, 300),
                rng.choice(["KS", "OH", "NJ", ""], 300),
                rng.choice(["yes", "no", ""], 300),
                strict=True,
            )
        )
        for y in [int(a + 60 * (c == "KS") - 40 * (b == "yes") > 100)]
    ]
    text = "y,minutes,state,plan,calls\n" + "\n".join(rows) + "\n"
    folder = train_model(
        tmp_path_factory.mktemp("model"),
        text,
        label="y",
        objective="binary:logistic",
        num_round=8,
        category_encoding=request.param,
    )
    loaded = artifact.load(folder)
    assert loaded.encoder.schema.columns[1].encoding == request.param
    return loaded


def summed(record: dict[str, Any]) -> float:
    """Return what a record's parts add up to."""
    parts = (feature["contribution"] for feature in record["features"])
    return record["base"] + sum(parts) + record.get("rest", 0.0)


def expected(model: Model, X: np.ndarray) -> dict[str, np.ndarray]:
    """Return the engine's contributions, those of a column's codes added up, by name."""
    values = model.explainer.contributions(X)
    found, offset = {}, 0
    for column in model.encoder.schema.columns:
        found[column.name] = values[:, offset : offset + column.width].sum(axis=1)
        offset += column.width
    return found | {"": values[:, -1]}


def test_all_columns_are_told_largest_first(model: Model) -> None:
    """Each once, under its own name, with the value the trees saw and the base they add to."""
    X = model.encoder.from_text(CELLS)
    told = contributions(model, X, top_k=None, predicted=None)
    by_name = expected(model, X)

    for row, record in enumerate(told):
        assert list(record) == ["base", "features"]
        amounts = [abs(feature["contribution"]) for feature in record["features"]]
        assert amounts == sorted(amounts, reverse=True)
        found = {feature["name"]: feature["contribution"] for feature in record["features"]}
        assert set(found) == set(model.encoder.schema.names)
        for name, amount in found.items():
            assert amount == pytest.approx(float(by_name[name][row]), abs=1e-6)
        assert np.float32(record["base"]) == by_name[""][row]
    margins = model.explainer.margin(X)
    np.testing.assert_allclose([summed(record) for record in told], margins, atol=1e-5)
    seen = [{f["name"]: f["value"] for f in record["features"]} for record in told]
    assert seen == [
        {"minutes": 265.1, "state": "KS", "plan": True, "calls": 1.0},
        {"minutes": None, "state": "OH", "plan": False, "calls": 2.0},
        {"minutes": -3.0, "state": None, "plan": None, "calls": 3.0},
        {"minutes": 1000.0, "state": None, "plan": True, "calls": 4.0},
    ]


@pytest.mark.parametrize("top_k", [1, 2, 3])
def test_what_is_cut_is_told_as_its_sum(model: Model, top_k: int) -> None:
    """The first of all of them, and a rest that keeps the sum."""
    X = model.encoder.from_text(CELLS)
    whole = contributions(model, X, top_k=None, predicted=None)
    told = contributions(model, X, top_k=top_k, predicted=None)

    for record, full in zip(told, whole, strict=True):
        assert record["features"] == full["features"][:top_k]
        assert summed(record) == pytest.approx(summed(full), abs=1e-5)
    assert contributions(model, X, top_k=99, predicted=None) == whole


def test_blocks_make_no_difference(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows are explained in bounded pieces, and come out in order."""
    X = model.encoder.from_text([column * 10 for column in CELLS])
    whole = contributions(model, X, top_k=2, predicted=None)
    monkeypatch.setattr(module, "_CELLS", 3 * (X.shape[1] + 1))
    for record, other in zip(contributions(model, X, top_k=2, predicted=None), whole, strict=True):
        assert [f["name"] for f in record["features"]] == [f["name"] for f in other["features"]]
        assert summed(record) == pytest.approx(summed(other), abs=1e-5)


def test_of_several_classes_the_predicted_ones_are_told(
    tmp_path: Path, train_model: Callable[..., Path]
) -> None:
    """Each row's record names the class, and adds up to that class's margin."""
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 240)).round(2)
    labels = np.array(["low", "mid", "high"])[np.digitize(a + b, [-0.7, 0.7])]
    rows = (f"{y},{p},{q}" for y, p, q in zip(labels, a, b, strict=True))
    text = "y,a,b\n" + "\n".join(rows) + "\n"
    model = artifact.load(train_model(tmp_path, text, label="y", num_round=5))
    assert model.engine.name == "onedal"
    X = np.stack([a, b], axis=1).astype(np.float32)
    predicted = model.predict(X).argmax(axis=1)

    told = contributions(model, X, top_k=1, predicted=predicted)

    classes = model.manifest.labels.classes
    assert [record["class"] for record in told] == [classes[number] for number in predicted]
    assert len({record["class"] for record in told}) == 3
    margins = model.explainer.margin(X)[np.arange(len(X)), predicted]
    np.testing.assert_allclose([summed(record) for record in told], margins, atol=1e-5)


def test_several_outputs_that_are_no_classes_are_told_one_by_one(
    model: Model, tmp_path: Path
) -> None:
    """A model of two targets gives a list of two records a row."""
    from churn_daal.engine import load_xgboost  # noqa: PLC0415 - XGBoost is needed here alone

    X = model.encoder.from_text([column * 20 for column in CELLS])
    labels = np.stack([np.nan_to_num(X[:, 0]), np.nan_to_num(X[:, -1])], axis=1)
    booster = xgboost.train({"objective": "reg:squarederror"}, xgboost.DMatrix(X, labels), 2)
    booster.save_model(tmp_path / "model.ubj")
    engine = load_xgboost(tmp_path / "model.ubj")
    manifest = replace(model.manifest, objective="reg:squarederror", labels=Labels("y"))
    two = replace(
        model,
        manifest=manifest,
        engine=engine,
        explainer=Explainer(engine, None, contributions=False),
    )

    told = contributions(two, X, top_k=None, predicted=None)

    margins = engine.margin(X)
    assert margins.shape == (len(X), 2)
    found = [[summed(record) for record in row] for row in told]
    np.testing.assert_allclose(found, margins, rtol=1e-5, atol=1e-4)
