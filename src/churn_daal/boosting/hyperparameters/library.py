"""What the installed XGBoost says of parameters, asked before any data is read.

The library has no list of its parameters. When it is configured it does say which of those it was
given no part of it took up (`validate_parameters`), and refuses values; configuring takes no
rounds and less than a millisecond, so it is asked about each name that the table does not have.
"""

from __future__ import annotations

import functools
import re
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import xgboost
from xgboost.core import XGBoostError

from churn_daal.boosting.xgboost_faults import reason

# Set by the library for the model at hand; it would take them and train nonsense.
MODEL_STATE = frozenset({
    "num_feature", "num_target", "num_trees", "num_output_group", "boost_from_average",
    "size_leaf_vector", "rng_state", "updater_seq",
})  # fmt: skip
# Between them these configure every part of the library that has parameters of its own.
_JOBS: tuple[Mapping[str, str], ...] = (
    {},
    {"tree_method": "exact"},
    {"tree_method": "approx"},
    {"booster": "dart"},
    {"booster": "gblinear", "updater": "shotgun"},
    {"booster": "gblinear", "updater": "coord_descent"},
    {"objective": "multi:softprob", "num_class": "3"},
    {"objective": "rank:ndcg"},
    {"objective": "survival:aft"},
    {"objective": "reg:tweedie"},
    {"objective": "reg:pseudohubererror"},
    {"objective": "reg:quantileerror", "quantile_alpha": "0.5"},
    {"objective": "reg:expectileerror", "expectile_alpha": "0.5"},
)
_UNUSED = re.compile(r"Parameters: \{(?P<names>.*?)\} are not used", re.DOTALL)
_NAME = re.compile(r'"([^"]+)"')


def knows(name: str) -> bool:
    """Whether the installed XGBoost has a parameter of that name which a user may set."""
    # A character zero would end the name where the library reads it.
    return name.isidentifier() and name not in MODEL_STATE and _taker(name) is not None


def value_fault(name: str, text: str) -> str | None:
    """Return why the installed XGBoost refuses the value of a parameter that it knows, or None.

    The parameter is tried where it acts, which need not be in the job at hand.
    """
    if not text or not text.isascii() or not text.isprintable():
        return "it takes printable ASCII text"
    job = _taker(name)
    return None if job is None else _said({**job, name: text})


def refusal(params: Mapping[str, Any]) -> str | None:
    """Return why the installed XGBoost refuses parameters, or None where it takes them.

    Parameters
    ----------
    params
        As `xgboost.train` gets them. The metrics among them are left out: they have their own
        check, `metric_names.refusal`. Ranges alone are seen here, not what needs labels.
    """
    asked = {name: value for name, value in params.items() if name != "eval_metric"}
    if str(asked.get("objective", "")).startswith("multi:"):
        asked.setdefault("num_class", 3)
    fault = _said(asked)
    return None if fault is None else f"XGBoost {xgboost.__version__} refuses these: {fault}."


def _said(params: Mapping[str, Any]) -> str | None:
    try:
        _unused(params)
    except XGBoostError as error:
        return reason(str(error)).rstrip(".")
    return None


def _taker(name: str) -> Mapping[str, str] | None:
    return next((job for job in _usable_jobs() if _takes(job, name)), None)


def _takes(job: Mapping[str, str], name: str) -> bool:
    try:
        return name not in _unused({**job, name: "1"})
    except XGBoostError:
        # The job by itself is sound, so it is the value that was refused, and the name known.
        return True


@functools.cache
def _usable_jobs() -> tuple[Mapping[str, str], ...]:
    """Return the jobs this version has the objectives for."""
    return tuple(job for job in _JOBS if _said(job) is None)


def _unused(params: Mapping[str, Any]) -> frozenset[str]:
    """Configure a booster on two rows and return the names that no part of it took up."""
    rows = xgboost.DMatrix(np.zeros((2, 1), np.float32), label=np.array([0.0, 1.0]), nthread=1)
    with warnings.catch_warnings(record=True) as said, xgboost.config_context(verbosity=1):
        warnings.simplefilter("always")
        asked = {**params, "nthread": 1, "validate_parameters": True}
        xgboost.Booster(asked, [rows]).save_config()
    found = (_UNUSED.search(str(warning.message)) for warning in said)
    return frozenset(name for match in found if match for name in _NAME.findall(match["names"]))
