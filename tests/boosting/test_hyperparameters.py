"""Hyperparameters: right ones become typed values, wrong ones a message that helps."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost

from churn_daal.boosting.hyperparameter_row import TOOLKIT, XGBOOST
from churn_daal.boosting.hyperparameter_table import HYPERPARAMETERS, LATER_NAMES, OBJECTIVES
from churn_daal.boosting.hyperparameters import Hyperparameters, document, parse
from churn_daal.contract.job import read_job
from churn_daal.contract.paths import SageMakerPaths
from churn_daal.errors import UserError

PAGE = Path(__file__).parents[2] / "docs" / "hyperparameters.md"
GOOD_VALUES = {
    "objective": "reg:squarederror", "eval_metric": "rmse", "early_stopping_rounds": "5",
    "num_class": "3", "nthread": "1", "monotone_constraints": "(1)",
    "interaction_constraints": "[[0]]", "base_score": "0.5", "quantile_alpha": "0.5",
}  # fmt: skip


def learner_defaults(params: dict[str, Any]) -> dict[str, str]:
    """Return every setting of a fresh booster by name, as the installed library reports it."""
    rows = xgboost.DMatrix(np.zeros((4, 1), np.float32), label=np.array([0.0, 1.0, 0.0, 1.0]))
    booster = xgboost.train(params, rows, num_boost_round=1)
    found: dict[str, str] = {}

    def walk(node: object) -> None:
        if isinstance(node, dict):
            found.update({k: v for k, v in node.items() if isinstance(v, str)})
            node = list(node.values())
        if isinstance(node, list):
            for item in node:
                walk(item)

    walk(json.loads(booster.save_config()))
    return found


def test_nothing_given_gives_the_defaults() -> None:
    """An empty file trains with XGBoost's defaults and 100 rounds."""
    hp = parse({})

    assert hp == Hyperparameters()
    assert hp.booster == {"seed": 0}
    assert (hp.num_round, hp.objective, hp.num_class, hp.threshold) == (100, None, None, 0.5)


def test_the_template_jobs_values_are_typed() -> None:
    """The hyperparameters of the churn example reach XGBoost as numbers."""
    raw = {"max_depth": "5", "gamma": "4", "min_child_weight": "6", "subsample": "0.7"}

    hp = parse(raw | {"num_round": "100", "objective": "binary:logistic", "seed": "-7"})

    assert hp.booster == {
        "max_depth": 5,
        "gamma": 4.0,
        "min_child_weight": 6.0,
        "subsample": 0.7,
        "objective": "binary:logistic",
        "seed": -7,
    }
    assert (hp.num_round, hp.objective, hp.seed) == (100, "binary:logistic", -7)


def test_the_toolkits_own_do_not_reach_xgboost() -> None:
    """Each of the toolkit's rows has an attribute, and none is a booster parameter."""
    hp = parse(
        {
            "label": "Churn?",
            "weight": "3",
            "id_columns": "phone, state",
            "drop_columns": '["a,b", 4]',
            "categorical_columns": "",
            "header": "present",
            "delimiter": "tab",
            "category_encoding": "ordinal",
            "max_onehot_categories": "8",
            "positive_label": "True.",
            "validation_fraction": "0.25",
            "threshold": "0.34",
        }
    )

    assert hp.booster == {"seed": 0}
    assert (hp.label, hp.weight, hp.positive_label) == ("Churn?", "3", "True.")
    assert (hp.id_columns, hp.drop_columns) == (("phone", "state"), ("a,b", "4"))
    assert (hp.categorical_columns, hp.header, hp.delimiter) == ((), "present", "\t")
    assert (hp.category_encoding, hp.max_onehot_categories) == ("ordinal", 8)
    assert (hp.validation_fraction, hp.threshold) == (0.25, 0.34)


