"""What a run of boosting asks of the other hosts that train with it."""

from __future__ import annotations

from typing import Any, Protocol


class Peers(Protocol):
    """The hosts of one job; `cluster.World` is what they are.

    Every host makes the same calls in the same order.
    """

    @property
    def size(self) -> int:
        """Number of hosts."""
        ...

    def gather(self, value: Any) -> list[Any]:  # noqa: ANN401 - whatever JSON can hold
        """Return every host's value, in the order of the hosts, to every host."""
        ...

    def from_first(self, data: bytes | None) -> bytes | None:
        """Return the first host's bytes to every host; what the others hand in is not looked at."""
        ...


class Alone:
    """One host, by itself."""

    size = 1

    def gather(self, value: Any) -> list[Any]:  # noqa: ANN401 - whatever JSON can hold
        """Return the one value there is."""
        return [value]

    def from_first(self, data: bytes | None) -> bytes | None:
        """Return the bytes as they are."""
        return data
