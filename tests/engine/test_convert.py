"""Conversion is right for every model it takes, and refuses the others by name."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost

from churn_daal.engine.convert import DEEPEST, convert
from churn_daal.engine.objectives import objective_names
from churn_daal.engine.onedal import MarginEngine
from churn_daal.engine.parity import check_parity
from churn_daal.errors import ConversionError


def assert_equal_answers(booster: xgboost.Booster, rows: np.ndarray) -> MarginEngine:
    """Hold the converted engine against the booster, by the gate and by the answers."""
    engine = convert(booster)
    parity = check_parity(engine, booster, rows, seed=0)
    assert parity.passed, parity
    answers = engine.predict(rows)
    assert answers.dtype == np.float32
    if engine.objective.name == "multi:softmax":
        answers = answers.argmax(axis=1)
    elif engine.objective.link == "step":
        # A margin within rounding of zero may fall on either side.
        sure = np.abs(engine.margin(rows)) > 1e-5
        rows, answers = rows[sure], answers[sure]
    np.testing.assert_allclose(
        answers, booster.predict(xgboost.DMatrix(rows)), rtol=2e-5, atol=1e-6
    )
    return engine


@pytest.mark.parametrize("objective", objective_names())
def test_every_objective(
    objective: str, grow: Callable[..., xgboost.Booster], rows: np.ndarray
) -> None:
    """Each objective's engine answers what Booster.predict answers."""
    assert_equal_answers(grow(objective), rows)


@pytest.mark.parametrize("base_score", [0.001, 0.3, 0.9999])
@pytest.mark.parametrize(
    "objective",
    [name for name in objective_names() if name not in {"multi:softmax", "reg:expectileerror"}],
)
def test_base_scores(
    objective: str, base_score: float, grow: Callable[..., xgboost.Booster], rows: np.ndarray
) -> None:
    """A base score that is given, extreme ones too, ends up in the margin."""
    assert_equal_answers(grow(objective, base_score=base_score), rows)


@pytest.mark.parametrize(
    "params",
    [
        {"scale_pos_weight": 37.5},
        {"num_parallel_tree": 3, "subsample": 0.6},
        {"max_depth": 1},
        {"tree_method": "exact"},
        {"grow_policy": "lossguide", "max_leaves": 9, "max_depth": 0},
        {"max_bin": 4},
        {"eta": 1.0, "lambda": 0.0, "rounds": 40},
        {"gamma": 1e9},
        {"rounds": 1},
    ],
    ids=",".join,
)
def test_shapes_of_trees(
    params: dict[str, Any], grow: Callable[..., xgboost.Booster], rows: np.ndarray
) -> None:
    """Stumps, single leaves, forests and steep trees convert; `gamma` makes all trees one leaf."""
    engine = assert_equal_answers(grow("binary:logistic", **params), rows)
    assert engine.n_trees == params.get("rounds", 6) * params.get("num_parallel_tree", 1)


@pytest.mark.parametrize("objective", ["multi:softprob", "multi:softmax"])
def test_one_leaf_classes(
    objective: str, grow: Callable[..., xgboost.Booster], rows: np.ndarray
) -> None:
    """A classifier whose trees are single leaves converts, its base scores with it."""
    assert_equal_answers(grow(objective, gamma=1e9), rows)


@pytest.mark.parametrize("objective", ["binary:logistic", "reg:squarederror", "reg:gamma"])
@pytest.mark.parametrize("label", [0.0, 1.0])
def test_constant_labels(objective: str, label: float, rows: np.ndarray) -> None:
    """A training set of one label only gives the same answers."""
    if (objective, label) == ("reg:gamma", 0.0):
        label = 3.0
    matrix = xgboost.DMatrix(rows, np.full(len(rows), label))
    assert_equal_answers(xgboost.train({"objective": objective}, matrix, 3), rows)


def test_log_of_a_zero_base_score_is_refused(rows: np.ndarray) -> None:
    """Counts that are all zero leave no finite margin, and the message says so."""
    matrix = xgboost.DMatrix(rows, np.zeros(len(rows)))
    booster = xgboost.train({"objective": "count:poisson"}, matrix, 2)
    with pytest.raises(ConversionError, match="base_score 0 of count:poisson has the margin -inf"):
        convert(booster)


