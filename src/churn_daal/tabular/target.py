"""Learns the classes from the label column, and turns labels into the numbers XGBoost fits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from churn_daal.errors import UserError
from churn_daal.tabular import cells
from churn_daal.tabular.classes import binary_classes, listed, multiclass_classes
from churn_daal.tabular.labels import Labels, as_class
from churn_daal.tabular.learn import distinct_cells, read_numbers, tally
from churn_daal.tabular.table import Table

Task = Literal["binary", "multiclass", "regression", "ranking", "survival"]
CLASSES: Final = frozenset({"binary", "multiclass"})
Vector = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Target:
    """What the label column means for one job.

    Attributes
    ----------
    task
        The kind of answer.
    labels
        The label's name and classes.
    y
        float32 (n,): class numbers for classification, values otherwise.
    """

    task: Task
    labels: Labels
    y: Vector


def learn_target(
    table: Table,
    position: int,
    *,
    task: Task | None,
    num_class: int | None = None,
    positive_label: str | None = None,
) -> Target:
    """Learn the classes of a training table's label column.

    Parameters
    ----------
    task
        As the objective says; None where none was given: numbers then mean regression, as
        XGBoost's own default objective does, two words binary, more words multiclass.
    num_class
        Of a `multi:*` objective; None to count the classes.
    positive_label
        For a binary objective, the class whose probability is answered; by default the
        second in sorted order (1 of 0 and 1, `yes` of no and yes, `True.` of False. and True.).

    Raises
    ------
    UserError
        A label is missing, is no number where one is needed, or the classes do not fit the
        objective; file and row are named where one is at fault.
    """
    name = table.name(position)
    _refuse_missing(table, position)
    if task is None:
        task = _guess_task(table, position)
    if positive_label is not None and task != "binary":
        raise UserError(
            f"hyperparameter positive_label={positive_label!r} goes with a binary objective only; "
            f"this job's task is {task}"
        )
    if task not in CLASSES:
        return Target(task, Labels(name), read_numbers(table, position))
    distinct, codes = distinct_cells(table, position)
    words = not all(map(cells.is_number, distinct))
    if not words and positive_label is None and (task == "binary" or num_class):
        # Of the distinct cells, which all hosts of a job share, and not of this one's rows.
        values = np.asarray(cells.numbers(distinct), dtype=np.float32)
        count = num_class or 2
        if not _out_of_range(values, task, count).any():
            return Target(task, Labels(name, tuple(range(count))), values[codes])
    classes = (
        binary_classes(table, distinct, positive_label)
        if task == "binary"
        else multiclass_classes(table, distinct, num_class)
    )
    numbers = {label: number for number, label in enumerate(classes)}
    coded = np.asarray([numbers[as_class(cell)] for cell in distinct], dtype=np.float32)
    return Target(task, Labels(name, classes), coded[codes])


def encode_target(table: Table, position: int, *, task: Task, labels: Labels) -> Vector:
    """Encode another table's labels by learned classes: float32 (n,).

    Raises
    ------
    UserError
        A label is missing, no number, or a class that training did not have.
    """
    _refuse_missing(table, position)
    if not labels.classes:
        return read_numbers(table, position)
    if labels.classes == tuple(range(len(labels.classes))):
        values = read_numbers(table, position)
        outside = _out_of_range(values, task, len(labels.classes))
        if outside.any():
            index = int(np.argmax(outside))
            came = cells.shown(table.cell(position, index))
            raise table.fault(
                f"label {came} is outside the train channel's classes, "
                f"{listed(labels.classes)}; mend the label or add such rows to train",
                index=index,
                position=position,
            )
        return values
    distinct, codes = distinct_cells(table, position)
    numbers = {label: number for number, label in enumerate(labels.classes)}
    for place, cell in enumerate(distinct):
        if as_class(cell) not in numbers:
            raise table.fault(
                f"label {cells.shown(cell)} is not a class of the train channel "
                f"({listed(labels.classes)}); mend the label or add such rows to train",
                index=int(tally(table, position)[1][place]),
                position=position,
            )
    coded = np.asarray([numbers[as_class(cell)] for cell in distinct], dtype=np.float32)
    return coded[codes]


def read_weights(table: Table, position: int) -> Vector:
    """Read the instance weights: float32 (n,), each 0 or more.

    Raises
    ------
    UserError
        A weight is missing, negative or no number; file and row are named.
    """
    weights = read_numbers(table, position)
    bad = ~(weights >= 0)
    if bad.any():
        index = int(np.argmax(bad))
        came = table.cell(position, index)
        raise table.fault(
            f"weight {cells.shown(came)} is not a number of 0 or more; mend it or leave "
            "the row out",
            index=index,
            position=position,
        )
    return weights


def read_bounds(table: Table, position: int, *, open_end: float) -> Vector:
    """Read one bound of survival times: float32 (n,), `open_end` where the cell is empty.

    Raises
    ------
    UserError
        A bound is negative or no number; file and row are named.
    """
    values = read_numbers(table, position)
    bounds = np.where(np.isnan(values), np.float32(open_end), values)
    if (bounds < 0).any():
        index = int(np.argmax(bounds < 0))
        raise table.fault(
            f"{cells.shown(table.cell(position, index))} is no survival time; expected a number of "
            "0 or more, or an empty cell where it has no bound",
            index=index,
            position=position,
        )
    return bounds


def _guess_task(table: Table, position: int) -> Task:
    """Tell the task of a label column by what it holds; refuse words among numbers."""
    if table.numbers(position) is not None:
        # No look at each distinct number: there may be as many as rows.
        return "regression"
    distinct, _ = distinct_cells(table, position)
    counts, first = tally(table, position)
    number = np.asarray([cells.is_number(cell) for cell in distinct], dtype=bool)
    if number.all():
        return "regression"
    if counts[number].sum() * 2 > counts.sum():
        word = int(np.argmax(~number))
        raise table.fault(
            f"label {cells.shown(distinct[word])} is not a number, but most labels are; mend it, "
            "or set objective=multi:softprob if it is a class of its own",
            index=int(first[word]),
            position=position,
        )
    return "binary" if len(distinct) <= 2 else "multiclass"


def _out_of_range(values: npt.NDArray[np.float32], task: Task, count: int) -> npt.NDArray[np.bool_]:
    """Mark labels that are no class number; of two classes, shares between them pass.

    XGBoost fits such shares with a binary objective as they are.
    """
    outside = (values < 0) | (values > count - 1)
    return outside if task == "binary" else outside | (values != np.floor(values))


def _refuse_missing(table: Table, position: int) -> None:
    plain = table.numbers(position)
    if plain is not None and not np.isnan(plain).any():
        return
    distinct, _ = distinct_cells(table, position)
    counts, first = tally(table, position)
    for place, cell in enumerate(distinct):
        if cell in cells.MISSING:
            raise table.fault(
                f"the label is missing; fill it in or leave the row out ({counts[place]} such "
                "row(s))",
                index=int(first[place]),
                position=position,
            )
