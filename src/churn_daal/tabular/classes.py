"""Which classes a label column holds, in the order of XGBoost's class numbers."""

from __future__ import annotations

from churn_daal.errors import UserError
from churn_daal.tabular import cells
from churn_daal.tabular.labels import Class, as_class
from churn_daal.tabular.table import Table

_LISTED = 10


def binary_classes(table: Table, distinct: list[str], positive: str | None) -> tuple[Class, Class]:
    """Return (negative, positive) of a label column's distinct cells.

    Parameters
    ----------
    table
        Names the file in a fault.
    distinct
        The trimmed cells.
    positive
        The class to come second; None for the sorted order.

    Raises
    ------
    UserError
        There are not two classes, or `positive` is none of them.
    """
    classes = _sorted({as_class(cell) for cell in distinct})
    if len(classes) != 2:
        remedy = (
            "use objective multi:softprob"
            if len(classes) > 2
            else "the training data needs rows of both classes"
        )
        raise table.fault(
            f"a binary objective needs a label of two classes, but it has {len(classes)}: "
            f"{listed(classes)}; {remedy}, or name another label column"
        )
    if positive is None:
        return classes[0], classes[1]
    wanted = as_class(positive.strip(cells.WHITESPACE))
    if wanted not in classes:
        raise UserError(
            f"hyperparameter positive_label={positive!r} is not one of the label's classes: "
            f"{listed(classes)}"
        )
    other = classes[0] if classes[1] == wanted else classes[1]
    return other, wanted


def multiclass_classes(
    table: Table, distinct: list[str], num_class: int | None
) -> tuple[Class, ...]:
    """Return the sorted classes of a label column's distinct cells.

    Raises
    ------
    UserError
        There are fewer than two, or not `num_class`.
    """
    classes = _sorted({as_class(cell) for cell in distinct})
    if num_class is not None and num_class != len(classes):
        raise table.fault(
            f"num_class={num_class}, but the label has {len(classes)} classes: "
            f"{listed(classes)}; leave num_class out to count them"
        )
    if len(classes) < 2:
        raise table.fault(
            f"a multi:* objective needs a label of two classes or more, but it has "
            f"{listed(classes)} alone"
        )
    return tuple(classes)


def _sorted(classes: set[Class]) -> list[Class]:
    words = [label for label in classes if isinstance(label, str)]
    # Numbers and words together sort as text.
    return sorted(classes, key=str) if words else sorted(classes)


def listed(classes: tuple[Class, ...] | list[Class]) -> str:
    """Return classes for a message, ten at the most."""
    text = ", ".join(repr(label) for label in classes[:_LISTED])
    return text if len(classes) <= _LISTED else f"{text}, ... ({len(classes)} in all)"
