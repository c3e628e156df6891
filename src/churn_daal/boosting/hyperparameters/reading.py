"""From a job's names and texts to today's names and typed values, with all that is wrong."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import xgboost

from churn_daal.boosting.hyperparameters import library
from churn_daal.boosting.hyperparameters.legacy import modern_text, modern_values
from churn_daal.boosting.hyperparameters.row import Hyperparameter
from churn_daal.boosting.hyperparameters.table import OTHER_NAMES, ROWS
from churn_daal.boosting.hyperparameters.updaters import resolved, updater_faults
from churn_daal.boosting.hyperparameters.values import PARSERS

_MAY_BE_EMPTY = frozenset({"columns"})
_SHOWN = 80


@dataclass
class Reading:
    """What was read.

    Attributes
    ----------
    values
        Typed, by the names of the table; those of earlier versions are translated.
    passed
        Text by name, of parameters that the table lacks and the installed XGBoost knows.
    notes
        Warnings for the log.
    faults
        What is wrong, in the order given.
    """

    values: dict[str, Any] = field(default_factory=dict)
    passed: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def read(raw: Mapping[str, str]) -> Reading:
    """Return each hyperparameter typed, checked by itself, and under today's name."""
    found = Reading()
    names: dict[str, str] = {}
    for name, text in raw.items():
        row = ROWS.get(name)
        if row is None:
            _read_other(found, name, text)
        elif row.name in names:
            found.faults.append(
                f"{names[row.name]!r} and {name!r} are one hyperparameter; give one."
            )
        else:
            names[row.name] = name
            _read_row(found, row, name, text)
    _translate(found)
    return found


def _read_other(found: Reading, name: str, text: str) -> None:
    if library.knows(name):
        fault = library.value_fault(name, text)
        if fault is not None:
            found.faults.append(
                f"hyperparameter {name!r} is {_shown(text)!r}; XGBoost {xgboost.__version__} "
                f"refuses it: {fault}."
            )
        found.passed[name] = text
        found.notes.append(f"{name}: handed to XGBoost {xgboost.__version__} as it is")
        return
    if name in library.MODEL_STATE and name not in OTHER_NAMES:
        found.faults.append(f"hyperparameter {name!r} is set by XGBoost itself; leave it out.")
        return
    near = difflib.get_close_matches(name.lower(), ROWS, n=1)
    guess = OTHER_NAMES.get(name) or (near[0] if near else None)
    hint = f"the nearest known is {guess!r}" if guess else "docs/hyperparameters.md lists all"
    found.faults.append(f"hyperparameter {name!r} is not known; {hint}.")


def _read_row(found: Reading, row: Hyperparameter, name: str, text: str) -> None:
    if not text and row.type not in _MAY_BE_EMPTY:
        found.faults.append(f"hyperparameter {name!r} is empty; leave it out for its default.")
        return
    modern, note = modern_text(row.name, text)
    if note is not None:
        found.notes.append(note)
    try:
        found.values[row.name] = PARSERS[row.type](row, modern)
    except ValueError as error:
        found.faults.append(f"hyperparameter {name!r} is {_shown(text)!r}; expected {error}.")


def _shown(text: str) -> str:
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "..."


def _translate(found: Reading) -> None:
    wrong = list(updater_faults(found.values))
    if wrong:
        found.faults.extend(wrong)
        found.values.pop("updater", None)
    found.values, note = resolved(found.values)
    if note is not None:
        found.notes.append(note)
    found.values, more = modern_values(found.values)
    found.notes.extend(more)
