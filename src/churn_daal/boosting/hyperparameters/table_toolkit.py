"""The rows this program acts on itself: what the columns are, how rows are held out, how it saves.

`csv_weights`, `_kfold` and `_num_cv_round` have the names and meanings of AWS's image.
"""

from __future__ import annotations

from churn_daal.boosting.hyperparameters.row import INT32_MAX, own

_COLUMNS = (
    own("label", "column", None, "Label column, by name or 0-based position; the first one."),
    own("weight", "column", None, "Column of row weights."),
    own("csv_weights", "flag", default=False, text="The second CSV column is the weight."),
    own(
        "group",
        "column",
        None,
        "Column with the query (rank:*) or group of each row; folds keep a group together.",
        aliases=("qid", "group_column"),
    ),
    own("label_lower_bound", "column", None, "survival:aft: column with the earliest time."),
    own("label_upper_bound", "column", None, "survival:aft: column with the latest time."),
    own("base_margin", "columns", None, "Column, or one a class, with the margin to start from."),
    own("id_columns", "columns", None, "Columns carried along and not learned from."),
    own("drop_columns", "columns", None, "Columns left out."),
    own("categorical_columns", "columns", None, "Columns to take as text, numbers or not."),
)
_READING = (
    own("header", "choice", "auto", "Whether CSV has one.", choices=("auto", "present", "absent")),
    own("delimiter", "delimiter", ",", "One character between CSV cells, or `tab`."),
    own(
        "libsvm_indexing",
        "choice",
        "auto",
        "Index of libsvm's first column; auto: 1 unless an index 0 is in the train channel.",
        choices=("auto", "0", "1"),
    ),
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
        "memory_budget_mb",
        "int",
        None,
        "MiB the rows may take before they go to disk; by default from the container's limit.",
        low=1,
        high=INT32_MAX,
    ),
)
_HOLDING_OUT = (
    own(
        "validation_fraction",
        "float",
        0.2,
        "Share of the rows set aside where there is no validation channel.",
        low=0,
        high=1,
    ),
    own("_kfold", "int", None, "Folds of cross-validation; off by default.", low=2, high=INT32_MAX),
    own("_num_cv_round", "int", 1, "Times `_kfold` is done over.", low=1, high=INT32_MAX),
    own(
        "threshold",
        "threshold",
        0.5,
        "Probability from which the answer is positive: a number, or chosen on held-out rows by "
        "`f1` or by `cost`.",
        low=0,
        high=1,
    ),
    own(
        "cost_ratio",
        "float",
        1.0,
        "threshold `cost`: cost of a missed positive over that of a false alarm.",
        low=0,
    ),
)
_CHECKPOINTS = (
    own(
        "checkpoint_rounds",
        "int",
        10,
        "Rounds between two checkpoints, or a fiftieth of the rounds done if that is more.",
        low=1,
        high=INT32_MAX,
    ),
    own("checkpoint_seconds", "float", 60.0, "Or seconds, whichever comes first.", low=0),
    own("checkpoints_kept", "int", 3, "Checkpoints left in the folder.", low=1, high=INT32_MAX),
)
TOOLKIT_ROWS = (*_COLUMNS, *_READING, *_HOLDING_OUT, *_CHECKPOINTS)
