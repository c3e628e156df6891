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
        kinds = self.gather([rows.dtype.str, *rows.shape[1:]] if len(rows) else None)
        parts = self._exchange(np.ascontiguousarray(rows).tobytes() if len(rows) else b"")
        first = next((kind for kind in kinds if kind is not None), None)
        if first is None:
            return rows
        if any(kind not in (None, first) for kind in kinds):
            raise ValueError(
                f"rows of different kinds: {dict(zip(self.hosts, kinds, strict=True))}"
            )
        dtype, *axes = first
        return np.frombuffer(bytearray().join(parts), dtype).reshape(-1, *axes)

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
        # XGBoost's broadcast would unpickle what comes; a sum with zeros carries bytes as well.
        lengths = np.zeros(self.size, np.int64)
        lengths[self.rank] = len(own)
        lengths = collective.allreduce(lengths, collective.Op.SUM)
        ends = np.cumsum(lengths)
        everything = np.zeros(int(ends[-1]), np.uint8)
        everything[ends[self.rank] - len(own) : ends[self.rank]] = np.frombuffer(own, np.uint8)
        for start in range(0, len(everything), MAX_CHUNK):
            chunk = slice(start, start + MAX_CHUNK)
            everything[chunk] = collective.allreduce(everything[chunk], collective.Op.SUM)
        return [bytes(part) for part in np.split(everything, ends[:-1])]


def _short(text: str) -> str:
    return text if len(text) <= 120 else f"{text[:117]}..."
