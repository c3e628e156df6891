"""Hyperparameters wrong by themselves are refused with a message that helps."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from churn_daal.boosting.hyperparameters import parse
from churn_daal.boosting.hyperparameters.table import ROWS
from churn_daal.errors import UserError


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
        (
            "quantile_alpha",
            "0.1,0.9",
            r"below 1: a model with several answers a row cannot be served\. Train a job for each",
        ),
        ("quantile_alpha", "[0.1, 0.9]", "expected one number above 0 and below 1"),
        ("quantile_alpha", "[]", "expected a number above 0 and below 1"),
        ("expectile_alpha", "0.1,0.9", "expected one number above 0 and below 1"),
        ("csv_weights", "2", "'csv_weights' is '2'; expected 0, 1, true or false"),
        ("csv_weights", "price", "'price'; expected 0, 1, true or false"),
        ("csv_weights", "", "'csv_weights' is empty; leave it out for its default"),
        ("group", "  ", "'group' is '  '; expected a column's name or position"),
        ("label_lower_bound", "", "'label_lower_bound' is empty"),
        ("base_margin", "[0.5]", "'base_margin' is .*; expected names or positions with commas"),
        ("libsvm_indexing", "2", "'libsvm_indexing' is '2'; expected one of auto, 0, 1"),
        ("libsvm_indexing", "one", "'one'; expected one of auto, 0, 1"),
        ("_kfold", "1", "'_kfold' is '1'; expected a whole number 2 or more"),
        ("_kfold", "0.2", "'_kfold' is '0.2'; expected a whole number 2 or more"),
        ("_kfold", "five", "'five'; expected a whole number 2 or more"),
        ("kfold", "5", "'kfold' is not known; the nearest known is '_kfold'"),
        ("_num_cv_round", "0", "'_num_cv_round' is '0'; expected a whole number 1 or more"),
        ("memory_budget_mb", "0", "expected a whole number 1 or more"),
        ("memory_budget_mb", "4GB", "'4GB'; expected a whole number 1 or more"),
        ("memory_budget_mb", "-1", "expected a whole number 1 or more"),
        ("checkpoint_rounds", "0", "expected a whole number 1 or more"),
        ("checkpoint_seconds", "0", "'checkpoint_seconds' is '0'; expected a number above 0"),
        ("checkpoint_seconds", "1m", "'1m'; expected a number above 0"),
        ("checkpoints_kept", "0", "expected a whole number 1 or more"),
        ("cost_ratio", "0", "'cost_ratio' is '0'; expected a number above 0"),
        ("cost_ratio", "5:1", "'5:1'; expected a number above 0"),
        ("cost_ratio", "inf", "'inf'; expected a number above 0"),
        ("device", "sycl", "'device' is 'sycl'; expected one of cpu"),
        ("device", "cuda:x", "'cuda:x'; expected one of cpu"),
        ("device", "CPU", "'CPU'; expected one of cpu"),
        ("process_type", "refresh", "expected one of default, update"),
        ("multi_strategy", "vector", "expected one of one_output_per_tree, multi_output_tree"),
        ("max_cached_hist_node", "0", "expected a whole number 1 or more"),
        ("verbosity", "4", "expected a whole number from 0 to 3"),
        ("seed", "2147483647", "expected a whole number from -2147483647 to 2147483646"),
        ("num_class", "1", "expected a whole number 2 or more"),
        ("max_bin", "1", "expected a whole number 2 or more"),
        ("tree_method", "histogram", "one of auto, hist, approx, exact"),
        ("booster", "gbforest", "one of gbtree, dart, gblinear"),
        ("one_drop", "2", "expected 0, 1, true or false"),
        ("objective", "binary", "expected one of binary:logistic"),
        ("eval_metric", "logless", "lists 'logless': Unknown metric function logless"),
        ("eval_metric", "rmse@3", "'rmse@3': a metric without a parameter; only ams, error"),
        ("eval_metric", "error@x", "unable to parse the threshold value"),
        ("eval_metric", "tweedie-nloglik", "must be in format tweedie-nloglik@rho"),
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
        ("id_columns", "[" * 9000, "names or positions with commas between"),
        ("id_columns", "[true]", "names or positions with commas between"),
        ("id_columns", '[{"a": 1}]', "names or positions with commas between"),
        ("threshold", "1", "'threshold' is '1'; expected a number above 0 and below 1, or f1 or"),
        ("threshold", "F1", "'F1'; expected a number above 0 and below 1, or f1 or cost"),
        ("threshold", "best", "'best'; expected a number above 0 and below 1, or f1 or cost"),
        ("validation_fraction", "20", "'20'; expected a number above 0 and below 1"),
        ("max_onehot_categories", "0", "expected a whole number 1 or more"),
        ("etta", "0.1", "'etta' is not known; the nearest known is 'eta'"),
        ("Max_Depth", "3", "'Max_Depth' is not known; the nearest known is 'max_depth'"),
        ("n_estimators", "3", "'n_estimators' is not known; the nearest known is 'num_round'"),
        ("zzz", "3", r"'zzz' is not known; docs/hyperparameters\.md lists all"),
        ("num_feature", "3", "'num_feature' is set by XGBoost itself; leave it out"),
        ("num_trees", "3", "'num_trees' is not known; the nearest known is 'num_round'"),
    ],
)
def test_one_that_is_wrong_is_refused(name: str, text: str, message: str) -> None:
    """The message names the hyperparameter, the value and the range or the nearest name."""
    with pytest.raises(UserError, match=message):
        parse({name: text})


@settings(max_examples=100, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from([*sorted(ROWS), "tolerance", "sparse_threshold"]) | st.text(max_size=8),
        st.text(max_size=8) | st.sampled_from(["1", "0.5", "true", "[1]", "[[0]]", "(1)", "[" * 5]),
        max_size=3,
    )
)
def test_no_text_does_more_than_be_refused(raw: dict[str, str]) -> None:
    """Whatever a job sends, its hyperparameters are taken or refused with a message."""
    with suppress(UserError):
        hp = parse(raw)
        assert hp.booster["seed"] == hp.seed
