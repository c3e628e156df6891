"""Each output is what XGBoost itself answers about the same rows."""

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
from churn_daal.errors import RequestError
from churn_daal.serving.options import USUAL, Options
from churn_daal.serving.outputs import outputs_of, plan
from churn_daal.serving.predictions import predictions, usual

N = 240
LABELS = {
    "binary": lambda signal: np.where(signal > 0, "yes", "no"),
    "multi": lambda signal: np.array(["a", "b", "c"])[np.digitize(signal, [-1, 1])],
}
OBJECTIVES = [
    *("binary:logistic", "binary:logitraw", "binary:hinge", "multi:softprob", "multi:softmax"),
    *("reg:squarederror", "reg:logistic", "reg:gamma", "reg:tweedie", "count:poisson"),
]


def columns(seed: int) -> list[list[str]]:
    """Return raw columns: two numbers, a category and a yes-or-no one, some cells missing."""
    rng = np.random.default_rng(seed)
    numbers = np.round(rng.normal(0, 2, (2, N)), 2).astype(str)
    numbers[rng.random(numbers.shape) < 0.1] = ""
    return [
        *numbers.tolist(),
        rng.choice(["u", "v", "w", ""], N).tolist(),
        rng.choice(["yes", "no"], N).tolist(),
    ]


def table(objective: str, cells: list[list[str]]) -> str:
    """Return training text whose label is some function of the rows."""
    a = np.array([float(cell or 0) for cell in cells[0]])
    signal = a + 2 * (np.array(cells[2]) == "v") - (np.array(cells[3]) == "yes")
    label = LABELS.get(objective.split(":", maxsplit=1)[0], lambda s: np.round(np.exp(s / 4), 3))(
        signal
    )
    if objective == "reg:logistic":
        label = (signal > 0).astype(int)
    rows = zip(label.tolist(), *cells, strict=True)
    return "y,a,b,c,d\n" + "".join(",".join(map(str, row)) + "\n" for row in rows)


@pytest.fixture(scope="module")
def trained(
    tmp_path_factory: pytest.TempPathFactory, train_model: Callable[..., Path]
) -> Callable[..., tuple[Model, xgboost.Booster]]:
    """Return the function that trains a model of an objective, once, and loads its booster."""
    made: dict[str, tuple[Model, xgboost.Booster]] = {}

    def make(objective: str, **given: object) -> tuple[Model, xgboost.Booster]:
        key = f"{objective} {given}"
        if key not in made:
            extra: dict[str, object] = {"num_class": 3} if objective.startswith("multi") else {}
            settings = {"label": "y", "num_round": 6, "max_depth": 3, "nthread": 1} | extra | given
            folder = train_model(
                tmp_path_factory.mktemp("model"),
                table(objective, columns(0)),
                objective=objective,
                **settings,
            )
            stored = bytearray((folder / "xgboost-model").read_bytes())
            made[key] = artifact.load(folder), xgboost.Booster(model_file=stored)
        return made[key]

    return make


def answer(model: Model, X: np.ndarray, *names: str, **options: float) -> dict[str, Any]:
    """Return the columns of an answer as arrays or lists."""
    block = predictions(model, plan(model.manifest, Options(names, **options)), X)  # type: ignore[arg-type]
    assert block.selected
    assert tuple(block.columns) == names
    assert {len(column) for column in block.columns.values()} == {len(X)}
    return dict(block.columns)