@pytest.mark.parametrize("types", [None, ["float"] * 6, ["int"] * 3 + ["float"] * 3])
def test_names_and_types(types: list[str] | None, rows: np.ndarray) -> None:
    """Names with spaces, quotes and numbers, and integer types, do not reach the conversion."""
    names = ["Int'l Plan", "Day Mins", "Größe", "f1", "3", 'a"b']
    labels = np.nan_to_num(rows[:, 1]) + np.nan_to_num(rows[:, 3]) > 0
    matrix = xgboost.DMatrix(rows, labels, feature_names=names, feature_types=types)
    booster = xgboost.train({"objective": "binary:logistic", "max_depth": 4}, matrix, 5)
    parity = check_parity(convert(booster), booster, rows, seed=0)
    assert parity.passed, parity
    assert booster.feature_names == names
    assert booster.feature_types == types


def test_converting_alters_nothing(grow: Callable[..., xgboost.Booster]) -> None:
    """The booster's bytes, configuration and attributes are the same before and after."""
    booster = grow("binary:logistic")
    booster.set_attr(best_iteration="2", note="kept")
    before = bytes(booster.save_raw()), booster.save_config(), booster.attributes()
    convert(booster)
    assert (bytes(booster.save_raw()), booster.save_config(), booster.attributes()) == before


@pytest.mark.parametrize("objective", ["binary:logistic", "multi:softprob"])
def test_best_iteration_does_not_drop_trees(
    objective: str, grow: Callable[..., xgboost.Booster], rows: np.ndarray
) -> None:
    """An early-stopped booster converts with all its trees, as Booster.predict uses them."""
    booster = grow(objective)
    booster.set_attr(best_iteration="1", best_score="0.5")
    engine = assert_equal_answers(booster, rows)
    assert engine.n_trees == len(booster.get_dump())


@pytest.mark.parametrize("objective", ["survival:cox", "multi:softmax"])
def test_slices(objective: str, grow: Callable[..., xgboost.Booster], rows: np.ndarray) -> None:
    """A slice of a booster converts to that slice."""
    booster = grow(objective)
    part = booster[1:4]
    engine = assert_equal_answers(part, rows)
    assert engine.n_trees == len(part.get_dump()) < len(booster.get_dump())


def test_saved_and_loaded(
    grow: Callable[..., xgboost.Booster], rows: np.ndarray, tmp_path: Path
) -> None:
    """A booster read from a file converts as the one in memory did."""
    booster = grow("reg:tweedie")
    booster.save_model(tmp_path / "model.ubj")
    assert_equal_answers(xgboost.Booster(model_file=tmp_path / "model.ubj"), rows)


@pytest.mark.parametrize(
    ("objective", "params", "message"),
    [
        ("binary:logistic", {"booster": "dart", "rate_drop": 0.5}, "booster=dart"),
        ("multi:softprob", {"num_class": 2}, "multi:softprob with 2 classes"),
        ("multi:softmax", {"num_class": 2}, "multi:softmax with 2 classes"),
        ("multi:softprob", {"num_parallel_tree": 2}, "multi:softprob with num_parallel_tree=2"),
        (
            "multi:softprob",
            {"multi_strategy": "multi_output_tree", "tree_method": "hist"},
            "these hold a vector",
        ),
        ("reg:quantileerror", {"quantile_alpha": [0.1, 0.9]}, "one output, this has 2"),
        ("binary:logistic", {"rounds": 0}, "no trees"),
    ],
)
def test_refusals(
    objective: str, params: dict[str, Any], message: str, grow: Callable[..., xgboost.Booster]
) -> None:
    """What oneDAL cannot hold is refused with the reason."""
    with pytest.raises(ConversionError, match=message):
        convert(grow(objective, **params))


def test_gblinear_is_refused(grow: Callable[..., xgboost.Booster]) -> None:
    """A linear booster has no trees to convert."""
    with pytest.raises(ConversionError, match="booster=gblinear"):
        convert(grow("binary:logistic", booster="gblinear"))


def test_multi_target_is_refused(rows: np.ndarray) -> None:
    """Several targets have no oneDAL form."""
    matrix = xgboost.DMatrix(rows, np.nan_to_num(rows[:, :2]))
    booster = xgboost.train({"objective": "reg:squarederror"}, matrix, 2)
    with pytest.raises(ConversionError, match="one output, this has 2"):
        convert(booster)


