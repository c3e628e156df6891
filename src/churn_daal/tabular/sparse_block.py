"""Rows of numeric features that have a place but no name: what libsvm and recordio hold.

Training and serving read both formats into this one form. NumPy alone, so that the server loads
no more for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from churn_daal.errors import SchemaError

Ints = NDArray[np.int64]
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class SparseBlock:
    """Some rows in compressed sparse row form; an absent entry is a missing value, not 0.

    Attributes
    ----------
    indptr
        int64 (n + 1,), where each row's entries start.
    values
        float32 (nnz,), the entries; NaN is missing.
    indices
        int64 (nnz,), their features as the input numbers them, ascending within a row; None where
        every row is dense.
    rows
        int64 (n,), where each row stands in the input, from 1: its line or its record.
    labels
        float64 (n,); None where they were not asked for.
    weights
        float32 (n,); None where the input has none.
    groups
        int64 (n,), the query (`qid`) of each row; None where the input has none.
    width
        How many features the input itself declares; None where it does not.
    """

    indptr: Ints
    values: Floats
    indices: Ints | None
    rows: Ints
    labels: NDArray[np.float64] | None = None
    weights: Floats | None = None
    groups: Ints | None = None
    width: int | None = None

    def __len__(self) -> int:
        return len(self.indptr) - 1

    def span(self) -> tuple[int, int] | None:
        """Return the lowest and the highest feature; None where there is none.

        A width that the input declares counts: its last feature may be missing in every row.
        """
        if self.width is not None:
            return (0, self.width - 1) if self.width else None
        if self.indices is None or not self.indices.size:
            return None
        return int(np.min(self.indices)), int(np.max(self.indices))

    def columns(self) -> Ints:
        """Return `indices`, made up where every row is dense."""
        if self.indices is not None:
            return self.indices
        return np.tile(np.arange(self.width or 0, dtype=np.int64), len(self))

    def part(self, start: int, stop: int) -> SparseBlock:
        """Return the features alone of the rows from `start` up to `stop`."""
        indptr = self.indptr[start : stop + 1]
        low, high = int(indptr[0]), int(indptr[-1])
        return SparseBlock(
            indptr - low,
            self.values[low:high],
            None if self.indices is None else self.indices[low:high],
            self.rows[start:stop],
            width=self.width,
        )

    def dense(self, width: int) -> Floats:
        """Return float32 (n, `width`), NaN where a row has no entry.

        Parameters
        ----------
        width
            More than the highest index, which `rebase` has made to count from 0.
        """
        if self.indices is None and self.width == width:
            return self.values.reshape(len(self), width)
        full = np.full((len(self), width), np.nan, dtype=np.float32)
        places = np.repeat(np.arange(len(self)), np.diff(self.indptr))
        full[places, self.columns()] = self.values
        return full


def concatenate(blocks: Sequence[SparseBlock]) -> SparseBlock:
    """Return the rows of one or more blocks with entries (`indices`) that agree in what they hold.

    Labels, weights and queries are in all of the blocks or in none.
    """
    if len(blocks) == 1:
        return blocks[0]
    ends = np.cumsum([len(block.values) for block in blocks])
    pointers = [
        block.indptr[1:] + (end - len(block.values))
        for block, end in zip(blocks, ends, strict=True)
    ]
    parts: dict[str, Any] = {}
    for name in ("values", "indices", "rows", "labels", "weights", "groups"):
        held = [getattr(block, name) for block in blocks]
        parts[name] = None if held[0] is None else np.concatenate(held)
    indptr = np.concatenate([np.zeros(1, dtype=np.int64), *pointers])
    return SparseBlock(indptr=indptr, width=blocks[0].width, **parts)


def index_base(indexing: str, lowest: int | None) -> int:
    """Return the number of the first feature, 0 or 1, for a model's whole life (docs/formats.md).

    Decided once, in training, and kept with the model: what a single file or request holds says
    nothing, since its first feature may be missing there.

    Parameters
    ----------
    indexing
        The hyperparameter `libsvm_indexing`: `auto`, `0` or `1`.
    lowest
        The lowest index of the whole train channel, over all hosts; None where it has none.
    """
    if indexing == "auto":
        return 0 if lowest == 0 else 1
    return int(indexing)


def rebase(block: SparseBlock, base: int, width: int | None = None) -> SparseBlock:
    """Return the block with features that count from 0.

    Parameters
    ----------
    block
        As read.
    base
        The number of the first feature, see `index_base`; 0 for recordio.
    width
        How many features the model has; None while training learns it.

    Raises
    ------
    SchemaError
        Naming the row: an index below `base`, or one the model does not have.
    """
    if width is not None and block.width is not None and block.width != width:
        raise SchemaError(
            f"{block.width} features, but the model has {width}; send every row with as many",
            row=int(block.rows[0]) if len(block) else None,
        )
    if block.indices is None:
        return block
    shifted = block.indices - base
    if (low := shifted < 0).any():
        index, row = _first_entry(block, low)
        raise SchemaError(
            f"index {index}, but features are numbered from {base} here; number them from {base} "
            "in every file and request, or train with libsvm_indexing=0 on such data",
            row=row,
        )
    if width is not None and (high := shifted >= width).any():
        index, row = _first_entry(block, high)
        raise SchemaError(
            f"index {index}, but the model has {width} feature(s), numbered from {base} to "
            f"{base + width - 1}; leave out features that the train channel does not have",
            row=row,
        )
    return replace(block, indices=shifted)


def sort_rows(indptr: Ints, indices: Ints, values: Floats) -> tuple[Ints, Floats, int | None]:
    """Return indices and values in ascending order within each row.

    Returns
    -------
    The indices, the values, and the 0-based row of the first index that a row repeats, if any.
    """
    places = np.repeat(np.arange(len(indptr) - 1), np.diff(indptr))
    if ((places[1:] == places[:-1]) & (indices[1:] < indices[:-1])).any():
        order = np.lexsort((indices, places))
        indices, values = indices[order], values[order]
    repeated = (places[1:] == places[:-1]) & (indices[1:] == indices[:-1])
    row = int(places[1:][repeated][0]) if repeated.any() else None
    return indices, values, row


def _first_entry(block: SparseBlock, bad: NDArray[np.bool_]) -> tuple[int, int]:
    """Return the index and the place in the input of the first bad entry."""
    entry = int(np.flatnonzero(bad)[0])
    row = int(np.searchsorted(block.indptr, entry, side="right")) - 1
    return int(block.columns()[entry]), int(block.rows[row])