def test_a_file_of_the_sdk_is_parsed(tmp_path: Path) -> None:
    """Texts quoted twice, numbers, booleans and SageMaker's own names come out right."""
    paths = SageMakerPaths(tmp_path)
    paths.config.mkdir(parents=True)
    paths.hyperparameters.write_text(
        '{"objective": "\\"reg:squarederror\\"", "eta": 0.2, "max_depth": "5", "one_drop": true,'
        ' "booster": "\\"dart\\"", "eval_metric": ["mae", "rmse"], "sagemaker_program": "x.py"}'
    )

    hp = parse(read_job(paths).hyperparameters)

    assert hp.booster == {
        "seed": 0,
        "objective": "reg:squarederror",
        "eta": 0.2,
        "max_depth": 5,
        "one_drop": True,
        "booster": "dart",
        "eval_metric": ["mae", "rmse"],
    }


@pytest.mark.parametrize("text", ["tab", "\t", r"\t", "TAB"])
def test_a_tab_has_several_spellings(text: str) -> None:
    """A delimiter may be the character, its escape or its name."""
    assert parse({"delimiter": text}).delimiter == "\t"


@pytest.mark.parametrize(("text", "expected"), [(";", ";"), ("pipe", "|"), (" ", " "), (",", ",")])
def test_a_delimiter_is_one_character(text: str, expected: str) -> None:
    """Characters stand for themselves, a blank too."""
    assert parse({"delimiter": text}).delimiter == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("auc", ["auc"]),
        ("error@0.4, logloss", ["error@0.4", "logloss"]),
        ('["ndcg@5-","auc"]', ["ndcg@5-", "auc"]),
        ("logloss,auc,logloss", ["auc", "logloss"]),
    ],
)
def test_metrics_come_as_a_list_of_either_kind(text: str, expected: list[str]) -> None:
    """Commas and JSON give the same list, and of a repeated name the last place counts."""
    hp = parse({"eval_metric": text, "objective": "binary:logistic"})

    assert hp.booster["eval_metric"] == expected
    assert list(hp.eval_metric) == expected


@pytest.mark.parametrize("metric", ["logloss", "mlogloss", "merror", "auc", "rmse"])
def test_a_metric_may_come_without_an_objective(metric: str) -> None:
    """While the labels decide the objective, a metric that fits one of them is taken."""
    assert parse({"eval_metric": metric}).eval_metric == (metric,)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("(1,0,-1)", "(1,0,-1)"), ("[1, 0]", "(1,0)"), ("(1,)", "(1)"), (" ( -1 , 1 ) ", "(-1,1)")],
)
def test_monotone_constraints_are_data(text: str, expected: str) -> None:
    """A tuple or a list of signs becomes the text XGBoost reads."""
    assert parse({"monotone_constraints": text}).booster["monotone_constraints"] == expected


@pytest.mark.parametrize(
    ("alias", "name", "text"),
    [
        ("learning_rate", "eta", "0.1"),
        ("min_split_loss", "gamma", "2"),
        ("reg_lambda", "lambda", "3"),
        ("reg_alpha", "alpha", "0.5"),
        ("random_state", "seed", "5"),
    ],
)
def test_an_alias_is_the_same_hyperparameter(alias: str, name: str, text: str) -> None:
    """XGBoost's other names arrive under one, and both at once are refused."""
    assert parse({alias: text}) == parse({name: text})
    with pytest.raises(UserError, match=f"'{name}' and '{alias}' are one hyperparameter"):
        parse({name: text, alias: text})


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_every_objective_is_one_the_library_has(objective: str) -> None:
    """The installed XGBoost trains each objective of the table with what the parser gives."""
    raw = {"objective": objective, "num_round": "1"}
    raw |= {"num_class": "2"} if objective.startswith("multi:") else {}
    raw |= {"quantile_alpha": "0.5"} if objective == "reg:quantileerror" else {}
    hp = parse(raw)
    label = np.array([1.0, 2.0]) if objective == "reg:gamma" else np.array([0.0, 1.0])

    booster = xgboost.train(
        dict(hp.booster), xgboost.DMatrix(np.zeros((2, 1), np.float32), label=label), 1
    )

    assert booster.num_boosted_rounds() == 1


