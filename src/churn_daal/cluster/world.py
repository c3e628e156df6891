"""What the hosts of a job tell each other while they train, over XGBoost's own collective.

Every host has to make the same calls in the same order, in the thread that entered `cluster`:
a call returns when all hosts have made it, however long one of them takes.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from xgboost import collective

from churn_daal.cluster.faults import EVERYWHERE
from churn_daal.errors import UserError

Places = NDArray[np.int64]
_NOTHING = np.zeros(0, np.uint8)
MAX_CHUNK = 16 * 2**20  # bytes a call; a bound on the copies that XGBoost makes


class World:
    """The hosts of the job and this one's place among them.

    Attributes
    ----------
    hosts
        All of them, in order.
    rank
        This host's place in them, from 0: also its rank in XGBoost's collective.
    """

    def __init__(self, hosts: Sequence[str], rank: int) -> None:
        self.hosts, self.rank = tuple(hosts), rank

    @property
    def size(self) -> int:
        """Number of hosts."""
        return len(self.hosts)

    @property
    def host(self) -> str:
        """The name of this host."""
        return self.hosts[self.rank]

    @property
    def is_first(self) -> bool:
        """Whether this is the host that writes the model."""
        return self.rank == 0

    def any(self, flag: bool) -> bool:  # noqa: FBT001 - it reads as the built-in
        """Return whether any host says yes: one small message around the ring."""
        if self.size == 1:
            return flag
        return bool(collective.allreduce(np.array([flag], np.uint8), collective.Op.MAX)[0])

    def gather(self, value: Any) -> list[Any]:  # noqa: ANN401 - whatever JSON can hold
        """Return every host's value, in the order of the hosts, to every host.

        Parameters
        ----------
        value
            What JSON can hold: lists come back as lists, tuples too, names of members as text.
        """
        parts = self._exchange(json.dumps(value).encode())
        return [json.loads(part) for part in parts]

    def from_first(self, data: bytes | None) -> bytes | None:
        """Return the first host's bytes to every host.

        Parameters
        ----------
        data
            None, where the first host has nothing. Not looked at on the other hosts.
        """
        if self.size == 1:
            return data
        # A byte in front tells nothing from no bytes.
        own = b"" if data is None or not self.is_first else b"1" + data
        sent = self._exchange(own)[0]
        return sent[1:] if sent else None

    def concatenate(self, rows: NDArray[Any]) -> NDArray[Any]:
        """Return every host's rows under each other, in the order of the hosts, to every host.

        Parameters
        ----------
        rows
            (n, ...), n its own on each host; dtype and the other axes as everywhere. Where n is
            0 these may be any: XGBoost 3.4 gives a host without rows predictions of no columns.

        Raises
        ------
        ValueError
            Another host's rows are of another dtype or width.
        """
        kind = self._kind(rows)
        everything, _ = self._sent(_as_bytes(rows), keep=True)
        return rows if kind is None else _as_rows(everything, kind)

    def to_first(self, rows: NDArray[Any]) -> NDArray[Any]:
        """Return every host's rows under each other, as `concatenate`, to the first host alone.

        The others get no rows, and hold no more than `MAX_CHUNK` bytes of them at a time.

        Raises
        ------
        ValueError
            Another host's rows are of another dtype or width.
        """
        if self.size == 1:
            return rows
        kind = self._kind(rows)
        everything, _ = self._sent(_as_bytes(rows), keep=self.is_first)
        return rows[:0] if kind is None else _as_rows(everything, kind)

    def agree(self, name: str, value: Any) -> None:  # noqa: ANN401 - whatever JSON can hold
        """Check that every host has the same value.

        Raises
        ------
        UserError
            One has another; on every host, with the hosts that differ from the first.
        """
        first, *others = (json.dumps(each, sort_keys=True) for each in self.gather(value))
        differing = [
            f"{host!r} has {_short(other)}"
            for host, other in zip(self.hosts[1:], others, strict=True)
            if other != first
        ]
        if differing:
            raise UserError(
                f"{EVERYWHERE}{name}: {self.hosts[0]!r} has {_short(first)}, "
                f"{', '.join(differing[:5])}. Every host's files have to be of one form."
            )

    def _exchange(self, own: bytes) -> list[bytes]:
        """Return every host's bytes to every host."""
        if self.size == 1:
            return [own]
        everything, ends = self._sent(np.frombuffer(own, np.uint8), keep=True)
        return [bytes(part) for part in np.split(everything, ends[:-1])]

    def _kind(self, rows: NDArray[Any]) -> list[Any] | None:
        """Return dtype and width of the hosts' rows; None where no host has any."""
        kinds = self.gather([rows.dtype.str, *rows.shape[1:]] if len(rows) else None)
        first: list[Any] | None = next((kind for kind in kinds if kind is not None), None)
        if any(kind not in (None, first) for kind in kinds):
            raise ValueError(
                f"rows of different kinds: {dict(zip(self.hosts, kinds, strict=True))}"
            )
        return first

    def _sent(self, own: NDArray[np.uint8], *, keep: bool) -> tuple[NDArray[np.uint8], Places]:
        """Send every host's bytes round; return all of them, or none, and where each part ends."""
        # XGBoost's broadcast would unpickle what comes; a sum with zeros carries bytes as well.
        lengths = np.zeros(self.size, np.int64)
        lengths[self.rank] = len(own)
        if self.size > 1:
            lengths = collective.allreduce(lengths, collective.Op.SUM)
        ends = np.cumsum(lengths)
        total, first = int(ends[-1]), int(ends[self.rank]) - len(own)
        everything = np.empty(total if keep else 0, np.uint8)
        for start in range(0, total, MAX_CHUNK):
            chunk = np.zeros(min(MAX_CHUNK, total - start), np.uint8)
            low, high = max(first, start), min(first + len(own), start + len(chunk))
            if low < high:
                chunk[low - start : high - start] = own[low - first : high - first]
            if self.size > 1:
                chunk = collective.allreduce(chunk, collective.Op.SUM)
            if keep:
                everything[start : start + len(chunk)] = chunk
        return everything, ends


def _as_bytes(rows: NDArray[Any]) -> NDArray[np.uint8]:
    # Of no rows the dtype may be any, and a view of no bytes has no width.
    return np.ascontiguousarray(rows).reshape(-1).view(np.uint8) if len(rows) else _NOTHING


def _as_rows(everything: NDArray[np.uint8], kind: list[Any]) -> NDArray[Any]:
    dtype, *axes = kind
    rows: NDArray[Any] = everything.view(dtype).reshape(-1, *axes)
    return rows


def _short(text: str) -> str:
    return text if len(text) <= 120 else f"{text[:117]}..."
