"""Gathers what the data-quality report tells of a channel, from the rows as they were read."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from churn_daal.cluster import World
from churn_daal.report.channel_quality import ChannelQuality
from churn_daal.report.host_state import merge_state, state_of
from churn_daal.tabular.columns import TextColumn
from churn_daal.tabular.roles import Roles
from churn_daal.tabular.schema import Schema
from churn_daal.tabular.sparse_features import SparseFeatures
from churn_daal.tabular.sparse_table import SparseTable
from churn_daal.tabular.table import Table
from churn_daal.tabular.target import Target

log = logging.getLogger(__name__)
# Wider sparse data would be dense rows, and a report of a page a column.
_WIDEST: Final = 2_000
_ROWS: Final = 4_096
MakeQuality = Callable[[], ChannelQuality | None]


def column_quality(
    table: Table,
    schema: Schema,
    roles: Roles,
    target: Target,
    y: NDArray[np.float32],
    *,
    train: bool,
) -> ChannelQuality:
    """Gather a channel whose format has columns.

    Parameters
    ----------
    table
        The channel as read.
    schema, roles, target
        What the train channel taught.
    y
        float32 (n,), the encoded labels in the order of the rows.
    train
        Whether it is the train channel, in which columns that tell the label are sought.
    """
    found = ChannelQuality(schema.columns, target.labels, target.task, seek_leaks=train)
    texts = [table.columns[position] for position in roles.features]
    distinct = [column.distinct if isinstance(column, TextColumn) else None for column in texts]
    places = {position: place for place, position in enumerate(table.store.positions)}
    order = [places[position] for position in roles.features]
    start = 0
    for piece in table.store.pieces():
        cells = []
        for place, words in zip(order, distinct, strict=True):
            raw = piece.column(place).to_numpy(zero_copy_only=False)
            cells.append(raw if words is None else (raw, words))
        found.add(cells, y[start : start + piece.num_rows])
        start += piece.num_rows
    for path, rows in zip(table.reader.files, table.rows_of, strict=True):
        # A host without files has a reader with a name that is none.
        if rows:
            found.add_file(path.name, rows)
    return found


def sparse_quality(
    table: SparseTable,
    features: SparseFeatures,
    schema: Schema,
    target: Target,
    *,
    train: bool,
) -> ChannelQuality | None:
    """Gather a channel whose features have no names; None where there are too many of them."""
    if schema.width > _WIDEST:
        log.info("no data-quality report: %d columns are more than %d", schema.width, _WIDEST)
        return None
    found = ChannelQuality(schema.columns, target.labels, target.task, seek_leaks=train)
    for start in range(0, len(features), _ROWS):
        rows = np.arange(start, min(start + _ROWS, len(features)))
        dense = features.dense(rows)
        found.add(list(np.ascontiguousarray(dense.T)), target.y[rows])
    for path, count in zip(table.table.reader.files, table.table.rows_of, strict=True):
        found.add_file(path.name, count)
    return found


def gather_quality(made_by: Mapping[str, MakeQuality], world: World) -> dict[str, ChannelQuality]:
    """Gather each channel, and add to it what the other hosts have seen of it."""
    found = {name: make() for name, make in sorted(made_by.items())}
    quality = {name: channel for name, channel in found.items() if channel is not None}
    if world.size == 1:
        return quality
    for name in sorted(quality):
        for host, state in enumerate(world.gather(state_of(quality[name]))):
            if host != world.rank:
                merge_state(quality[name], state)
    return quality