@pytest.mark.parametrize(
    "raw",
    [
        {"base_score": "-3", "objective": "reg:squarederror"},
        {"base_score": "-3"},
        {"base_score": "0.5", "objective": "binary:logistic"},
        {"base_score": "-2", "objective": "binary:logitraw"},
        {"monotone_constraints": "(1,0)", "tree_method": "auto"},
        {"eval_metric": "auc", "objective": "multi:softprob"},
        {"eval_metric": "logloss"},
    ],
)
def test_what_awss_table_wrongly_refuses_is_taken(raw: dict[str, str]) -> None:
    """Defect X7 of AWS's image: these are right and are refused there."""
    assert parse(raw).booster.items() >= {"seed": 0}.items()


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("num_round", "0", "'num_round' is '0'; expected a whole number 1 or more"),
        ("num_round", "ten", "'ten'; expected a whole number 1 or more"),
        ("num_round", "10.5", "'10.5'; expected a whole number"),
        ("num_round", "1_000", "'1_000'; expected a whole number"),
        ("num_round", "9" * 5000, r"'9{80}\.\.\.'; expected a whole number"),
        ("max_depth", "-1", "expected a whole number 0 or more"),
        ("max_depth", "2147483648", "expected a whole number 0 or more"),
        ("eta", "1.1", "'eta' is '1.1'; expected a number from 0 to 1"),
        ("eta", "nan", "'nan'; expected a number from 0 to 1"),
        ("eta", "1e999", "'1e999'; expected a number from 0 to 1"),
        ("eta", "0,3", "'0,3'; expected a number from 0 to 1"),
        ("eta", "", "'eta' is empty; leave it out for its default"),
        ("learning_rate", "2", "'learning_rate' is '2'; expected a number from 0 to 1"),
        ("subsample", "0", "'0'; expected a number above 0 to 1"),
        ("lambda", "-0.1", "expected a number 0 or more"),
        ("scale_pos_weight", "0", "expected a number above 0"),
        ("tweedie_variance_power", "2", "expected a number above 1 and below 2"),
        ("quantile_alpha", "0.1,0.9", "'0.1,0.9'; expected a number above 0 and below 1"),
        ("verbosity", "4", "expected a whole number from 0 to 3"),
        ("seed", "2147483647", "expected a whole number from -2147483647 to 2147483646"),
        ("num_class", "1", "expected a whole number 2 or more"),
        ("max_bin", "1", "expected a whole number 2 or more"),
        ("tree_method", "histogram", "one of auto, hist, approx, exact"),
        ("booster", "gbforest", "one of gbtree, dart, gblinear"),
        ("one_drop", "2", "expected 0, 1, true or false"),
        ("objective", "binary", "expected one of binary:logistic"),
        ("objective", "rank:ndcg", "needs a group column, which is not in this release"),
        ("objective", "survival:aft", "needs two label columns, which is not in this release"),
        ("eval_metric", "logless", "lists 'logless': Unknown metric function logless"),
        ("eval_metric", "accuracy", "'accuracy': one of AWS's own metrics, .* not in this release"),
        ("eval_metric", "rmse@3", "'rmse@3': a metric without a parameter; only ams, error"),
        ("eval_metric", "error@x", "unable to parse the threshold value"),
        ("eval_metric", "tweedie-nloglik", "must be in format tweedie-nloglik@rho"),
        ("eval_metric", "aft-nloglik", "'aft-nloglik'"),
        ("eval_metric", ",", "expected at least one metric"),
        ("eval_metric", "[1.5]", "expected metrics with commas between, or a JSON list"),
        ("monotone_constraints", "(2,0)", r"expected a list of -1, 0 and 1 such as \(1,0,-1\)"),
        ("monotone_constraints", "__import__('os')", "expected a list of -1, 0 and 1"),
        ("monotone_constraints", "1", "expected a list of -1, 0 and 1"),
        ("monotone_constraints", "[true]", "expected a list of -1, 0 and 1"),
        ("interaction_constraints", "[0,1]", "expected a list of lists of column positions"),
        ("interaction_constraints", "[[-1]]", "expected a list of lists of column positions"),
        ("interaction_constraints", "[[0.5]]", "expected a list of lists of column positions"),
        ("interaction_constraints", "[" * 9000, "expected a list of lists of column positions"),
        ("delimiter", "||", r"one ASCII character .* or tab, .*, comma"),
        ("delimiter", '"', "one ASCII character"),
        ("delimiter", ".", "one ASCII character"),
        ("delimiter", "§", "one ASCII character"),
        ("header", "true", "one of auto, present, absent"),
        ("label", " ", "a column's name or position"),
        ("id_columns", '["a"', "names or positions with commas between, or a JSON list such as"),
        ("id_columns", "[true]", "names or positions with commas between"),
        ("id_columns", '[{"a": 1}]', "names or positions with commas between"),
        ("threshold", "1", "expected a number above 0 and below 1"),
        ("validation_fraction", "20", "'20'; expected a number above 0 and below 1"),
        ("max_onehot_categories", "0", "expected a whole number 1 or more"),
        ("etta", "0.1", "'etta' is not known; the nearest known is 'eta'"),
        ("Max_Depth", "3", "'Max_Depth' is not known; the nearest known is 'max_depth'"),
        ("n_estimators", "3", "'n_estimators' is not known; the nearest known is 'num_round'"),
        ("zzz", "3", r"'zzz' is not known; docs/hyperparameters\.md lists all"),
        ("updater", "grow_colmaker", "'updater' is not in this release; leave it out"),
    ],
)
def test_one_that_is_wrong_is_refused(name: str, text: str, message: str) -> None:
    """The message names the hyperparameter, the value and the range or the nearest name."""
    with pytest.raises(UserError, match=message):
        parse({name: text})


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (
            {"num_class": "3", "objective": "binary:logistic"},
            "num_class goes with multi:softprob or multi:softmax only, .* is 'binary:logistic'",
        ),
        ({"num_class": "3"}, "num_class goes with .* objective is not given"),
        ({"objective": "reg:quantileerror"}, "'reg:quantileerror' needs quantile_alpha, such as"),
        (
            {"objective": "reg:quantileerror", "eval_metric": "rmse"},
            "^objective 'reg:quantileerror' needs quantile_alpha, such as 0.5 for the median.$",
        ),
        (
            {"objective": "binary:logistic", "base_score": "1.5"},
            r"base_score is 1\.5; objective 'binary:logistic' expects a number from 0 to 1",
        ),
        ({"objective": "count:poisson", "base_score": "0"}, "expects a number above 0"),
        ({"objective": "reg:squaredlogerror", "base_score": "-1"}, "expects a number above -1"),
        (
            {"tree_method": "exact", "colsample_bynode": "0.5"},
            "'exact' has no colsample_bynode; leave one of them out",
        ),
        (
            {"objective": "count:poisson", "eval_metric": "auc"},
            "'auc' with objective 'count:poisson': a metric of classes",
        ),
        ({"tree_method": "exact", "max_depth": "0"}, "'exact' needs a max_depth of 1 or more"),
        (
            {"early_stopping_rounds": "3", "disable_default_eval_metric": "1"},
            r"early_stopping_rounds needs a metric, .* Name one in eval_metric",
        ),
        (
            {"objective": "multi:softprob", "eval_metric": "logloss"},
            "lists 'logloss' with objective 'multi:softprob': .* use merror or mlogloss",
        ),
        (
            {"objective": "binary:logistic", "eval_metric": "auc,merror"},
            "lists 'merror' with objective 'binary:logistic'",
        ),
        ({"label": "y", "id_columns": "x,y"}, "column 'y' is in label and in id_columns"),
        (
            {"drop_columns": "a", "categorical_columns": "a"},
            "'a' is in drop_columns and in categorical_columns; leave it in one",
        ),
    ],
)
def test_ones_that_do_not_go_together_are_refused(raw: dict[str, str], message: str) -> None:
    """What can be told without data is told before data is read."""
    with pytest.raises(UserError, match=message):
        parse(raw)


