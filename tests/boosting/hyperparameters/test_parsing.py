"""Hyperparameters that are right become typed values."""

from __future__ import annotations

from pathlib import Path

import pytest

from churn_daal.boosting.hyperparameters import Hyperparameters, parse
from churn_daal.boosting.hyperparameters.table import HYPERPARAMETERS
from churn_daal.contract.job import read_job
from churn_daal.contract.paths import SageMakerPaths
from churn_daal.errors import UserError

GOOD_VALUES = {
    "objective": "reg:squarederror", "eval_metric": "rmse", "early_stopping_rounds": "5",
    "num_class": "3", "nthread": "1", "monotone_constraints": "(1)",
    "interaction_constraints": "[[0]]", "base_score": "0.5", "quantile_alpha": "0.5",
    "expectile_alpha": "0.5", "lambdarank_num_pair_per_sample": "2", "updater": "grow_colmaker",
    "max_cached_hist_node": "100", "_kfold": "3", "memory_budget_mb": "1", "sketch_eps": "0.1",
    "predictor": "auto", "dsplit": "row", "prob_buffer_row": "2",
}  # fmt: skip
NEEDS = {
    "num_class": {"objective": "multi:softprob"},
    "label_lower_bound": {"objective": "survival:aft", "label_upper_bound": "z"},
    "label_upper_bound": {"objective": "survival:aft", "label_lower_bound": "z"},
}


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
        ("n_jobs", "nthread", "2"),
        ("qid", "group", "query"),
        ("group_column", "group", "query"),
    ],
)
def test_an_alias_is_the_same_hyperparameter(alias: str, name: str, text: str) -> None:
    """XGBoost's other names arrive under one, and both at once are refused."""
    assert parse({alias: text}) == parse({name: text})
    with pytest.raises(UserError, match=f"'{name}' and '{alias}' are one hyperparameter"):
        parse({name: text, alias: text})


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
        {"monotone_constraints": "(1,0)", "tree_method": "approx"},
        {"interaction_constraints": "[[0,1]]", "tree_method": "auto"},
        {"updater": "grow_quantile_histmaker"},
    ],
)
def test_what_awss_table_wrongly_refuses_is_taken(raw: dict[str, str]) -> None:
    """Defect X7 of AWS's image: these are right and are refused there."""
    assert parse(raw).booster.items() >= {"seed": 0}.items()


@pytest.mark.parametrize("text", ["0.9", "[0.9]", " [ 0.9 ] "])
def test_one_quantile_may_come_as_a_list(text: str) -> None:
    """XGBoost takes a list of quantiles, and a list of one is the same thing."""
    hp = parse({"objective": "reg:quantileerror", "quantile_alpha": text})

    assert hp.booster["quantile_alpha"] == 0.9


def test_every_row_can_be_parsed() -> None:
    """Each row's type has a parser that takes the row's own default or a value known to fit."""
    for row in HYPERPARAMETERS:
        other = "x" if row.type in {"column", "columns", "text"} else "1"
        text = GOOD_VALUES.get(row.name, other if row.default is None else str(row.default))
        raw = {row.name: text}
        raw |= NEEDS.get(row.name, {})

        parse(raw)


def test_dropout_without_dart_is_left_out_with_a_note() -> None:
    """Versions of XGBoost differ in what they do with it; here it has one meaning."""
    hp = parse({"rate_drop": "0.3", "sample_type": "weighted"})

    assert hp.booster == {"seed": 0}
    assert hp.notes == ("rate_drop, sample_type: without effect, since booster is not dart",)
    assert parse({"booster": "dart", "rate_drop": "0.3"}).booster["rate_drop"] == 0.3
