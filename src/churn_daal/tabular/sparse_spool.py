"""Blocks of sparse rows: in memory up to a budget, beyond it in a file on the local disk."""

from __future__ import annotations

import logging
import mmap
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from churn_daal.tabular.sparse_block import SparseBlock

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Place:
    """Where an array lies in a file of them."""

    offset: int
    size: int
    dtype: np.dtype[Any]

    def read(self, whole: mmap.mmap) -> NDArray[Any]:
        return np.frombuffer(whole, self.dtype, self.size, self.offset)


@dataclass(frozen=True)
class Kept:
    """A block, or what is left of it in memory and where its entries lie."""

    block: SparseBlock
    values: _Place | None = None
    indices: _Place | None = None

    def read(self, whole: mmap.mmap) -> SparseBlock:
        """Return the block, its entries read from the file when they are asked for."""
        if self.values is None:
            return self.block
        indices = None if self.indices is None else self.indices.read(whole)
        return replace(self.block, values=self.values.read(whole), indices=indices)


class Spool:
    """Keeps blocks in memory up to a budget, and the entries of later ones in one file.

    One, and mapped once: a process may have some thousand open files and tens of thousands of
    mappings, and a large channel has more blocks.

    Parameters
    ----------
    budget
        Bytes of memory for the entries; None for no limit.
    """

    def __init__(self, budget: int | None) -> None:
        self._left = budget
        self._file: Any = None
        self._end = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def keep(self, block: SparseBlock) -> Kept:
        """Return the block, its entries on the disk where they are over the budget."""
        if block.indices is not None:
            block = replace(block, indices=block.indices.astype(np.int32))
        size = block.values.nbytes + (0 if block.indices is None else block.indices.nbytes)
        if self._left is None or size <= self._left:
            self._left = None if self._left is None else self._left - size
            return Kept(block)
        values = self._to_disk(block.values)
        indices = None if block.indices is None else self._to_disk(block.indices)
        none = np.zeros(0, np.float32)
        return Kept(replace(block, values=none, indices=None), values, indices)

    def blocks(self, kept: Sequence[Kept]) -> list[SparseBlock]:
        """Return the blocks that were kept; nothing can be added any more."""
        if self._file is None:
            return [each.block for each in kept]
        self._file.flush()
        # The file has no name; the disk is free again when the last array is gone.
        whole = mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ)
        return [each.read(whole) for each in kept]

    def _to_disk(self, array: NDArray[Any]) -> _Place:
        if self._file is None:
            self._file = tempfile.TemporaryFile(prefix="churn-daal-")  # noqa: SIM115 - __exit__
            log.info(
                "over the memory budget: the data goes to the disk, in %s", tempfile.gettempdir()
            )
        place = _Place(self._end, array.size, array.dtype)
        self._file.write(np.ascontiguousarray(array).data)
        self._end += array.nbytes
        return place
