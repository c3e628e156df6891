"""What goes with each row beside its features: label, query, base margin."""

from __future__ import annotations

import hashlib
from typing import cast

import numpy as np
from numpy.typing import NDArray

from churn_daal.boosting.dataset import Dataset
from churn_daal.boosting.hyperparameters import Hyperparameters
from churn_daal.tabular import cells
from churn_daal.tabular.labels import Labels
from churn_daal.tabular.learn import distinct_cells, read_numbers
from churn_daal.tabular.roles import Roles
from churn_daal.tabular.table import Table
from churn_daal.tabular.target import Target, Task, learn_target, read_bounds


def learn_label(table: Table, roles: Roles, task: Task | None, hp: Hyperparameters) -> Target:
    """Learn what the label means; the lower bound stands for it where there is none.

    Raises
    ------
    UserError
        The labels do not fit the objective.
    """
    if roles.label is None:
        y = read_bounds(table, cast("int", roles.lower), open_end=0.0)
        return Target("survival", Labels(None), y)
    return learn_target(
        table,
        roles.label,
        task=task,
        num_class=hp.num_class,
        positive_label=hp.positive_label,
    )


def side_by_side(data: Dataset, group: NDArray[np.int64]) -> Dataset:
    """Return a dataset whose queries each stand in one run of rows, in order of first place."""
    changes = int(np.count_nonzero(group[1:] != group[:-1])) + 1
    if changes == len(np.unique(group)):
        return data
    _, first, codes = np.unique(group, return_index=True, return_inverse=True)
    return data.take(np.argsort(first[codes], kind="stable"))


def queries(table: Table, position: int, *, several: bool = False) -> NDArray[np.int64]:
    """Return a number for the query of each row: int64 (n,).

    Parameters
    ----------
    table
        The rows.
    position
        The column with the query.
    several
        Whether the number has to be the same on each of several hosts, which know each other's
        queries not: it is then 63 bits of a hash of the cell.

    Raises
    ------
    UserError
        A row has none; file and row are named.
    """
    distinct, codes = distinct_cells(table, position)
    absent = [code for code, cell in enumerate(distinct) if cell in cells.MISSING]
    # The distinct cells may be those of other hosts too.
    at_fault = np.isin(codes, absent)
    if at_fault.any():
        index = int(np.argmax(at_fault))
        raise table.fault(
            "the query of the row is missing; fill it in or leave the row out",
            index=index,
            position=position,
        )
    if not several:
        return codes.astype(np.int64)
    return np.array([_number(cell) for cell in distinct], np.int64)[codes]


def _number(cell: str) -> int:
    digest = hashlib.blake2b(cell.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


def margins(table: Table, roles: Roles) -> NDArray[np.float32] | None:
    """Return where each row's margin starts: float32 (n,) or (n, K); None without such columns.

    Raises
    ------
    UserError
        One is missing; file and row are named.
    """
    if not roles.base_margin:
        return None
    columns = []
    for position in roles.base_margin:
        values = read_numbers(table, position)
        if np.isnan(values).any():
            raise table.fault(
                "the base margin is missing; fill it in (0 adds nothing) or leave the row out",
                index=int(np.argmax(np.isnan(values))),
                position=position,
            )
        columns.append(values)
    return columns[0] if len(columns) == 1 else np.stack(columns, axis=1)
