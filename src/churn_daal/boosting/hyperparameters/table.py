"""Every hyperparameter as a row of one table, which the parser and the documentation read.

The ranges are those AWS's XGBoost image enforces, so that a value it takes or refuses fares the
same here, except where its table is wrong; docs/hyperparameters.md lists the exceptions. What
the table lacks and the installed XGBoost knows is taken too: see `hyperparameter_library`.
"""

from __future__ import annotations

from churn_daal.boosting.hyperparameters.legacy import LEGACY_ROWS
from churn_daal.boosting.hyperparameters.row import Hyperparameter
from churn_daal.boosting.hyperparameters.table_boosting import BOOSTING_ROWS, OBJECTIVE_ROWS
from churn_daal.boosting.hyperparameters.table_toolkit import TOOLKIT_ROWS
from churn_daal.boosting.hyperparameters.table_trees import DART_ROWS, LINEAR_ROWS, TREE_ROWS

HYPERPARAMETERS: tuple[Hyperparameter, ...] = (
    *BOOSTING_ROWS,
    *TREE_ROWS,
    *DART_ROWS,
    *LINEAR_ROWS,
    *OBJECTIVE_ROWS,
    *TOOLKIT_ROWS,
    *LEGACY_ROWS,
)
ROWS = {name: row for row in HYPERPARAMETERS for name in (row.name, *row.aliases)}
# Names of other interfaces to XGBoost, too far from ours for a spelling match.
OTHER_NAMES = {
    "n_estimators": "num_round",
    "num_boost_round": "num_round",
    "num_trees": "num_round",
    "iterations": "num_round",
    "target": "label",
    "cv": "_kfold",
    "folds": "_kfold",
    "nfold": "_kfold",
    "categorical_feature": "categorical_columns",
}
