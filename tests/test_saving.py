"""`churn_daal.save` writes from the user's booster what `train` writes from its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import xgboost

import churn_daal
from churn_daal import artifact
from churn_daal.errors import UserError
from churn_daal.serving.app import create_app
from churn_daal.serving.invocation import ModelService
from churn_daal.settings import ServeSettings

RNG = np.random.default_rng(7)
X = RNG.random((300, 3), dtype=np.float32)
X[::7, 1] = np.nan
NAMES = ["age", "income", "visits"]
Y = (X[:, 0] + 0.2 * X[:, 2] > 0.6).astype(np.float32)
THREE = np.digitize(X[:, 0], [0.3, 0.6]).astype(np.float32)


def boost(y: np.ndarray = Y, rounds: int = 5, **params: object) -> xgboost.Booster:
    """Train a small booster on the first 200 rows."""
    matrix = xgboost.DMatrix(X[:200], y[:200])
    return xgboost.train({"max_depth": 3, "nthread": 1, **params}, matrix, rounds)


LOGISTIC = boost(objective="binary:logistic")


@pytest.mark.parametrize(
    ("params", "y", "engine"),
    [
        ({"objective": "binary:logistic"}, Y, "onedal"),
        ({"objective": "multi:softprob", "num_class": 3}, THREE, "onedal"),
        ({"objective": "reg:squarederror"}, X[:, 2], "onedal"),
        ({"objective": "binary:hinge"}, Y, "onedal"),
        ({"objective": "multi:softprob", "num_class": 2}, Y, "xgboost"),
        ({"objective": "reg:quantileerror", "quantile_alpha": [0.1, 0.9]}, X[:, 2], "xgboost"),
    ],
)
def test_a_saved_booster_answers_as_it_does(
    tmp_path: Path, params: dict[str, Any], y: np.ndarray, engine: str
) -> None:
    """Loaded by the server's own loader, on rows with missing cells, to the gate's limit."""
    booster = boost(y, **params)

    written = churn_daal.save(booster, tmp_path, X=X[200:], y=y[200:])

    model = artifact.load(tmp_path, threads=1)
    assert (written.engine.name, model.manifest) == (engine, written)
    expected = booster.predict(xgboost.DMatrix(X))
    assert np.abs(model.predict(X) - expected).max() <= 1e-5
    assert written.parity is None or written.parity["passed"]


def test_serve_answers_a_saved_model_by_name_and_by_class(tmp_path: Path) -> None:
    """The user's names and classes are the server's: raw requests, words in the answers."""
    churn_daal.save(
        LOGISTIC, tmp_path, X=X[200:], feature_names=NAMES, label="churned", classes=["no", "yes"]
    )
    client = create_app(
        ModelService(artifact.load(tmp_path, threads=1)), ServeSettings(tmp_path)
    ).test_client()
    rows = [dict(zip(reversed(NAMES), map(float, row[::-1]), strict=True)) for row in X[201:203]]

    answer = client.post("/invocations", json=rows)

    assert answer.status_code == 200, answer.data
    expected = LOGISTIC.predict(xgboost.DMatrix(X[201:203]))
    assert [one["score"] for one in answer.json["predictions"]] == pytest.approx(list(expected))
    words = [one["predicted_label"] for one in answer.json["predictions"]]
    assert words == ["yes" if score >= 0.5 else "no" for score in expected]


def test_the_metrics_are_those_of_the_held_out_rows(tmp_path: Path) -> None:
    """With labels, as `train` records them; without, none are made up."""
    cut = np.float32(0.4)
    written = churn_daal.save(LOGISTIC, tmp_path, X=X[200:], y=Y[200:], threshold=cut)

    answers = LOGISTIC.predict(xgboost.DMatrix(X[200:]))
    assert written.metrics["rows"] == 100
    assert written.metrics["accuracy"] == np.mean((answers >= cut) == (Y[200:] == 1))
    assert churn_daal.save(LOGISTIC, tmp_path, X=X[200:]).metrics == {}


def test_without_rows_the_gate_compares_on_the_boosters_own_splits(tmp_path: Path) -> None:
    """No row is given, and still each split is met."""
    written = churn_daal.save(LOGISTIC, tmp_path)

    assert written.parity is not None
    assert written.parity["passed"]
    assert written.parity["rows"] > len(LOGISTIC.get_split_value_histogram("f0", as_pandas=False))
    assert written.schema.names == ("f0", "f1", "f2")


def test_an_estimator_with_early_stopping_is_cut_to_its_best_round(tmp_path: Path) -> None:
    """As its own predict does; the trees after the best round would answer otherwise."""
    model = xgboost.XGBClassifier(n_estimators=60, learning_rate=1.0, early_stopping_rounds=3)
    model.fit(X[:200], Y[:200], eval_set=[(X[200:], Y[200:])], verbose=False)
    assert model.best_iteration + 1 < model.get_booster().num_boosted_rounds()

    churn_daal.save(model, tmp_path, X=X[200:])

    expected = model.predict_proba(X)[:, 1]
    assert np.abs(artifact.load(tmp_path, threads=1).predict(X) - expected).max() <= 1e-5


def test_a_tables_columns_are_taken_by_name(tmp_path: Path) -> None:
    """Another order of columns gives the same gate and metrics, not other ones in silence."""
    table = pa.table({name: X[200:, i] for i, name in reversed(list(enumerate(NAMES)))})

    by_name = churn_daal.save(LOGISTIC, tmp_path, X=table, y=Y[200:], feature_names=NAMES)

    in_order = churn_daal.save(LOGISTIC, tmp_path, X=X[200:], y=Y[200:], feature_names=NAMES)
    assert by_name == in_order


def test_without_a_folder_it_is_sagemakers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`model` under the prefix, where `serve` looks."""
    monkeypatch.setenv("SAGEMAKER_BASE_DIR", str(tmp_path))

    churn_daal.save(LOGISTIC)

    assert artifact.load(tmp_path / "model", threads=1).answers()


