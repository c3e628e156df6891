"""The installed XGBoost has the last word: what it knows is taken and reaches it."""

from __future__ import annotations

import json
import re
import warnings
from typing import Any

import numpy as np
import pytest
import xgboost

from churn_daal.boosting.hyperparameters import parse
from churn_daal.boosting.hyperparameters.library import MODEL_STATE, knows
from churn_daal.boosting.hyperparameters.row import LEGACY, TOOLKIT, XGBOOST, Hyperparameter
from churn_daal.boosting.hyperparameters.table import HYPERPARAMETERS, ROWS
from churn_daal.boosting.hyperparameters.table_boosting import OBJECTIVES
from churn_daal.errors import UserError

VERSION = tuple(int(part) for part in xgboost.__version__.split(".")[:2])
# Objectives of later versions, with the parameter of theirs.
SINCE = {"reg:expectileerror": (3, 4), "expectile_alpha": (3, 4)}
# What a value needs beside it to reach the part of the library that acts on it.
NEEDS = {
    "num_class": {"objective": "multi:softprob"},
    "tweedie_variance_power": {"objective": "reg:tweedie"},
    "huber_slope": {"objective": "reg:pseudohubererror"},
    "quantile_alpha": {"objective": "reg:quantileerror"},
    "expectile_alpha": {"objective": "reg:expectileerror"},
    "feature_selector": {"booster": "gblinear", "updater": "coord_descent"},
    "top_k": {"booster": "gblinear", "updater": "coord_descent"},
    **{row.name: {"booster": "dart"} for row in HYPERPARAMETERS if row.help.startswith("dart:")},
    **{
        name: {"objective": "rank:ndcg"}
        for name in ROWS
        if name.startswith("lambdarank") or name == "ndcg_exp_gain"
    },
    **{
        name: {
            "objective": "survival:aft",
            "label_lower_bound": "a",
            "label_upper_bound": "b",
        }
        for name in ("aft_loss_distribution", "aft_loss_distribution_scale")
    },
}
# Values that are not the default, where the row's type does not give one.
VALUES = {
    "objective": ("binary:logistic", "binary:logistic"),
    "booster": ("gblinear", "gblinear"),
    "device": ("cpu", "cpu"),
    "monotone_constraints": ("(1)", "(1,)"),
    "interaction_constraints": ("[[0]]", "[[0]]"),
    "base_score": ("0.25", "[2.5E-1]"),
    "quantile_alpha": ("0.25", "[2.5E-1]"),
    "expectile_alpha": ("0.25", "[2.5E-1]"),
    "tweedie_variance_power": ("1.25", "1.25"),
}
# XGBoost keeps these in another form, which tests of their own look at; `fit` hands on the rest.
ELSEWHERE = {"eval_metric", "updater", "process_type"}
# They need a parameter that has no default, and have no other to compare.
WITHOUT_DEFAULT = {"multi:softprob", "reg:quantileerror", "reg:expectileerror", "survival:aft"}
FITS = {"num_round", "early_stopping_rounds", "verbosity", "nthread"}


def configured(params: dict[str, Any]) -> dict[str, str]:
    """Return every setting of a fresh booster by name, as the installed library reports it."""
    rows = xgboost.DMatrix(np.zeros((4, 1), np.float32), label=np.array([0.0, 1.0, 0.0, 1.0]))
    with warnings.catch_warnings():
        # Later versions say that linear models will go.
        warnings.simplefilter("ignore")
        text = xgboost.Booster({"nthread": 1} | params, [rows]).save_config()
    found: dict[str, str] = {}

    def walk(node: object) -> None:
        if isinstance(node, dict):
            found.update({k: v for k, v in node.items() if isinstance(v, str)})
            node = list(node.values())
        if isinstance(node, list):
            for item in node:
                walk(item)

    walk(json.loads(text))
    return found


def other_value(row: Hyperparameter) -> tuple[str, str]:
    """Return a value of the row that is not its default, as given and as XGBoost reports it."""
    if row.name in VALUES:
        return VALUES[row.name]
    if row.type == "flag":
        return ("0", "0") if row.default else ("1", "1")
    if row.type == "choice":
        last = next(name for name in reversed(row.choices) if name != row.default)
        return last, last
    text = "0.5" if row.type == "float" else "7"
    return text, text