def test_all_faults_come_in_one_message_in_order() -> None:
    """A job that fails for three reasons fails once."""
    with pytest.raises(UserError) as caught:
        parse({"max_depth": "deep", "etta": "1", "eta": "7", "num_class": "3"})

    text = str(caught.value)
    places = [text.index(part) for part in ("'max_depth' is 'deep'", "'etta'", "'eta' is '7'")]
    assert text.startswith("hyperparameter 'max_depth'")
    assert places == sorted(places)
    assert text.count("Also: ") == 3


def test_dropout_without_dart_is_left_out_with_a_note() -> None:
    """Versions of XGBoost differ in what they do with it; here it has one meaning."""
    hp = parse({"rate_drop": "0.3", "sample_type": "weighted"})

    assert hp.booster == {"seed": 0}
    assert hp.notes == ("rate_drop, sample_type: without effect, since booster is not dart",)
    assert parse({"booster": "dart", "rate_drop": "0.3"}).booster["rate_drop"] == 0.3


def test_the_old_name_of_squared_error_is_translated() -> None:
    """AWS's image takes reg:linear; what is trained and saved has today's name."""
    hp = parse({"objective": "reg:linear"})

    assert hp.objective == hp.booster["objective"] == "reg:squarederror"
    assert "reg:linear is the old name" in hp.notes[0]


