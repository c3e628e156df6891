"""Features of a sparse channel as XGBoost takes them, absent entries absent."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from churn_daal.errors import SchemaError
from churn_daal.tabular.schema import Schema
from churn_daal.tabular.sparse_block import SparseBlock, rebase
from churn_daal.tabular.sparse_table import SparseTable

# Rows of a piece that are gathered from all over.
_ROWS: Final = 1 << 17


class SparseFeatures:
    """A sparse table's features; see `boosting.dataset.Features`.

    Raises
    ------
    UserError
        A row has a feature that the model does not; file and row are named.
    """

    def __init__(self, table: SparseTable, schema: Schema, *, declared: bool) -> None:
        self.width = schema.width
        base = 0 if declared else schema.index_base
        self._blocks = []
        start = 0
        for block in table.blocks:
            try:
                rebase(block, base, schema.width)
            except SchemaError as fault:
                index = start + int(np.argmax(block.rows == fault.row))
                raise table.table.fault(fault.reason, index=index) from None
            self._blocks.append((start, block))
            start += len(block)
        self._base, self._rows = base, start

    def __len__(self) -> int:
        return self._rows

    def batches(self, rows: NDArray[np.intp] | None = None) -> Iterator[Any]:
        """Yield SciPy CSR matrices, or arrays where every row is dense; all rows by default."""
        if rows is None:
            for _, block in self._blocks:
                yield self._piece(block)
        elif len(rows) < 2 or bool(np.all(rows[1:] > rows[:-1])):
            yield from self._rising(rows)
        else:
            for first in range(0, len(rows), _ROWS):
                chosen = rows[first : first + _ROWS]
                order = np.argsort(chosen, kind="stable")
                pieces = list(self._rising(chosen[order]))
                yield _stacked(pieces)[np.argsort(order, kind="stable")]

    def dense(self, rows: NDArray[np.intp] | None = None) -> NDArray[np.float32]:
        """Return float32 (n, width), C-contiguous, NaN missing; all rows by default."""
        full = np.full((self._rows if rows is None else len(rows), self.width), np.nan, np.float32)
        start = 0
        for piece in self.batches(rows):
            stop = start + piece.shape[0]
            if isinstance(piece, np.ndarray):
                full[start:stop] = piece
            else:
                places = np.repeat(np.arange(start, stop), np.diff(piece.indptr))
                full[places, piece.indices] = piece.data
            start = stop
        return full

    def _rising(self, rows: NDArray[np.intp]) -> Iterator[Any]:
        for start, block in self._blocks:
            low, high = np.searchsorted(rows, [start, start + len(block)])
            if high > low:
                yield self._piece(block)[rows[low:high] - start]

    def _piece(self, block: SparseBlock) -> Any:  # noqa: ANN401 - an array or a CSR matrix
        if block.indices is None:
            return block.dense(self.width)
        indices = (block.indices - self._base).astype(np.int32)
        shape = (len(block), self.width)
        return scipy.sparse.csr_matrix((block.values, indices, block.indptr), shape=shape)


def _stacked(pieces: list[Any]) -> Any:  # noqa: ANN401 - an array or a CSR matrix
    """Return pieces as one, what is absent absent and a 0 a 0."""
    if all(isinstance(piece, np.ndarray) for piece in pieces):
        return np.concatenate(pieces)
    return scipy.sparse.vstack([_sparse(piece) for piece in pieces], "csr")


def _sparse(piece: Any) -> scipy.sparse.csr_matrix:  # noqa: ANN401 - an array or a CSR matrix
    if not isinstance(piece, np.ndarray):
        return piece
    # Of an array SciPy would leave out the zeros.
    indices = np.tile(np.arange(piece.shape[1], dtype=np.int32), len(piece))
    indptr = np.arange(len(piece) + 1) * piece.shape[1]
    return scipy.sparse.csr_matrix((piece.ravel(), indices, indptr), shape=piece.shape)
