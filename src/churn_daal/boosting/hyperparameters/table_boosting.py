"""The rows of what is learnt and how boosting goes about it, whatever the kind of model."""

from __future__ import annotations

from churn_daal.boosting.hyperparameters.row import (
    INT32_MAX,
    Hyperparameter,
    choice,
    closed,
    flag,
    inside,
    integer,
    level,
    share,
)

# The last needs XGBoost 3.4 or later: the library itself is asked.
OBJECTIVES = (
    "binary:logistic", "binary:logitraw", "binary:hinge", "multi:softprob", "multi:softmax",
    "reg:squarederror", "reg:squaredlogerror", "reg:logistic", "reg:pseudohubererror",
    "reg:absoluteerror", "reg:quantileerror", "reg:gamma", "reg:tweedie", "count:poisson",
    "survival:cox", "survival:aft", "rank:pairwise", "rank:ndcg", "rank:map",
    "reg:expectileerror",
)  # fmt: skip

BOOSTING_ROWS = (
    integer("num_round", 100, 1, INT32_MAX, "Rounds of boosting."),
    closed("eta", 0.3, 0, 1, "Shrinks each round's step.", "learning_rate"),
    integer("max_depth", 6, 0, INT32_MAX, "Deepest level of a tree; 0 sets no limit."),
    closed("min_child_weight", 1.0, 0, None, "Least sum of hessians in a leaf."),
    closed("gamma", 0.0, 0, None, "Least gain of a split.", "min_split_loss"),
    share("subsample", "Share of the rows drawn for each round."),
    share("colsample_bytree", "Share of the columns drawn for each tree."),
    share("colsample_bylevel", "Share of the tree's columns drawn for each level."),
    share("colsample_bynode", "Share of the level's columns drawn for each split."),
    closed("lambda", 1.0, 0, None, "L2 penalty on leaf values; gblinear: 0.", "reg_lambda"),
    closed("alpha", 0.0, 0, None, "L1 penalty on leaf values.", "reg_alpha"),
    Hyperparameter(
        "scale_pos_weight", "float", 1.0, "Weight of the positive class.", 0, open_low=True
    ),
    closed(
        "max_delta_step", 0.0, 0, None, "Limit of a leaf's step, 0 for none; count:poisson: 0.7."
    ),
    Hyperparameter(
        "objective",
        "choice",
        None,
        "What to learn; chosen from the labels by default.",
        choices=OBJECTIVES,
    ),
    Hyperparameter(
        "eval_metric", "metrics", None, "Metrics printed each round; the objective's by default."
    ),
    integer(
        "early_stopping_rounds",
        None,
        1,
        INT32_MAX,
        "Stop when the last listed metric, or the objective's own, has not improved on the "
        "validation rows for so many rounds, and keep the best round's model; off by default.",
    ),
    integer(
        "num_class", None, 2, INT32_MAX, "Classes of `multi:*`; counted in the labels by default."
    ),
    integer("seed", 0, -(2**31) + 1, 2**31 - 2, "Seed of every random draw.", "random_state"),
    flag("seed_per_iteration", "Draw anew from the seed and the round's number.", default=False),
    integer("nthread", None, 1, INT32_MAX, "Threads; every usable core by default.", "n_jobs"),
    integer("verbosity", 1, 0, 3, "0 silent, 1 warnings, 2 information, 3 debugging."),
    choice("device", "cpu", ("cpu",), "Where training runs; this image has no GPU libraries."),
)
OBJECTIVE_ROWS = (
    Hyperparameter(
        "base_score",
        "float",
        None,
        "The answer before the first tree; estimated from the labels by default.",
    ),
    inside("tweedie_variance_power", 1.5, 1, 2, "reg:tweedie: power of the variance."),
    Hyperparameter("huber_slope", "float", 1.0, "reg:pseudohubererror: slope.", 0, open_low=True),
    level("quantile_alpha", "reg:quantileerror: the one quantile, always needed."),
    level(
        "expectile_alpha",
        "reg:expectileerror: the one expectile, always needed; XGBoost 3.4 or later.",
    ),
    choice(
        "aft_loss_distribution", "normal", ("normal", "logistic", "extreme"), "survival:aft: noise."
    ),
    closed("aft_loss_distribution_scale", 1.0, 0, None, "survival:aft: scale of the noise."),
    choice("lambdarank_pair_method", "topk", ("topk", "mean"), "rank:*: how pairs are made."),
    integer(
        "lambdarank_num_pair_per_sample",
        None,
        1,
        INT32_MAX,
        "rank:*: for topk the best ranks compared (32), for mean the pairs of a row (1).",
    ),
    flag("lambdarank_normalization", "rank:*: scale a query's gradients.", default=True),
    flag("lambdarank_score_normalization", "rank:*: scale by score differences.", default=True),
    flag("lambdarank_unbiased", "rank:*: correct for the bias of positions.", default=False),
    closed("lambdarank_bias_norm", 1.0, 0, None, "rank:*: norm of that correction."),
    flag("ndcg_exp_gain", "rank:ndcg: gain 2^relevance - 1, not relevance.", default=True),
    flag(
        "disable_default_eval_metric",
        "Leave out the objective's own metric where `eval_metric` lists none.",
        default=False,
    ),
)
