"""What jobs written for earlier XGBoost versions or AWS's image send, and what it means today.

Nothing here fails a job: the modern meaning is taken and a note says which.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from churn_daal.boosting.hyperparameters.row import legacy

_CPU_ONLY = "Without effect: training runs on the CPU."
_GONE = "Without effect: XGBoost has it no more."

LEGACY_ROWS = (
    legacy(
        "predictor",
        "choice",
        "Without effect: XGBoost chooses by itself.",
        choices=("auto", "cpu_predictor", "gpu_predictor"),
    ),
    legacy(
        "sketch_eps",
        "float",
        "Becomes a `max_bin` of 1 / sketch_eps where none is given and the tree_method is auto "
        "or approx; without effect on the others.",
        low=0,
        high=1,
        open_ends=True,
    ),
    legacy("sketch_ratio", "float", _GONE, low=0, open_ends=True),
    legacy(
        "dsplit",
        "choice",
        "Without effect: several machines share the rows.",
        choices=("row", "col"),
    ),
    legacy("silent", "flag", "1 becomes `verbosity` 0 where none is given."),
    legacy("prob_buffer_row", "float", _GONE, low=1, open_ends=True),
    legacy("lambda_bias", "float", _GONE, low=0, high=1),
    legacy("deterministic_histogram", "flag", _GONE),
    legacy("single_precision_histogram", "flag", _GONE),
    legacy("enable_feature_grouping", "flag", _GONE),
    legacy("num_pairsample", "int", "Becomes `lambdarank_num_pair_per_sample`, `mean`.", low=1),
    legacy("gpu_id", "int", _CPU_ONLY, low=-1),
    legacy("n_gpus", "int", _CPU_ONLY, low=-1),
    legacy("gpu_batch_nrows", "int", _CPU_ONLY, low=-1),
    legacy("use_dask_gpu_training", "flag", _CPU_ONLY),
    legacy(
        "save_model_on_termination",
        "flag",
        "Without effect: a job that is stopped always saves its best model.",
    ),
    legacy(
        "enable_categorical",
        "flag",
        "Without effect: text is encoded before XGBoost; see `category_encoding`.",
    ),
)
# The old values of hyperparameters that are still there.
OLD_VALUES: Mapping[str, Mapping[str, str]] = {
    "tree_method": {"gpu_hist": "hist", "gpu_exact": "exact"},
    "objective": {
        "reg:linear": "reg:squarederror",
        "gpu:reg:linear": "reg:squarederror",
        "gpu:reg:logistic": "reg:logistic",
        "gpu:binary:logistic": "binary:logistic",
        "gpu:binary:logitraw": "binary:logitraw",
    },
    "device": {"cuda": "cpu", "gpu": "cpu"},
}
_WITHOUT_EFFECT = {row.name: row.help for row in LEGACY_ROWS if row.help.startswith("Without")}
_DEVICE_NUMBER = re.compile(r":[0-9]+$")
# Enough for any column; more only takes memory.
_MOST_BINS = 65536
# Takes what is kept, the name and its value; changes what is kept and returns a note.
_Translation = Callable[[dict[str, Any], str, Any], str]


def modern_text(name: str, text: str) -> tuple[str, str | None]:
    """Return a value as it is written today, and a note where that differs.

    Parameters
    ----------
    name
        A name of the table, no alias.
    text
        The value as given.
    """
    old = text.strip()
    key = _DEVICE_NUMBER.sub("", old) if name == "device" else old
    new = OLD_VALUES.get(name, {}).get(key)
    if new is None:
        return text, None
    if name == "objective":
        return new, f"objective {old} is the old name of {new}"
    return new, f"{name} {old}: training runs on the CPU here, with {name} {new}"


def modern_values(values: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Return parsed values with today's names alone, and a note for each that was translated."""
    kept = dict(values)
    notes = []
    for name in (row.name for row in LEGACY_ROWS if row.name in values):
        translate: _Translation = _TRANSLATIONS.get(name, _drop)
        value = kept.pop(name)
        notes.append(translate(kept, name, value))
    return kept, notes


def _drop(_kept: dict[str, Any], name: str, _value: object) -> str:
    reason = _WITHOUT_EFFECT[name]
    return f"{name}: {reason[0].lower()}{reason[1:].rstrip('.')}"


def _bins(kept: dict[str, Any], name: str, eps: float) -> str:
    method = kept.get("tree_method", "auto")
    if "max_bin" in kept:
        return f"{name}: without effect, since max_bin is given"
    if method not in {"auto", "approx"}:
        return f"{name}: without effect on tree_method {method}"
    kept["max_bin"] = min(math.ceil(1 / eps), _MOST_BINS)
    return f"{name} {eps:g}: an old way to say max_bin {kept['max_bin']}, which is taken"


def _quiet(kept: dict[str, Any], name: str, value: object) -> str:
    if not value or "verbosity" in kept:
        return f"{name}: without effect; verbosity has taken its place"
    kept["verbosity"] = 0
    return f"{name}: an old way to say verbosity 0, which is taken"


def _pairs(kept: dict[str, Any], name: str, value: object) -> str:
    kept.setdefault("lambdarank_pair_method", "mean")
    kept.setdefault("lambdarank_num_pair_per_sample", value)
    return f"{name}: an old name of lambdarank_num_pair_per_sample with lambdarank_pair_method mean"


_TRANSLATIONS: dict[str, _Translation] = {
    "sketch_eps": _bins,
    "silent": _quiet,
    "num_pairsample": _pairs,
}
