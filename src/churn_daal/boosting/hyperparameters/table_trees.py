"""The rows of one kind of model each: trees, trees with dropout, linear."""

from __future__ import annotations

from churn_daal.boosting.hyperparameters.row import (
    INT32_MAX,
    Hyperparameter,
    choice,
    closed,
    flag,
    integer,
)

TREE_ROWS = (
    choice("booster", "gbtree", ("gbtree", "dart", "gblinear"), "Kind of model."),
    choice("tree_method", "auto", ("auto", "hist", "approx", "exact"), "How splits are found."),
    integer("max_bin", 256, 2, INT32_MAX, "Bins a column is cut into."),
    integer("max_leaves", 0, 0, INT32_MAX, "Most leaves of a tree; 0 sets no limit."),
    choice("grow_policy", "depthwise", ("depthwise", "lossguide"), "Which leaf is split next."),
    integer("num_parallel_tree", 1, 1, INT32_MAX, "Trees grown in one round, as in a forest."),
    choice(
        "sampling_method",
        "uniform",
        ("uniform", "gradient_based"),
        "How `subsample` draws rows: alike, or by the size of their gradients.",
    ),
    choice(
        "multi_strategy",
        "one_output_per_tree",
        ("one_output_per_tree", "multi_output_tree"),
        "multi:*: a tree for each class, or trees with all classes in a leaf, which XGBoost "
        "serves and oneDAL cannot.",
    ),
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
    integer("max_cached_hist_node", None, 1, INT32_MAX, "hist, approx: histograms kept in memory."),
    integer(
        "max_cat_to_onehot", 4, 1, INT32_MAX, "Without effect: text is encoded before XGBoost."
    ),
    integer(
        "max_cat_threshold", 64, 1, INT32_MAX, "Without effect: text is encoded before XGBoost."
    ),
    Hyperparameter(
        "updater",
        "updaters",
        None,
        "Steps of a round; of trees, taken as the tree_method they are. gblinear: "
        "`shotgun` or `coord_descent`. process_type update: `refresh`, `prune`.",
    ),
    choice(
        "process_type",
        "default",
        ("default", "update"),
        "Grow trees, or go over those of the `model` channel, with `updater`.",
    ),
    flag("refresh_leaf", "process_type update: refresh leaves too.", default=True),
)
DART_ROWS = (
    closed("rate_drop", 0.0, 0, 1, "dart: share of the trees dropped in a round."),
    closed("skip_drop", 0.0, 0, 1, "dart: chance that a round drops none."),
    flag("one_drop", "dart: drop one tree at least.", default=False),
    choice("sample_type", "uniform", ("uniform", "weighted"), "dart: how trees are drawn."),
    choice("normalize_type", "tree", ("tree", "forest"), "dart: weight of a new tree."),
)
LINEAR_ROWS = (
    choice(
        "feature_selector",
        "cyclic",
        ("cyclic", "shuffle", "random", "greedy", "thrifty"),
        "gblinear: order of the columns; the last three need updater coord_descent.",
    ),
    integer("top_k", 0, 0, INT32_MAX, "gblinear, greedy and thrifty: columns chosen; 0: all."),
)
