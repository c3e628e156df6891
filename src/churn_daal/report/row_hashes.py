"""Rows that come twice, within a channel and across two, in fixed memory.

A row is a 64-bit hash of its cells. Past a limit of hashes only those of every second, fourth,
eighth ... hash value are kept, the same ones everywhere, and counts are scaled up.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]

LIMIT = 2**21
# An odd number of the golden ratio's digits (Knuth, The Art of Computer Programming 3, 6.4).
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)


class RowHashes:
    """The hashes of a channel's rows.

    Parameters
    ----------
    limit
        Hashes kept, 8 bytes each.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._parts: list[Hashes] = []
        self.halvings = 0

    @property
    def exact(self) -> bool:
        """Whether every row was kept."""
        return not self.halvings

    @property
    def held(self) -> Hashes:
        """The hashes kept, in the order in which they came."""
        return np.concatenate([np.empty(0, dtype=np.uint64), *self._parts])

    def add(self, hashes: Hashes) -> None:
        """Add rows by `hash_rows`."""
        self._parts.append(self._sampled(hashes))
        while sum(map(len, self._parts)) > self._limit:
            self.halvings += 1
            self._parts = [self._sampled(self.held)]

    def merge(self, other: RowHashes) -> None:
        """Add what another has seen."""
        self.halvings = max(self.halvings, other.halvings)
        self._parts = [self._sampled(self.held)]
        self.add(other.held)

    def repeated(self) -> int:
        """Return how many rows equal an earlier one."""
        held = self.held
        return (len(held) - len(np.unique(held))) << self.halvings

    def found_in(self, other: RowHashes) -> int:
        """Return how many of these rows the other channel has too."""
        halvings = max(self.halvings, other.halvings)
        held = self.held
        kept = held[_multiple(held, halvings)]
        return int(np.isin(kept, other.held).sum()) << halvings

    def _sampled(self, hashes: Hashes) -> Hashes:
        return hashes[_multiple(hashes, self.halvings)] if self.halvings else hashes


def hash_rows(columns: Sequence[NDArray[np.float32] | tuple[NDArray[np.int32], Hashes]]) -> Hashes:
    """Hash rows by the values of all their cells: uint64 (n,).

    Parameters
    ----------
    columns
        Numbers, of which every NaN counts alike, and 0 as -0; or codes with the hash of each
        distinct text, by `hash_texts`. A code below 0 is a missing cell.
    """
    rows = len(columns[0][0]) if isinstance(columns[0], tuple) else len(columns[0])
    found = np.zeros(rows, dtype=np.uint64)
    for column in columns:
        # A step of a multiplicative hash for each cell: the order of the columns counts.
        found ^= _cells(column)
        found *= _MULTIPLIER
        found ^= found >> np.uint64(29)
    return found * _MULTIPLIER


def hash_texts(texts: Sequence[str]) -> Hashes:
    """Hash each text, alike in every process."""
    digests = (blake2b(t.encode("utf-8", "replace"), digest_size=8).digest() for t in texts)
    return np.frombuffer(b"".join(digests), dtype="<u8").astype(np.uint64)


def _cells(
    column: NDArray[np.float32] | tuple[NDArray[np.int32], Hashes],
) -> Hashes | NDArray[np.uint32]:
    if isinstance(column, tuple):
        codes, texts = column
        return np.append(texts, np.uint64(0))[np.where(codes < 0, len(texts), codes)]
    numbers = column + np.float32(0)  # which makes 0 of -0
    numbers[np.isnan(numbers)] = np.nan
    return numbers.view(np.uint32)


def _multiple(hashes: Hashes, halvings: int) -> NDArray[np.bool_]:
    # By the high bits: a product's low ones depend on its factors' low ones alone.
    return np.asarray(hashes >> np.uint64(64 - halvings) == 0) if halvings else hashes >= 0
