"""Prediction engines: oneDAL where it answers what XGBoost answers, XGBoost itself elsewhere.

Importing this package loads numpy at most: daal4py and xgboost are imported by the functions
that need them, so a server on oneDAL never pays for xgboost, scikit-learn or scipy.
"""

from __future__ import annotations

from churn_daal.engine.build import Built, build, rebuild
from churn_daal.engine.convert import convert
from churn_daal.engine.ensemble import EnsembleEngine
from churn_daal.engine.explainer import Explainer
from churn_daal.engine.extension import set_threads
from churn_daal.engine.native import XGBoostEngine, load_xgboost, read_booster
from churn_daal.engine.objectives import Objective, objective_named
from churn_daal.engine.onedal import load_onedal, outdated
from churn_daal.engine.parity import Parity
from churn_daal.engine.protocol import Engine, Extra, Matrix, UnansweredError
from churn_daal.engine.rounds import to_best_round
from churn_daal.engine.stored import OtherVersionError
from churn_daal.engine.versions import engine_versions, package_version

__all__ = [
    "Built",
    "Engine",
    "EnsembleEngine",
    "Explainer",
    "Extra",
    "Matrix",
    "Objective",
    "OtherVersionError",
    "Parity",
    "UnansweredError",
    "XGBoostEngine",
    "build",
    "convert",
    "engine_versions",
    "load_onedal",
    "load_xgboost",
    "objective_named",
    "outdated",
    "package_version",
    "read_booster",
    "rebuild",
    "set_threads",
    "to_best_round",
]