def test_categorical_features_are_served_by_xgboost_from_their_codes(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """XGBoost alone has a form for them; that requests must send codes is said."""
    table = pa.table({"plan": pa.array(["a", "b", "c"] * 100).dictionary_encode(), "age": X[:, 0]})
    labels = np.tile(np.float32([0, 1, 0]), 100)
    matrix = xgboost.DMatrix(table, labels, enable_categorical=True)
    booster = xgboost.train({"objective": "binary:logistic", "max_cat_to_onehot": 1}, matrix, 3)

    written = churn_daal.save(booster, tmp_path)

    assert written.engine.name == "xgboost"
    assert "plan: requests have to send their codes" in caplog.text
    codes = np.column_stack([np.tile([0, 1, 2], 100), X[:, 0]]).astype(np.float32)
    answers = artifact.load(tmp_path, threads=1).predict(codes)
    assert answers == pytest.approx(booster.predict(matrix), abs=1e-6)


@pytest.mark.parametrize(
    ("booster", "arguments", "message"),
    [
        ("model.json", {}, "booster is a builtins.str; expected an xgboost.Booster"),
        (xgboost.XGBClassifier(), {}, "the XGBClassifier is not fitted; call fit before save"),
        (xgboost.Booster(), {}, "the booster has no rounds; train it"),
        (
            xgboost.XGBClassifier(n_estimators=1, missing=-1.0).fit(X, Y),
            {},
            "was made with missing=-1.0; the server reads NaN",
        ),
        (LOGISTIC, {"X": X[:, :2]}, "shape (300, 2); the booster was trained on 3 features"),
        (LOGISTIC, {"X": X[0]}, "shape (3,); the booster was trained on 3 features"),
        (LOGISTIC, {"X": X.astype(str)}, "expected numbers"),
        (LOGISTIC, {"X": np.where(X > 0.99, np.inf, X)}, "X has an infinite value in row"),
        (
            LOGISTIC,
            {"X": pa.table({"age": X[:, 0], "sex": X[:, 1], "visits": X[:, 2]})}
            | {"feature_names": NAMES},
            "X has the columns ['age', 'sex', 'visits']; the booster was trained on ['age', 'inc",
        ),
        (
            LOGISTIC,
            {"X": pa.table({"age": ["a"], "income": ["b"], "visits": ["c"]})},
            "column 'age' of X holds object values; expected numbers",
        ),
        (LOGISTIC, {"feature_names": ["a", "b"]}, "has 2 names; the booster was trained on 3"),
        (LOGISTIC, {"feature_names": ["a", "b", "a"]}, "the feature name 'a' comes twice"),
        (LOGISTIC, {"label": "f1"}, "label 'f1' is a feature's name too"),
        (LOGISTIC, {"classes": ["yes"]}, "classes has 1 values ['yes']; binary:logistic has 2"),
        (LOGISTIC, {"classes": ["yes", "yes"]}, "expected 2 different texts or finite numbers"),
        (LOGISTIC, {"classes": [0.0, float("nan")]}, "expected 2 different texts or finite"),
        (LOGISTIC, {"X": X, "y": Y, "weight": -Y}, "is -1; expected a finite number, 0 or more"),
        (boost(), {"classes": ["no", "yes"]}, "reg:squarederror has none, as its answers are"),
        (LOGISTIC, {"threshold": 50}, "threshold is 50; expected a number between 0 and 1"),
        (LOGISTIC, {"X": X, "y": Y[:10]}, "y has the shape (10,); X has 300 rows"),
        (LOGISTIC, {"X": X, "y": Y + 1}, "expected a class number from 0 to 1"),
        (LOGISTIC, {"X": X, "y": ["no", "yes"] * 150}, "expected numbers"),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_written(
    tmp_path: Path, booster: object, arguments: dict[str, Any], message: str
) -> None:
    """The message says what came and what the booster needs."""
    with pytest.raises(UserError) as caught:
        churn_daal.save(booster, tmp_path, **arguments)

    assert message in str(caught.value)
    assert not any(tmp_path.iterdir())


def test_the_training_rows_give_the_ranges(tmp_path: Path) -> None:
    """Held-out rows do not: what lies outside of them may well have been trained on."""
    without = churn_daal.save(LOGISTIC, tmp_path / "a", X=X[200:])
    written = churn_daal.save(LOGISTIC, tmp_path / "b", X=X[200:], train_X=X[:200])

    assert not without.statistics.columns
    income = written.statistics.columns["f1"]
    assert income.missing == pytest.approx(np.isnan(X[:200, 1]).mean())
    assert (income.low, income.high) == (np.nanmin(X[:200, 1]), np.nanmax(X[:200, 1]))


def test_training_rows_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    """By their own name, and before anything is written."""
    with pytest.raises(UserError, match=r"train_X has the shape \(200, 2\)"):
        churn_daal.save(LOGISTIC, tmp_path, train_X=X[:200, :2])

    assert not list(tmp_path.iterdir())