@pytest.mark.parametrize(
    "row",
    [r for r in HYPERPARAMETERS if r.owner == XGBOOST and r.name not in ELSEWHERE | FITS],
    ids=lambda row: row.name,
)
def test_a_value_arrives_in_xgboost(row: Hyperparameter) -> None:
    """What is accepted reaches the library, by its own account of its settings."""
    if SINCE.get(row.name, VERSION) > VERSION:
        pytest.skip(f"XGBoost {xgboost.__version__} has no {row.name}")
    text, expected = other_value(row)
    hp = parse({row.name: text} | NEEDS.get(row.name, {}))

    assert configured(dict(hp.booster))[row.name] == expected


@pytest.mark.parametrize("updater", ["shotgun", "coord_descent"])
def test_a_linear_updater_arrives(updater: str) -> None:
    """The step of a linear model is the one asked for."""
    hp = parse({"booster": "gblinear", "updater": updater})

    assert configured(dict(hp.booster))["updater"] == updater


def test_an_update_goes_over_the_trees_there_are() -> None:
    """XGBoost reports process_type as default whatever it does, so its trees are counted."""
    hp = parse({"process_type": "update", "updater": "refresh", "refresh_leaf": "1"})
    rows = xgboost.DMatrix(np.zeros((4, 1), np.float32), label=np.arange(4), nthread=1)
    model = xgboost.train({"nthread": 1, "base_score": 0.0}, rows, 2)
    with warnings.catch_warnings():
        # XGBoost says at every list of updaters that it may be a wrong one.
        warnings.simplefilter("ignore")
        updated = xgboost.train(dict(hp.booster), rows, 2, xgb_model=model)

    assert (model.num_boosted_rounds(), updated.num_boosted_rounds()) == (2, 2)


def test_metrics_arrive_in_their_order() -> None:
    """XGBoost prints the listed metrics and no more."""
    hp = parse({"eval_metric": "auc,logloss,error@0.4", "objective": "binary:logistic"})
    rows = xgboost.DMatrix(np.zeros((4, 1), np.float32), label=np.array([0.0, 1.0, 0.0, 1.0]))

    line = xgboost.Booster(dict(hp.booster), [rows]).eval(rows, "rows")

    assert re.findall(r"rows-([^:]+):", line) == ["auc", "logloss", "error@0.4"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("sparse_threshold", "0.5"),
        ("opt_dense_col", "0.5"),
        ("default_direction", "left"),
        ("tolerance", "0.01"),
        ("validate_parameters", "0"),
    ],
)
def test_a_parameter_that_only_xgboost_knows_is_handed_on(name: str, text: str) -> None:
    """No row of the table has it, the library takes it, and the log says it was handed on."""
    assert name not in ROWS

    hp = parse({name: text})

    assert hp.booster[name] == text
    assert hp.notes == (f"{name}: handed to XGBoost {xgboost.__version__} as it is",)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        (
            "sparse_threshold",
            "3",
            r"is '3'; XGBoost .* refuses it: value 3 .* exceed bound \[0,1\]",
        ),
        ("default_direction", "up", "Invalid Input: 'up', valid values are: {'learn', 'left'"),
        ("tolerance", "tight", "Invalid Parameter format for tolerance expect float"),
        ("tolerance", "", "'tolerance' is ''; XGBoost .* refuses it: it takes printable ASCII"),
        ("tolerance", "0\0", "refuses it: it takes printable ASCII text"),
        ("eta\0x", "1", "is not known; the nearest known is 'eta'"),
        ("gamma", "1e300", r"^XGBoost \S+ refuses these: Out of range value for min_split_loss"),
        ("foo", "1", "'foo' is not known"),
        ("sparse_treshold", "0.1", "'sparse_treshold' is not known"),
        ("name", "gbtree", "'name' is not known"),
    ],
)
def test_the_library_refuses_what_it_refuses(name: str, text: str, message: str) -> None:
    """A bad value of a parameter outside the table, or a name the library has not, is a fault."""
    with pytest.raises(UserError, match=message):
        parse({name: text})