def test_no_name_stands_for_two_things() -> None:
    """Names and aliases are unique, and none waits in the list of later ones."""
    names = [name for row in HYPERPARAMETERS for name in (row.name, *row.aliases)]

    assert [name for name, count in Counter(names).items() if count > 1] == []
    assert LATER_NAMES.isdisjoint(names)


def test_no_name_of_the_toolkit_is_xgboosts() -> None:
    """The library must not know a name that the toolkit means otherwise."""
    theirs = set(learner_defaults({}))

    assert theirs.isdisjoint(row.name for row in HYPERPARAMETERS if row.owner == TOOLKIT)


def test_the_defaults_of_xgboosts_rows_are_the_librarys() -> None:
    """The documented defaults are those of the installed version."""
    settings: dict[str, str] = {}
    for params in (
        {},
        {"objective": "reg:pseudohubererror"},
        {"objective": "reg:tweedie"},
        {"objective": "survival:cox"},
    ):
        settings |= learner_defaults(params)
    checked = []
    for row in HYPERPARAMETERS:
        if row.owner == XGBOOST and row.default is not None and row.name in settings:
            checked.append(row.name)
            value = settings[row.name]
            if row.type in {"int", "float", "flag"}:
                assert float(value) == pytest.approx(float(row.default), rel=1e-6), row.name
            else:
                assert value == row.default, row.name

    assert {"eta", "max_depth", "max_bin", "huber_slope", "tree_method", "seed"} <= set(checked)


def test_every_alias_is_one_the_library_knows() -> None:
    """XGBoost itself takes each alias, and says nothing about one not used."""
    known = learner_defaults({})

    aliases = {alias for row in HYPERPARAMETERS for alias in row.aliases}

    assert aliases <= set(known)


def test_the_page_holds_the_table() -> None:
    """docs/hyperparameters.md shows what the code does."""
    _, _, rest = PAGE.read_text(encoding="utf-8").partition("<!-- hyperparameters: begin -->\n")
    shown, found, _ = rest.partition("<!-- hyperparameters: end -->")

    assert found
    assert shown == document()
    assert all(f"`{row.name}`" in shown for row in HYPERPARAMETERS)


def test_the_module_prints_the_table() -> None:
    """The command in the page writes the page's table."""
    done = subprocess.run(
        [sys.executable, "-m", "churn_daal.boosting.hyperparameters"],
        capture_output=True,
        check=True,
        timeout=120,
    )

    assert done.stdout.decode("utf-8") == document()


def test_every_row_can_be_parsed() -> None:
    """Each row's type has a parser that takes the row's own default or a value known to fit."""
    for row in HYPERPARAMETERS:
        text = GOOD_VALUES.get(row.name, "x" if row.default is None else str(row.default))
        raw = {row.name: text}
        raw |= {"objective": "multi:softprob"} if row.name == "num_class" else {}

        parse(raw)
