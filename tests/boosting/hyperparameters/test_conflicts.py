"""Hyperparameters that are right by themselves and do not go together are refused."""

from __future__ import annotations

import pytest

from churn_daal.boosting.hyperparameters import parse
from churn_daal.errors import UserError


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
        (
            {"objective": "reg:expectileerror"},
            "'reg:expectileerror' needs expectile_alpha, such as 0.5 for the mean",
        ),
        (
            {"objective": "survival:aft", "label_lower_bound": "a"},
            "needs the columns label_lower_bound and label_upper_bound; label_upper_bound is not",
        ),
        (
            {"objective": "survival:aft"},
            "label_lower_bound and label_upper_bound are not given",
        ),
        (
            {"label_upper_bound": "b", "objective": "survival:cox"},
            "label_upper_bound goes with survival:aft only, and objective is 'survival:cox'",
        ),
        (
            {"label_upper_bound": "b"},
            "objective is not given. Set that objective or leave label_upper_bound out",
        ),
        ({"eval_metric": "aft-nloglik"}, "'aft-nloglik': a metric of the two bounds that survival"),
        ({"objective": "survival:aft", "base_score": "0"}, "expects a number above 0"),
        ({"csv_weights": "1", "weight": "1"}, "csv_weights and weight both name the weights"),
        (
            {"threshold": "f1", "objective": "reg:squarederror"},
            "threshold 'f1' goes with binary:logistic only, and objective is 'reg:squarederror'",
        ),
        (
            {"threshold": "cost", "objective": "multi:softprob"},
            "threshold 'cost' goes with binary:logistic only",
        ),
        ({"group": "q", "label": "q"}, "column 'q' is in label and in group"),
        ({"base_margin": "m", "drop_columns": "m"}, "'m' is in base_margin and in drop_columns"),
        ({"group": "q", "weight": "q"}, "column 'q' is in weight and in group"),
        (
            {"tree_method": "exact", "sampling_method": "gradient_based"},
            "'gradient_based' needs tree_method hist or approx, not exact",
        ),
        (
            {"multi_strategy": "multi_output_tree", "tree_method": "approx"},
            "'multi_output_tree' needs tree_method hist, not approx",
        ),
        (
            {"booster": "gblinear", "feature_selector": "greedy"},
            "feature_selector 'greedy' needs updater coord_descent",
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
