"""A name is asked for until it resolves, within limits."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest

from churn_daal.cluster import addresses
from churn_daal.cluster.addresses import (
    AskedToStopError,
    attempts,
    own_address,
    wait_for_address,
)
from churn_daal.cluster.network import Network
from churn_daal.contract.signals import StopSignal
from churn_daal.errors import UserError


def table(**known: str) -> Callable[..., list[Any]]:
    """Return a resolver that knows these names."""

    def resolve(host: str, *_args: object, **_options: object) -> list[Any]:
        name = host.replace("-", "_")
        if name not in known:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (known[name], 0))]

    return resolve


def test_a_real_name_resolves() -> None:
    """The default resolver is the system's."""
    assert wait_for_address("127.0.0.3", Network(), StopSignal()) == "127.0.0.3"


@pytest.mark.parametrize(
    ("host", "reason"),
    [
        ("algo-7", "host 'algo-7' did not resolve to an IPv4 address within 0 s"),
        ("algo..7", r"host 'algo\.\.7' is not a host name"),
        ("::1", "host '::1' did not resolve to an IPv4 address"),
    ],
)
def test_a_name_that_never_resolves_is_named(host: str, reason: str) -> None:
    """The message says which host, and for how long it was waited for."""
    known = {} if host != "algo-7" else {"resolver": table()}

    with pytest.raises(UserError, match=reason):
        wait_for_address(host, Network(meet=0.0, **known), StopSignal())


def test_a_stop_ends_the_wait() -> None:
    """Who asked to stop does not wait for a name."""
    stop = StopSignal()
    stop.request()

    with pytest.raises(AskedToStopError, match="waiting for the name of host"):
        wait_for_address("algo-7", Network(resolver=table()), stop)


@pytest.mark.parametrize(
    ("own", "other", "expected"),
    [
        # A job on one machine.
        ("127.0.0.1", "127.0.0.2", "127.0.0.1"),
        ("10.0.1.5", "10.0.1.6", "10.0.1.5"),
    ],
)
def test_the_own_name_gives_the_address(own: str, other: str, expected: str) -> None:
    """What the name resolves to is where the host listens."""
    network = Network(resolver=table(algo_1=own, algo_2=other))

    assert own_address("algo-1", "algo-2", network, StopSignal()) == expected


def test_a_loopback_name_gives_way_to_the_route() -> None:
    """A host whose own name is 127.0.1.1 is reached at the address that leads to the others."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("203.0.113.9", 9))
        except OSError:
            pytest.skip("this machine has no route to any other")
        outward = probe.getsockname()[0]
    network = Network(resolver=table(algo_1="127.0.1.1", algo_2="203.0.113.9"))

    assert own_address("algo-1", "algo-2", network, StopSignal()) == outward


def test_long_waits_show_in_the_log(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pauses grow up to a limit, and now and then a line says what is waited for."""
    clock = [0.0]
    monkeypatch.setattr(
        addresses,
        "time",
        SimpleNamespace(
            monotonic=lambda: clock[0],
            sleep=lambda seconds: clock.__setitem__(0, clock[0] + seconds),
        ),
    )
    with caplog.at_level(logging.INFO):
        times = list(attempts(100.0, StopSignal(), "a name"))

    pauses = [after - before for before, after in pairwise(times)]
    assert times[-1] == pytest.approx(100.0)
    assert pauses[:-1] == sorted(pauses[:-1])
    assert max(pauses) == pytest.approx(addresses.LONGEST_PAUSE)
    lines = [record.getMessage() for record in caplog.records]
    assert 2 <= len(lines) <= 4
    assert all(line.startswith("waiting for a name, ") for line in lines)
