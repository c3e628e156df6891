"""From a host's name to its address, which may take minutes to be known when a job starts.

SageMaker starts the hosts of a job in no order, and a name resolves when its host is up (rule T4;
AWS's images wait 15 minutes, with growing pauses). XGBoost's tracker speaks IPv4 alone.
"""

from __future__ import annotations

import ipaddress
import logging
import socket
import time
from collections.abc import Iterator

from churn_daal.cluster.network import Network
from churn_daal.contract.signals import StopSignal
from churn_daal.errors import UserError

log = logging.getLogger(__name__)

FIRST_PAUSE = 0.2
LONGEST_PAUSE = 15.0
LOG_EVERY = 30.0


class AskedToStopError(UserError):
    """The job was asked to stop while this host waited for others; that is no fault of anyone's."""


def attempts(
    limit: float, stop: StopSignal, what: str, *, longest: float = LONGEST_PAUSE
) -> Iterator[float]:
    """Yield until `limit` seconds are over, each time after a longer pause: the seconds so far.

    Parameters
    ----------
    limit
        Seconds after which the last attempt is made.
    stop
        Asked all the while.
    what
        What is waited for, for the log: `host 'algo-2' to resolve`.
    longest
        Seconds that a pause does not grow beyond.

    Raises
    ------
    AskedToStopError
        The job is asked to stop: there is no model yet that could be saved.
    """
    start = time.monotonic()
    pause, logged = min(FIRST_PAUSE, longest), start
    yield 0.0
    while (waited := time.monotonic() - start) < limit:
        if time.monotonic() - logged >= LOG_EVERY:
            logged = time.monotonic()
            log.info("waiting for %s, %.0f of at most %.0f s", what, waited, limit)
        _sleep(min(pause, limit - waited), stop, what)
        pause = min(1.5 * pause, longest)
        yield time.monotonic() - start


def wait_for_address(host: str, network: Network, stop: StopSignal) -> str:
    """Return a host's IPv4 address as text, asking again until it is known.

    Raises
    ------
    UserError
        The name is none, does not resolve within `network.meet` seconds, or the job is asked to
        stop.
    """
    reason = ""
    for _ in attempts(network.meet, stop, f"the name of host {host!r} to resolve"):
        try:
            found = network.resolver(host, None, family=socket.AF_INET, type=socket.SOCK_STREAM)
        except OSError as error:
            reason = error.strerror or str(error)
        except UnicodeError as error:
            raise UserError(
                f"host {host!r} is not a host name ({error}); see 'hosts' in resourceconfig.json."
            ) from error
        else:
            return str(found[0][4][0])
    raise UserError(
        f"host {host!r} did not resolve to an IPv4 address within {network.meet:.0f} s "
        f"({reason}). See its log: it may not have started. Elsewhere than on SageMaker, "
        "start every host that resourceconfig.json lists, under that name, on one network."
    )


def own_address(host: str, other: str, network: Network, stop: StopSignal) -> str:
    """Return the IPv4 address under which `other` reaches this host.

    It is what the own name resolves to. Some systems put that name beside 127.0.1.1 in
    /etc/hosts; no other machine can use it, and the address that packets to the other one
    leave from is taken.

    Raises
    ------
    UserError
        A name does not resolve within `network.meet` seconds, or the job is asked to stop.
    """
    own = wait_for_address(host, network, stop)
    if not ipaddress.ip_address(own).is_loopback:
        return own
    peer = wait_for_address(other, network, stop)
    if ipaddress.ip_address(peer).is_loopback:
        return own
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        # Chooses the route; a datagram socket sends nothing here.
        probe.connect((peer, 9))
        return str(probe.getsockname()[0])


def _sleep(seconds: float, stop: StopSignal, what: str) -> None:
    end = time.monotonic() + seconds
    while True:
        if stop.requested:
            raise AskedToStopError(
                f"the job was asked to stop while it was waiting for {what}; no model was trained."
            )
        left = end - time.monotonic()
        if left <= 0:
            return
        time.sleep(min(0.2, left))
