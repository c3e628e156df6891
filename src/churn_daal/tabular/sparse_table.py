"""Training rows of libsvm and recordio files: numeric features that have a place but no name.

Absent entries stay absent, so that a wide and sparse channel takes no more memory than it has
values; beyond the budget they lie in a file on the local disk.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from churn_daal.errors import UserError
from churn_daal.tabular.batch import Batch, Source
from churn_daal.tabular.columns import NumberColumn, TextColumn
from churn_daal.tabular.learn import distinct_cells, tally
from churn_daal.tabular.schema import Column, Schema
from churn_daal.tabular.sparse_block import SparseBlock, index_base
from churn_daal.tabular.sparse_spool import Kept, Spool
from churn_daal.tabular.store import Store
from churn_daal.tabular.table import Table

log = logging.getLogger(__name__)
BlockReader = Callable[[Path], Iterator[SparseBlock]]
LABEL: Final = 0


@dataclass(frozen=True)
class SparseTable:
    """What was read of a channel.

    Attributes
    ----------
    table
        The labels, as a table's column 0 that is kept.
    blocks
        The rows, indices as written.
    weights
        float32 (n,); None where the files have none.
    groups
        int64 (n,), the query of each row; None where the files have none.
    lowest, highest
        Of the indices; None where every row is empty.
    """

    table: Table
    blocks: tuple[SparseBlock, ...]
    weights: NDArray[np.float32] | None
    groups: NDArray[np.int64] | None
    lowest: int | None
    highest: int | None


def label_as_text(table: Table) -> Table:
    """Return a table whose label is a column of texts, as classes are learned from."""
    distinct, codes = distinct_cells(table, LABEL)
    counts, first = tally(table, LABEL)
    texts = TextColumn.of(distinct, counts, first)
    return replace(table, columns={LABEL: texts}, kept={LABEL: codes})


class _Places:
    """Where rows came from, as `Table` asks for it."""

    names: tuple[str, ...] | None = None
    width = 1
    categorical: frozenset[int] = frozenset()
    delimiter = ","

    def __init__(self, files: Sequence[Path], lines: Sequence[NDArray[np.int64]]) -> None:
        self.files, self._lines = tuple(files), tuple(lines)

    def batches(self, _wanted: object, _text: object) -> Iterator[Batch]:
        """Yield nothing: the rows are read already."""
        yield from ()

    def source(self, file: int) -> Source:
        """Return the file."""
        return Source(self.files[file], header=False, order=(LABEL,))

    def line(self, file: int, index: int) -> int:
        """Return the line or the record of a row."""
        return int(self._lines[file][index])


def read_sparse(
    files: Sequence[Path],
    read: BlockReader,
    *,
    budget: int | None = None,
    check: Callable[[], None] = lambda: None,
    may_be_empty: bool = False,
) -> SparseTable:
    """Read a channel's files.

    Parameters
    ----------
    files
        In the order of the rows.
    read
        Gives a file's blocks.
    budget
        Bytes of memory for the entries; beyond them they go to the disk.
    check
        Called between two blocks; what it raises ends the reading.
    may_be_empty
        Whether there need not be any rows, as on one of several hosts.

    Raises
    ------
    UserError
        A file is not what its type says, or only some rows have weights or queries; file and
        row are named.
    """
    kept: list[Kept] = []
    lines: list[NDArray[np.int64]] = []
    with Spool(budget) as spool:
        for path in files:
            own = []
            for block in read(path):
                check()
                own.append(spool.keep(block))
            kept += own
            rows_of = [each.block.rows for each in own]
            lines.append(np.concatenate([np.zeros(0, np.int64), *rows_of]))
        blocks = spool.blocks(kept)
    if not sum(map(len, blocks)) and not may_be_empty:
        raise UserError(f"{files[0].name}: no rows")
    spans = [span for span in (block.span() for block in blocks) if span]
    labels = np.concatenate([np.zeros(0, np.float64), *map(_labels, blocks)])
    rows = Store(())
    rows.add({}, len(labels))
    log.info("read %d rows from %d file(s)", len(labels), len(files))
    return SparseTable(
        table=Table(
            _Places(files, lines),
            {LABEL: NumberColumn()},
            {LABEL: labels},
            rows,
            tuple(map(len, lines)),
        ),
        blocks=tuple(blocks),
        weights=_all_or_none(blocks, "weights", files),
        groups=_all_or_none(blocks, "groups", files),
        lowest=min((low for low, _ in spans), default=None),
        highest=max((high for _, high in spans), default=None),
    )


def sparse_schema(
    lowest: int | None, highest: int | None, *, indexing: str, declared: bool
) -> Schema:
    """Return the features of a train channel: `f0`, `f1`, ..., all numbers.

    Parameters
    ----------
    lowest, highest
        Of the channel's indices, over all hosts; None where every row is empty.
    indexing
        The hyperparameter `libsvm_indexing`.
    declared
        Whether the format itself counts features from 0, as recordio does.

    Raises
    ------
    UserError
        No row has a feature, or one lies below the first that `indexing` allows.
    """
    if highest is None:
        raise UserError("every row of the train channel is empty; there is nothing to learn from")
    base = 0 if declared else index_base(indexing, lowest)
    width = highest - base + 1
    columns = tuple(Column(f"f{place}", "number") for place in range(width))
    return Schema(columns, index_base=base)


def _labels(block: SparseBlock) -> NDArray[np.float64]:
    assert block.labels is not None  # noqa: S101 - the readers of training ask for them
    return block.labels


def _all_or_none(blocks: Sequence[SparseBlock], name: str, files: Sequence[Path]) -> Any:  # noqa: ANN401
    """Return the rows' weights or queries, which all blocks have or none."""
    parts = [getattr(block, name) for block in blocks if len(block)]
    if all(part is None for part in parts):
        return None
    if any(part is None for part in parts):
        raise UserError(f"{files[0].name} and the files beside it: only some rows have {name}")
    return np.concatenate(parts)
