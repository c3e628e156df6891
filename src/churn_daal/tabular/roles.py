"""Which column is the label, the weight, an identifier, a feature."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal, Protocol

from churn_daal.errors import UserError


class Heading(Protocol):
    """What is known of a channel's columns before its rows are read."""

    @property
    def names(self) -> tuple[str, ...] | None:
        """Their names; None where the files have none."""
        ...

    @property
    def width(self) -> int:
        """How many there are."""
        ...


@dataclass(frozen=True)
class RoleNames:
    """Roles as hyperparameters give them: each column by header or by 0-based position.

    A negative position counts from the end, as in XGBoost's own `label_column`. A header
    that looks like a number wins over the position. Without `label` it is the first column,
    unless both bounds of a survival time are named: then there is none.
    """

    label: str | None = None
    weight: str | None = None
    group: str | None = None
    label_lower_bound: str | None = None
    label_upper_bound: str | None = None
    base_margin: tuple[str, ...] = ()
    id_columns: tuple[str, ...] = ()
    drop_columns: tuple[str, ...] = ()
    categorical_columns: tuple[str, ...] = ()
    category_encoding: Literal["auto", "onehot", "ordinal"] = "auto"
    max_onehot_categories: int = 64


@dataclass(frozen=True)
class Roles:
    """The same, resolved to 0-based positions in a table."""

    label: int | None
    weight: int | None
    group: int | None
    lower: int | None
    upper: int | None
    base_margin: tuple[int, ...]
    features: tuple[int, ...]
    others: tuple[int, ...]
    categorical: frozenset[int]
    category_encoding: Literal["auto", "onehot", "ordinal"]
    max_onehot_categories: int

    @property
    def numbers(self) -> tuple[int, ...]:
        """The columns beside the features that have to hold numbers."""
        single = (self.weight, self.lower, self.upper)
        return (*(p for p in single if p is not None), *self.base_margin)


def resolve(names: RoleNames, heading: Heading) -> Roles:
    """Find each role's column in a table.

    Raises
    ------
    UserError
        A column is not there, has two roles, or no feature is left.
    """
    taken: dict[int, str] = {}
    bounded = names.label_lower_bound is not None and names.label_upper_bound is not None
    label = None
    if names.label is not None or not bounded:
        # Position 0, and not a column that is named "0".
        label = 0 if names.label is None else _find(heading, "label", names.label)
        taken[label] = "label"

    def single(role: str, column: str | None) -> int | None:
        if column is None:
            return None
        return _take(taken, _find(heading, role, column), role, column)

    weight = single("weight", names.weight)
    group = single("group", names.group)
    lower = single("label_lower_bound", names.label_lower_bound)
    upper = single("label_upper_bound", names.label_upper_bound)
    margins = tuple(
        _take(taken, _find(heading, "base_margin", column), "base_margin", column)
        for column in names.base_margin
    )
    for role, listed in (("id_columns", names.id_columns), ("drop_columns", names.drop_columns)):
        for column in listed:
            _take(taken, _find(heading, role, column), role, column)
    categorical = frozenset(
        _find(heading, "categorical_columns", column) for column in names.categorical_columns
    )
    for position in categorical & taken.keys():
        raise UserError(
            f"hyperparameter categorical_columns: column {position} is the {taken[position]} "
            "already; name feature columns only"
        )
    features = tuple(p for p in range(heading.width) if p not in taken)
    if not features:
        raise UserError(
            f"no feature column is left of {heading.width}: the label, weight, id_columns "
            "and drop_columns take them all"
        )
    return Roles(
        label=label,
        weight=weight,
        group=group,
        lower=lower,
        upper=upper,
        base_margin=margins,
        features=features,
        others=tuple(sorted(taken)),
        categorical=categorical,
        category_encoding=names.category_encoding,
        max_onehot_categories=names.max_onehot_categories,
    )


def _take(taken: dict[int, str], position: int, role: str, column: str) -> int:
    held = taken.setdefault(position, role)
    if held != role:
        raise UserError(f"hyperparameter {role}: column {column!r} is the {held} already")
    return position


def _find(heading: Heading, role: str, column: str) -> int:
    names: Sequence[str] = heading.names or ()
    if column in names:
        return names.index(column)
    width = heading.width
    try:
        position = int(column)
    except ValueError:
        if not names:
            raise UserError(
                f"hyperparameter {role}: the column {column!r} is named, but the data has no "
                f"header; give its position, 0 to {width - 1}, or set header=present"
            ) from None
        near = get_close_matches(column, names, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        listed = ", ".join(repr(name) for name in names[:30])
        raise UserError(
            f"hyperparameter {role}: there is no column {column!r}.{hint} Columns: {listed}"
        ) from None
    if not -width <= position < width:
        raise UserError(
            f"hyperparameter {role}: position {position} is outside the {width} columns; "
            f"expected 0 to {width - 1}, or -{width} to -1 from the end"
        )
    return position % width
