"""What the hosts' network is like: ports, waiting times, and where names come from."""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Resolver = Callable[..., list[Any]]


@dataclass(frozen=True)
class Network:
    """Ports on the first host, seconds to wait, and the resolver of names.

    Attributes
    ----------
    channel_port
        Where the first host listens for the others.
    tracker_port
        Where XGBoost's tracker listens on it, 9099 as in AWS's image; 0 takes a free one. The
        connections among XGBoost's hosts use any free ports of theirs.
    meet
        How long to wait for the other hosts at the start; AWS's images give a name 15 minutes.
    silence
        After how long without a sign of life a host counts as lost.
    beat
        Between two signs of life.
    linger
        How long a host that ends waits for the others to have heard why.
    resolver
        As `socket.getaddrinfo`.
    """

    channel_port: int = 9098
    tracker_port: int = 9099
    meet: float = 900.0
    silence: float = 30.0
    beat: float = 1.0
    linger: float = 3.0
    resolver: Resolver = socket.getaddrinfo