@pytest.mark.parametrize("onehot", [1, 100])
def test_categorical_splits_are_refused(onehot: int, rows: np.ndarray) -> None:
    """Categorical splits are found in the trees, also when the types have been taken off."""
    X = rows.copy()
    X[:, 0] = np.arange(len(X)) % 7
    types = ["c"] + ["q"] * 5
    matrix = xgboost.DMatrix(X, X[:, 0] == 3, feature_types=types, enable_categorical=True)
    params = {"objective": "binary:logistic", "max_cat_to_onehot": onehot}
    booster = xgboost.train(params, matrix, 2)
    booster.feature_types = None
    with pytest.raises(ConversionError, match="categorical splits"):
        convert(booster)


def make_chain(trees: list[dict[str, Any]], depth: int) -> None:
    """Make the first tree a chain: row value v passes v + 1 splits."""
    nodes = 2 * depth + 1
    inner = range(0, nodes - 1, 2)
    left, right, parents, values = [-1] * nodes, [-1] * nodes, [2**31 - 1] * nodes, [0.0] * nodes
    for node in inner:
        left[node], right[node] = node + 1, node + 2
        parents[node + 1] = parents[node + 2] = node
        values[node] = values[node + 1] = node / 2
    trees[0] |= {
        "left_children": left,
        "right_children": right,
        "parents": parents,
        "split_conditions": values,
        "sum_hessian": [1.0] * nodes,
        **{key: [0.0] * nodes for key in ("base_weights", "loss_changes")},
        **{key: [0] * nodes for key in ("split_indices", "split_type", "default_left")},
    }
    trees[0]["tree_param"]["num_nodes"] = str(nodes)


def test_a_chain_of_splits(
    grow: Callable[..., xgboost.Booster],
    rows: np.ndarray,
    edit_trees: Callable[..., xgboost.Booster],
) -> None:
    """The deepest tree taken converts and is equal: oneDAL does not pad it to 2^256 nodes."""
    booster = edit_trees(grow("reg:squarederror"), lambda trees: make_chain(trees, DEEPEST))
    parity = check_parity(convert(booster), booster, rows, seed=0)

    assert parity.passed
    # XGBoost's own do not add up on trees of such depth.
    assert parity.contributions is not None
    assert not parity.contributions.passed


def test_too_deep_trees_are_refused(
    grow: Callable[..., xgboost.Booster], edit_trees: Callable[..., xgboost.Booster]
) -> None:
    """A tree that would exhaust the converter's recursion is refused, not a crash."""
    booster = edit_trees(grow("reg:squarederror"), lambda trees: make_chain(trees, DEEPEST + 1))
    with pytest.raises(ConversionError, match="too deep"):
        convert(booster)


def test_custom_objective(rows: np.ndarray) -> None:
    """A booster trained with the user's own gradient serves its margins."""
    matrix = xgboost.DMatrix(rows, np.nan_to_num(rows[:, 0]))

    def squared(margins: np.ndarray, data: xgboost.DMatrix) -> tuple[np.ndarray, np.ndarray]:
        return margins - data.get_label(), np.ones_like(margins)

    booster = xgboost.train({"disable_default_eval_metric": 1}, matrix, 4, obj=squared)
    assert_equal_answers(booster, rows)


def test_threads_convert_at_once(grow: Callable[..., xgboost.Booster], rows: np.ndarray) -> None:
    """Conversions in several threads do not disturb one another."""
    boosters = [grow("binary:logistic", seed=seed, subsample=0.7) for seed in range(4)]
    found = [None] * len(boosters)

    def work(at: int) -> None:
        found[at] = convert(boosters[at]).margin(rows)

    threads = [threading.Thread(target=work, args=(at,)) for at in range(len(boosters))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for booster, margins in zip(boosters, found, strict=True):
        expected = booster.predict(xgboost.DMatrix(rows), output_margin=True)
        np.testing.assert_allclose(margins, expected, rtol=1e-5, atol=1e-5)


def test_the_configuration_trick_is_needed(grow: Callable[..., xgboost.Booster]) -> None:
    """The base score sits in the model's bias as a margin, whatever the objective."""
    engine = convert(grow("binary:logistic", base_score=0.9999))
    assert engine._model.PredictionBias == pytest.approx(9.2102, abs=1e-3)
    assert json.dumps(engine.n_features) == "6"
