"""From a job's texts to typed and checked values, before any data is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from churn_daal.boosting.hyperparameters import library
from churn_daal.boosting.hyperparameters.reading import read
from churn_daal.boosting.hyperparameters.row import XGBOOST
from churn_daal.boosting.hyperparameters.rules import (
    TUNING,
    conflicts,
    toolkit_conflicts,
    without_effect,
)
from churn_daal.boosting.hyperparameters.table import ROWS
from churn_daal.boosting.hyperparameters.tuning import tuning_metric
from churn_daal.errors import UserError

# XGBoost's train function takes these beside its parameters, or `fit` sets them.
_NOT_PARAMETERS = frozenset({"num_round", "early_stopping_rounds", "verbosity", "nthread"})


@dataclass(frozen=True)
class Hyperparameters:
    """What the user asked for, and the defaults of what they did not.

    Attributes
    ----------
    booster
        XGBoost's parameters that were given, for `xgboost.train`; `seed` always. Its own
        defaults hold for the rest.
    notes
        Warnings for the log: what was given and has no effect or another name now.
    objective, num_class
        None where they are to be learned from the labels.
    eval_metric
        In the order printed; the last one decides early stopping. Empty for the objective's own.
    early_stopping_rounds
        None where training runs all its rounds.
    nthread
        None for every usable core.
    libsvm_indexing
        `auto`, `0` or `1`.
    kfold
        AWS's `_kfold`; None for no cross-validation.
    memory_budget_mb
        MiB; None for what the container's limit gives.
    threshold, threshold_rule
        `fixed`: the threshold holds. `f1`, `cost`: it is to be chosen on held-out rows.

    The others are the rows of the table that `fit` or the toolkit itself acts on.
    """

    booster: Mapping[str, Any] = field(default_factory=lambda: {"seed": 0})
    notes: tuple[str, ...] = ()
    objective: str | None = None
    num_class: int | None = None
    eval_metric: tuple[str, ...] = ()
    num_round: int = 100
    early_stopping_rounds: int | None = None
    seed: int = 0
    nthread: int | None = None
    verbosity: int = 1
    label: str | None = None
    weight: str | None = None
    csv_weights: bool = False
    group: str | None = None
    label_lower_bound: str | None = None
    label_upper_bound: str | None = None
    base_margin: tuple[str, ...] = ()
    id_columns: tuple[str, ...] = ()
    drop_columns: tuple[str, ...] = ()
    categorical_columns: tuple[str, ...] = ()
    header: str = "auto"
    delimiter: str = ","
    libsvm_indexing: str = "auto"
    category_encoding: str = "auto"
    max_onehot_categories: int = 64
    positive_label: str | None = None
    memory_budget_mb: int | None = None
    validation_fraction: float = 0.2
    kfold: int | None = None
    num_cv_round: int = 1
    threshold: float = 0.5
    threshold_rule: str = "fixed"
    cost_ratio: float = 1.0
    checkpoint_rounds: int = 10
    checkpoint_seconds: float = 60.0
    checkpoints_kept: int = 3


def parse(raw: Mapping[str, str], reserved: Mapping[str, str] | None = None) -> Hyperparameters:
    """Return the hyperparameters of a job.

    Parameters
    ----------
    raw
        Plain text by name, SageMaker's reserved names left out, as `contract.job` gives it.
    reserved
        SageMaker's own: a tuning job's metric among them is computed beside `eval_metric`.

    Raises
    ------
    UserError
        Names that are not known, values out of their range or that do not go together: all of
        them in one message, in the order given.
    """
    found = read(raw)
    values, faults, notes = found.values, found.faults, found.notes
    _add_tuning_metric(values, reserved or {}, faults, notes)
    faults.extend((*conflicts(values), *toolkit_conflicts(values)))
    if faults:
        raise UserError(" Also: ".join(faults))
    values, more = without_effect(values)
    booster = _booster(values) | found.passed
    refused = library.refusal(booster)
    if refused is not None:
        raise UserError(refused)
    return _assemble(values, booster, (*notes, *more))


def _add_tuning_metric(
    values: dict[str, Any], reserved: Mapping[str, str], faults: list[str], notes: list[str]
) -> None:
    try:
        metric, note = tuning_metric(reserved)
    except ValueError as error:
        faults.append(str(error))
        return
    notes.extend([note] if note else [])
    given = values.get("eval_metric", ())
    if metric is not None and metric not in given:
        # In front, since the last of the user's own decides early stopping.
        values["eval_metric"] = (metric, *given)
        values[TUNING] = metric


def _booster(values: Mapping[str, Any]) -> dict[str, Any]:
    return {"seed": 0} | {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in values.items()
        if name in ROWS and ROWS[name].owner == XGBOOST and name not in _NOT_PARAMETERS
    }


def _assemble(
    values: Mapping[str, Any], booster: Mapping[str, Any], notes: tuple[str, ...]
) -> Hyperparameters:
    # AWS's names for cross-validation begin with a line.
    own = {name.lstrip("_"): value for name, value in values.items()}
    own = {name: value for name, value in own.items() if name in _FIELDS}
    if isinstance(own.get("threshold"), str):
        own["threshold_rule"] = own.pop("threshold")
    return Hyperparameters(booster=booster, notes=notes, **own)


# `booster` is a row of the table and the name of the dict XGBoost gets.
_FIELDS = frozenset(Hyperparameters.__dataclass_fields__) - {"booster", "notes"}
