"""What the columns beside the features have to agree on within a row or a query."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from churn_daal.tabular import cells
from churn_daal.tabular.table import Table

Vector = NDArray[np.float32]


def refuse_crossed_bounds(table: Table, position: int, lower: Vector, upper: Vector) -> None:
    """Refuse survival times that end before they begin, or at 0, whose logarithm is fitted.

    XGBoost learns nothing from such a row and says nothing.

    Parameters
    ----------
    table
        Names file and row.
    position
        The column of the upper bounds.
    lower, upper
        float32 (n,), in the order of the table's rows.

    Raises
    ------
    UserError
        Naming the first such row.
    """
    bad = (upper < lower) | (upper <= 0)
    if not bad.any():
        return
    index = int(np.argmax(bad))
    raise table.fault(
        f"a survival time from {lower[index]:g} to {upper[index]:g}; expected an upper bound "
        "above 0 and no less than the lower one, or an empty cell where there is none. Mend it, or "
        "exchange label_lower_bound and label_upper_bound",
        index=index,
        position=position,
    )


def refuse_uneven_weights(
    table: Table, position: int, group_position: int, group: NDArray[np.int64], weight: Vector
) -> None:
    """Refuse weights that differ within a ranking query: XGBoost weighs queries, not rows.

    Parameters
    ----------
    table
        Names file and row.
    position, group_position
        The columns of the weights and of the queries.
    group
        int64 (n,), the query of each row, in the order of the table's rows.
    weight
        float32 (n,), likewise.

    Raises
    ------
    UserError
        Naming the first row whose weight is not that of its query's first row.
    """
    _, first, codes = np.unique(group, return_index=True, return_inverse=True)
    bad = weight != weight[first[codes]]
    if not bad.any():
        return
    index = int(np.argmax(bad))
    query = cells.shown(table.cell(group_position, index))
    raise table.fault(
        f"weight {weight[index]:g}, but the first row of query {query} has "
        f"{weight[first[codes[index]]]:g}; in ranking a weight belongs to the query: give all its "
        "rows the same",
        index=index,
        position=position,
    )
