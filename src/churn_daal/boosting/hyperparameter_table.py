"""Every hyperparameter as a row of one table, which the parser and the documentation read.

The ranges are those AWS's XGBoost image enforces, so that a value it takes or refuses fares the
same here, except where its table is wrong: `base_score` may be negative, `max_bin` starts at
the 2 that XGBoost demands, `num_round` has a default.
"""

from __future__ import annotations

from churn_daal.boosting.hyperparameter_row import (
    INT32_MAX,
    Hyperparameter,
    choice,
    closed,
    inside,
    integer,
    own,
    share,
)

OBJECTIVES = (
    "binary:logistic", "binary:logitraw", "binary:hinge", "multi:softprob", "multi:softmax",
    "reg:squarederror", "reg:linear", "reg:squaredlogerror", "reg:logistic",
    "reg:pseudohubererror", "reg:absoluteerror", "reg:quantileerror", "reg:gamma", "reg:tweedie",
    "count:poisson", "survival:cox",
)  # fmt: skip
# XGBoost has these, but they need columns the readers do not hand over yet.
LATER_OBJECTIVES = {
    "rank:pairwise": "a group column",
    "rank:ndcg": "a group column",
    "rank:map": "a group column",
    "survival:aft": "two label columns",
}
# AWS's image knows these; here they are not passed on yet.
LATER_NAMES = frozenset({
    "_kfold", "_num_cv_round", "csv_weights", "deterministic_histogram", "device", "dsplit",
    "expectile_alpha", "feature_selector", "lambda_bias", "max_cached_hist_node",
    "multi_strategy", "predictor", "prob_buffer_row", "process_type", "refresh_leaf",
    "sampling_method", "save_model_on_termination", "seed_per_iteration", "sketch_eps", "top_k",
    "updater", "use_dask_gpu_training",
})  # fmt: skip
# Names of other interfaces to XGBoost, too far from ours for a spelling match.
OTHER_NAMES = {
    "n_estimators": "num_round",
    "num_boost_round": "num_round",
    "num_trees": "num_round",
    "iterations": "num_round",
    "target": "label",
}

_BOOSTING = (
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
        "objective",
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
    integer("nthread", None, 1, INT32_MAX, "Threads; every usable core by default.", "n_jobs"),
    integer("verbosity", 1, 0, 3, "0 silent, 1 warnings, 2 information, 3 debugging."),
)
_TREES = (
    choice("booster", "gbtree", ("gbtree", "dart", "gblinear"), "Kind of model."),
    choice("tree_method", "auto", ("auto", "hist", "approx", "exact"), "How splits are found."),
    integer("max_bin", 256, 2, INT32_MAX, "Bins a column is cut into."),
    integer("max_leaves", 0, 0, INT32_MAX, "Most leaves of a tree; 0 sets no limit."),
    choice("grow_policy", "depthwise", ("depthwise", "lossguide"), "Which leaf is split next."),
    integer("num_parallel_tree", 1, 1, INT32_MAX, "Trees grown in one round, as in a forest."),
    Hyperparameter(
        "monotone_constraints",
        "monotone",
        None,
        "A list of -1, 0 or 1 for the encoded columns in turn: `(1,0,-1)`.",
    ),
    Hyperparameter(
        "interaction_constraints",
        "interaction",
        None,
        "Groups of encoded columns, counted from 0, that may meet in a branch: `[[0,1],[2,3]]`.",
    ),
    closed("rate_drop", 0.0, 0, 1, "dart: share of the trees dropped in a round."),
    closed("skip_drop", 0.0, 0, 1, "dart: chance that a round drops none."),
    Hyperparameter("one_drop", "flag", default=False, help="dart: drop one tree at least."),
    choice("sample_type", "uniform", ("uniform", "weighted"), "dart: how trees are drawn."),
    choice("normalize_type", "tree", ("tree", "forest"), "dart: weight of a new tree."),
)
_OBJECTIVE_OPTIONS = (
    Hyperparameter(
        "base_score",
        "float",
        None,
        "The answer before the first tree; estimated from the labels by default.",
    ),
    inside("tweedie_variance_power", 1.5, 1, 2, "reg:tweedie: power of the variance."),
    Hyperparameter("huber_slope", "float", 1.0, "reg:pseudohubererror: slope.", 0, open_low=True),
    inside("quantile_alpha", None, 0, 1, "reg:quantileerror: the one quantile, always needed."),
    choice(
        "aft_loss_distribution", "normal", ("normal", "logistic", "extreme"), "survival:aft: noise."
    ),
    closed("aft_loss_distribution_scale", 1.0, 0, None, "survival:aft: scale of the noise."),
    Hyperparameter(
        "disable_default_eval_metric",
        "flag",
        default=False,
        help="Leave out the objective's own metric where `eval_metric` lists none.",
    ),
)
_TOOLKIT = (
    own("label", "column", None, "Label column, by name or 0-based position; the first one."),
    own("weight", "column", None, "Column of row weights."),
    own("id_columns", "columns", None, "Columns carried along and not learned from."),
    own("drop_columns", "columns", None, "Columns left out."),
    own("categorical_columns", "columns", None, "Columns to take as text, numbers or not."),
    own("header", "choice", "auto", "Whether CSV has one.", choices=("auto", "present", "absent")),
    own("delimiter", "delimiter", ",", "One character between CSV cells, or `tab`."),
    own(
        "category_encoding",
        "choice",
        "auto",
        "Codes of text columns; auto: one-hot up to `max_onehot_categories`, else ordinal.",
        choices=("auto", "onehot", "ordinal"),
    ),
    own(
        "max_onehot_categories",
        "int",
        64,
        "Most columns one text column becomes, under auto.",
        low=1,
        high=INT32_MAX,
    ),
    own("positive_label", "text", None, "The label that counts as positive, of two."),
    own(
        "validation_fraction",
        "float",
        0.2,
        "Share of the rows set aside where there is no validation channel.",
        low=0,
        high=1,
    ),
    own("threshold", "float", 0.5, "Probability from which the answer is positive.", low=0, high=1),
)

HYPERPARAMETERS: tuple[Hyperparameter, ...] = (
    *_BOOSTING,
    *_TREES,
    *_OBJECTIVE_OPTIONS,
    *_TOOLKIT,
)