def close(found: np.ndarray, expected: np.ndarray) -> None:
    """Compare within the promise."""
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_every_output_is_xgboosts(objective: str, trained: Callable[..., Any]) -> None:
    """Responses, probabilities, margins, leaves and classes of each family of objectives."""
    model, booster = trained(objective)
    X = model.encoder.from_text(columns(1))
    matrix = xgboost.DMatrix(X)
    response = booster.predict(matrix)
    margin = booster.predict(matrix, output_margin=True)
    found = answer(model, X, *outputs_of(model.manifest))

    close(found["margin"], margin)
    np.testing.assert_array_equal(found["leaf"], booster.predict(matrix, pred_leaf=True))
    family = objective.split(":", maxsplit=1)[0]
    if family in {"reg", "count"}:
        close(found["predicted_score"], response)
        close(found["score"], response)
        return
    classes = list(model.manifest.labels.classes)
    assert found["labels"] == [classes] * len(X)
    if family == "multi":
        odds = np.exp(margin - margin.max(axis=1, keepdims=True))
        shares = odds / odds.sum(axis=1, keepdims=True)
        raw = shares
        numbers = margin.argmax(axis=1)
    else:
        positive = 1 / (1 + np.exp(-margin))
        shares = np.stack([1 - positive, positive], axis=1)
        raw = {
            "binary:logistic": shares,
            "binary:logitraw": np.stack([-margin, margin], axis=1),
            "binary:hinge": np.stack([margin <= 0, margin > 0], axis=1),
        }[objective]
        numbers = (margin > 0).astype(int)
    assert found["predicted_label"] == [classes[number] for number in numbers]
    close(found["raw_scores"], raw)
    close(found["raw_score"], raw.max(axis=1) if family == "multi" else raw[:, 1])
    np.testing.assert_array_equal(np.argmax(found["raw_scores"], axis=1), numbers)
    if objective != "binary:hinge":
        close(found["probabilities"], shares)
        close(found["probability"], shares.max(axis=1) if family == "multi" else shares[:, 1])


@pytest.mark.parametrize("objective", ["binary:logistic", "binary:logitraw"])
def test_a_threshold_moves_the_label_alone(objective: str, trained: Callable[..., Any]) -> None:
    """Of a usual answer as of a selected one; 0 and 1 are thresholds too."""
    model, booster = trained(objective)
    X = model.encoder.from_text(columns(1))
    margin = booster.predict(xgboost.DMatrix(X), output_margin=True)
    before = usual(model.manifest, model.predict(X))

    for threshold in (0.0, 0.2, 0.7, 1.0):
        block = predictions(model, plan(model.manifest, Options(threshold=threshold)), X)
        expected = np.where(1 / (1 + np.exp(-margin)) >= threshold, "yes", "no").tolist()
        assert not block.selected
        np.testing.assert_array_equal(block.columns["score"], before.columns["score"])
        assert block.columns["predicted_label"] == expected
        found = answer(model, X, "predicted_label", threshold=threshold)
        assert found["predicted_label"] == expected


def test_the_usual_answer_is_left_as_it_was(trained: Callable[..., Any]) -> None:
    """Without a wish: score and label, from one prediction."""
    model, _ = trained("binary:logistic")
    X = model.encoder.from_text(columns(1))
    block = predictions(model, plan(model.manifest, USUAL), X)
    np.testing.assert_array_equal(block.columns["score"], model.predict(X))
    assert tuple(block.columns) == ("score", "predicted_label")


def test_absent_outputs_of_the_setting_are_nan(trained: Callable[..., Any]) -> None:
    """In their place, beside those that are there."""
    model, _ = trained("reg:gamma")
    X = model.encoder.from_text(columns(1))
    block = predictions(model, plan(model.manifest, USUAL, ("probability", "predicted_score")), X)
    assert list(block.columns) == ["probability", "predicted_score"]
    assert np.isnan(block.columns["probability"]).tolist() == [True] * len(X)
    np.testing.assert_array_equal(block.columns["predicted_score"], model.predict(X))


@pytest.mark.filterwarnings("ignore:.*gblinear. is deprecated:UserWarning")
def test_what_xgboost_cannot_answer(trained: Callable[..., Any]) -> None:
    """A linear model has no leaves: refused where asked for, NaN where the setting has it."""
    model, _ = trained("binary:logistic", booster="gblinear")
    X = model.encoder.from_text(columns(1))
    with pytest.raises(RequestError, match="outputs: 'leaf' cannot be answered: XGBoost has no"):
        answer(model, X, "leaf")
    block = predictions(model, plan(model.manifest, USUAL, ("leaf", "margin")), X)
    assert np.isnan(block.columns["leaf"]).tolist() == [True] * len(X)


def test_an_ensemble_has_no_contributions(trained: Callable[..., Any]) -> None:
    """Where several models answer together, what their mean has not is refused."""
    model, _ = trained("multi:softprob")
    alone = replace(model, explainer=Explainer(model.engine, None, contributions=False))
    X = model.encoder.from_text(columns(1))
    with pytest.raises(RequestError, match="'contributions' cannot be answered: several models"):
        answer(alone, X, "contributions")
    assert answer(alone, X, "probability")["probability"].shape == (len(X),)
