"""The job's hyperparameters: text in, typed and checked values out, before any data is read.

`python -m churn_daal.boosting.hyperparameters` prints the table as the documentation has it.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from churn_daal.boosting.hyperparameter_row import TOOLKIT, XGBOOST, Hyperparameter
from churn_daal.boosting.hyperparameter_rules import DART_ONLY, conflicts
from churn_daal.boosting.hyperparameter_table import HYPERPARAMETERS, LATER_NAMES, OTHER_NAMES
from churn_daal.boosting.hyperparameter_values import PARSERS
from churn_daal.errors import UserError

ROWS = {name: row for row in HYPERPARAMETERS for name in (row.name, *row.aliases)}
# XGBoost's train function takes these beside its parameters, or `fit` sets them.
_NOT_PARAMETERS = frozenset({"num_round", "early_stopping_rounds", "verbosity", "nthread"})
_LISTS = frozenset({"columns"})
_SHOWN = 80


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
    early_stopping_rounds
        None where training runs all its rounds.
    nthread
        None for every usable core.

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
    id_columns: tuple[str, ...] = ()
    drop_columns: tuple[str, ...] = ()
    categorical_columns: tuple[str, ...] = ()
    header: str = "auto"
    delimiter: str = ","
    category_encoding: str = "auto"
    max_onehot_categories: int = 64
    positive_label: str | None = None
    validation_fraction: float = 0.2
    threshold: float = 0.5


def parse(raw: Mapping[str, str]) -> Hyperparameters:
    """Return the hyperparameters of a job.

    Parameters
    ----------
    raw
        Plain text by name, SageMaker's reserved names left out, as `contract.job` gives it.

    Raises
    ------
    UserError
        Names that are not known, values out of their range or that do not go together: all of
        them in one message, in the order given.
    """
    values: dict[str, Any] = {}
    faults: list[str] = []
    names: dict[str, str] = {}
    for name, text in raw.items():
        row = ROWS.get(name)
        if row is None:
            faults.append(_unknown(name))
        elif row.name in names:
            faults.append(f"{names[row.name]!r} and {name!r} are one hyperparameter; give one.")
        else:
            names[row.name] = name
            _read(row, name, text, values, faults)
    faults.extend(conflicts(values))
    if faults:
        raise UserError(" Also: ".join(faults))
    return _assemble(values)


def document() -> str:
    """Return the table in Markdown, as docs/hyperparameters.md has it."""
    parts = [
        "### XGBoost's\n",
        *_table(row for row in HYPERPARAMETERS if row.owner == XGBOOST),
        "\n### The toolkit's own\n",
        *_table(row for row in HYPERPARAMETERS if row.owner == TOOLKIT),
    ]
    return "\n".join(parts) + "\n"


def _read(
    row: Hyperparameter, name: str, text: str, values: dict[str, Any], faults: list[str]
) -> None:
    shown = text if len(text) <= _SHOWN else text[:_SHOWN] + "..."
    if not text and row.type not in _LISTS:
        faults.append(f"hyperparameter {name!r} is empty; leave it out for its default.")
        return
    try:
        values[row.name] = PARSERS[row.type](row, text)
    except ValueError as error:
        faults.append(f"hyperparameter {name!r} is {shown!r}; expected {error}.")


def _unknown(name: str) -> str:
    if name in LATER_NAMES:
        return f"hyperparameter {name!r} is not in this release; leave it out."
    near = difflib.get_close_matches(name.lower(), ROWS, n=1)
    guess = OTHER_NAMES.get(name) or (near[0] if near else None)
    hint = f"the nearest known is {guess!r}" if guess else "docs/hyperparameters.md lists all"
    return f"hyperparameter {name!r} is not known; {hint}."


def _assemble(values: dict[str, Any]) -> Hyperparameters:
    notes = []
    idle = [name for name in DART_ONLY if name in values]
    if values.get("booster", "gbtree") != "dart" and idle:
        # XGBoost before 3.4 ignores them there, later ones drop trees: one meaning for both.
        notes.append(f"{', '.join(idle)}: without effect, since booster is not dart")
        values = {name: value for name, value in values.items() if name not in idle}
    if values.get("objective") == "reg:linear":
        notes.append("objective reg:linear is the old name of reg:squarederror")
        values["objective"] = "reg:squarederror"
    booster = {"seed": 0} | {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in values.items()
        if ROWS[name].owner == XGBOOST and name not in _NOT_PARAMETERS
    }
    own = {name: value for name, value in values.items() if name in _FIELDS}
    return Hyperparameters(booster=booster, notes=tuple(notes), **own)


def _table(rows: Iterable[Hyperparameter]) -> Iterable[str]:
    yield "| Name | Type | Default | Range | Meaning |"
    yield "|---|---|---|---|---|"
    for row in rows:
        names = ", ".join(f"`{name}`" for name in (row.name, *row.aliases))
        default = "" if row.default is None else f"`{_plain(row.default)}`"
        yield f"| {names} | {row.type} | {default} | {row.span} | {row.help} |"


def _plain(value: object) -> str:
    return str(int(value)) if isinstance(value, bool) else str(value)


# `booster` is a row of the table and the name of the dict XGBoost gets.
_FIELDS = frozenset(Hyperparameters.__dataclass_fields__) - {"booster", "notes"}

if __name__ == "__main__":
    print(document(), end="")