def test_an_objective_of_later_versions_is_refused_by_earlier_ones() -> None:
    """The installed version is named beside the objective it lacks."""
    raw = {"objective": "reg:expectileerror", "expectile_alpha": "0.3"}
    if SINCE["reg:expectileerror"] <= VERSION:
        assert parse(raw).booster["expectile_alpha"] == 0.3
        return
    with pytest.raises(UserError, match=r"^XGBoost 3\.\S+ refuses these: Unknown objective"):
        parse(raw)


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_every_objective_is_one_the_library_has(objective: str) -> None:
    """The installed XGBoost trains each objective of the table with what the parser gives."""
    if SINCE.get(objective, VERSION) > VERSION:
        pytest.skip(f"XGBoost {xgboost.__version__} has no {objective}")
    raw = {"objective": objective, "num_round": "1"}
    raw |= {"num_class": "2"} if objective.startswith("multi:") else {}
    raw |= {"quantile_alpha": "0.5"} if objective == "reg:quantileerror" else {}
    raw |= {"expectile_alpha": "0.5"} if objective == "reg:expectileerror" else {}
    raw |= NEEDS["aft_loss_distribution"] if objective == "survival:aft" else {}
    hp = parse(raw)
    label = np.array([1.0, 2.0]) if objective == "reg:gamma" else np.array([0.0, 1.0])
    rows = xgboost.DMatrix(np.zeros((2, 1), np.float32), label=label, nthread=1)
    if objective == "survival:aft":
        rows.set_float_info("label_lower_bound", label)
        rows.set_float_info("label_upper_bound", label + 1)

    assert xgboost.train({"nthread": 1} | dict(hp.booster), rows, 1).num_boosted_rounds() == 1


def test_no_name_of_the_toolkit_is_xgboosts() -> None:
    """The library must not know a name that the toolkit means otherwise or drops."""
    ours = {row.name for row in HYPERPARAMETERS if row.owner == TOOLKIT}
    gone = {row.name for row in HYPERPARAMETERS if row.owner == LEGACY} - {"gpu_id"}

    assert [name for name in sorted(ours | gone) if knows(name)] == []


def test_every_name_of_xgboosts_is_one_the_library_has() -> None:
    """Names and aliases of the table are the library's, but for what its train function takes."""
    theirs = {
        name
        for row in HYPERPARAMETERS
        if row.owner == XGBOOST and row.name not in {"num_round", "early_stopping_rounds"}
        for name in (row.name, *row.aliases)
        if SINCE.get(name, VERSION) <= VERSION
    }

    assert [name for name in sorted(theirs) if not knows(name)] == []


def test_the_models_own_state_is_not_for_users() -> None:
    """What XGBoost files under the model, and is no row of the table, is never handed on."""
    rows = xgboost.DMatrix(np.zeros((4, 1), np.float32), label=np.array([0.0, 1.0, 0.0, 1.0]))
    text = xgboost.Booster({"nthread": 1}, [rows]).save_config()
    sections = re.findall(r'"\w+_model_param":(\{[^{}]*\})', text)
    state = {name for section in sections for name in json.loads(section)}

    assert {"num_feature", "num_trees"} <= state
    assert state - set(ROWS) <= MODEL_STATE


def test_the_defaults_of_xgboosts_rows_are_the_librarys() -> None:
    """The documented defaults are those of the installed version."""
    settings: dict[str, str] = {}
    for needs in ({}, *NEEDS.values(), {"objective": "survival:cox"}):
        if str(needs.get("objective")) not in WITHOUT_DEFAULT:
            settings |= configured(needs)
    settings |= configured({})
    checked = []
    for row in HYPERPARAMETERS:
        if row.owner == XGBOOST and row.default is not None and row.name in settings:
            checked.append(row.name)
            value = settings[row.name]
            if row.type in {"int", "float", "flag"}:
                assert float(value) == pytest.approx(float(row.default), rel=1e-6), row.name
            else:
                assert value == row.default, row.name

    assert {"eta", "max_bin", "huber_slope", "tree_method", "lambdarank_unbiased"} <= set(checked)
