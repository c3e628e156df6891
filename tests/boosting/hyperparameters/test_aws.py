"""AWS's table of ranges, name by name: what its XGBoost image takes and refuses, so do we."""

from __future__ import annotations

import pytest

from churn_daal.boosting.hyperparameters import parse
from churn_daal.errors import UserError

NEEDS = {"num_class": {"objective": "multi:softmax"}}
OBJECTIVES = (
    "binary:logistic binary:logitraw binary:hinge count:poisson multi:softmax multi:softprob "
    "rank:pairwise rank:ndcg rank:map reg:linear reg:squarederror reg:logistic reg:gamma "
    "reg:pseudohubererror reg:squaredlogerror reg:absoluteerror reg:tweedie survival:cox"
)
METRICS = (
    "accuracy auc aucpr balanced_accuracy f1 f1_binary f1_macro map ndcg precision r2 recall "
    "precision_macro precision_micro recall_macro recall_micro cox-nloglik error error@0.3 "
    "gamma-deviance gamma-nloglik logloss mae map@3 mape merror mlogloss mphe mse ndcg@5 "
    "poisson-nloglik rmse rmsle auc,logloss"
)
# Names, values at the ends of their range, and values just outside.
RANGES = [
    (("num_round", "nthread", "early_stopping_rounds", "num_parallel_tree"), "1 500", "0 -1 1.5"),
    (("max_depth", "max_leaves"), "0 12", "-1 2.5 x"),
    (("max_bin",), "2 512", "-1 2.5 x"),
    (("verbosity",), "0 3", "-1 4"),
    (("num_class",), "2 90", "1 0 -3"),
    (("seed",), "-2147483647 2147483646", "-2147483648 2147483647"),
    (("refresh_leaf", "one_drop", "csv_weights"), "0 1", "-1 2 0.5"),
    (("prob_buffer_row",), "1.1 2", "1 0"),
    (("_kfold",), "2 10", "1 0 2.5"),
    (("_num_cv_round",), "1 10", "0 -1"),
    (("eta", "learning_rate", "rate_drop", "skip_drop", "lambda_bias"), "0 0.5 1", "-0.1 1.01"),
    (("gamma", "min_split_loss", "min_child_weight", "max_delta_step"), "0 7.5", "-0.1 nan"),
    (("lambda", "reg_lambda", "alpha", "reg_alpha"), "0 7.5", "-0.1 inf"),
    (("aft_loss_distribution_scale",), "0 1.5", "-0.5"),
    (("subsample", "colsample_bytree", "colsample_bylevel", "colsample_bynode"), "0.1 1", "0 1.1"),
    (("sketch_eps",), "0.001 0.9", "0 1"),
    (("scale_pos_weight",), "0.01 99", "0 -1"),
    (("tweedie_variance_power",), "1.01 1.99", "1 2"),
    (("booster",), "gbtree gblinear dart", "GBTREE tree"),
    (("tree_method",), "auto exact approx hist gpu_hist", "gpu fast"),
    (("grow_policy",), "depthwise lossguide", "leafwise"),
    (("process_type",), "default", "append"),
    (("sample_type",), "uniform weighted", "random"),
    (("normalize_type",), "tree forest", "none"),
    (("sampling_method",), "uniform gradient_based", "goss"),
    (("predictor",), "auto cpu_predictor gpu_predictor", "cpu"),
    (("dsplit",), "row col", "rows"),
    (("deterministic_histogram", "save_model_on_termination"), "true false", "yes no"),
    (("use_dask_gpu_training",), "true false", "yes no"),
    (("aft_loss_distribution",), "normal logistic extreme", "gumbel"),
    (("updater",), "grow_colmaker,prune grow_histmaker", "grow_colmaker,grow_histmaker none"),
    (("monotone_constraints",), "(1,0) (1,-1)", "(2,0) 1,0 (a)"),
    (("interaction_constraints",), "[[0,1],[2,3]]", "[0,1] [[x]] [[-1]]"),
    (("objective",), OBJECTIVES, "logistic binary:logloss reg:mse"),
    (("eval_metric",), METRICS, "AUC rmse@2 logloss@0.5 loss"),
]


def cases(place: int) -> list[tuple[str, str]]:
    """Return each name with each of its values: 1 for those taken, 2 for those refused."""
    return [(name, text) for row in RANGES for name in row[0] for text in str(row[place]).split()]


@pytest.mark.parametrize(("name", "text"), cases(1))
def test_a_value_in_awss_range_is_taken(name: str, text: str) -> None:
    """A job that AWS's image would start is not refused for this value."""
    hp = parse({name: text} | NEEDS.get(name, {}))

    assert hp.booster["seed"] == (int(text) if name == "seed" else 0)


@pytest.mark.parametrize(("name", "text"), cases(2))
def test_a_value_outside_awss_range_is_refused(name: str, text: str) -> None:
    """What AWS's image refuses never reaches XGBoost, which takes some of it without a word."""
    with pytest.raises(UserError, match=rf"'?({name}|eval_metric)'?"):
        parse({name: text} | NEEDS.get(name, {}))
