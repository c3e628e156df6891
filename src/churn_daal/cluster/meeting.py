"""How the hosts of a job find each other, start XGBoost's collective, and part."""

from __future__ import annotations

import atexit
import logging
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout, suppress
from dataclasses import dataclass
from typing import NoReturn

from xgboost import collective
from xgboost.core import XGBoostError
from xgboost.tracker import RabitTracker

from churn_daal.cluster.addresses import own_address, wait_for_address
from churn_daal.cluster.channel import Channel
from churn_daal.cluster.faults import blames_a_peer, peer_error
from churn_daal.cluster.hub import Hub
from churn_daal.cluster.member import Member
from churn_daal.cluster.network import Network
from churn_daal.cluster.world import World
from churn_daal.contract.failure import describe
from churn_daal.contract.signals import StopSignal
from churn_daal.errors import AlgorithmError, ChurnDaalError

log = logging.getLogger(__name__)

# A host may read its data for hours while the others wait inside XGBoost; who is lost is found
# out by the channel. In milliseconds this has to fit 32 bits.
COLLECTIVE_TIMEOUT = 7 * 86_400
# Trackers that XGBoost must not be asked to tear down any more.
_abandoned: list[RabitTracker | None] = []


DEFAULT_NETWORK = Network()


@contextmanager
def cluster(
    hosts: Sequence[str],
    current_host: str,
    *,
    stop: StopSignal,
    on_failure: Callable[[ChurnDaalError], None],
    network: Network = DEFAULT_NETWORK,
) -> Iterator[World]:
    """Train as one with the job's other hosts for the length of a `with` block.

    The block starts when all hosts are there and ends when all are at its end. An error that
    leaves the block on one host ends the job on every other one: `on_failure` is called there with
    an error of the same class that names the host, then the process ends with exit code 1, from
    whatever it is doing. So does a host that is lost: killed, or silent for `network.silence`
    seconds. One host is a world of one without any network.

    Parameters
    ----------
    hosts
        All hosts of the job, in the same order on each; the first is the one they meet at.
    current_host
        This one.
    stop
        Ends the wait for the others. After that, ask `world.any(stop.requested)`.
    on_failure
        Writes down why this host ends; called in another thread, and not for the host's own error.
    network
        Ports and waiting times.

    Raises
    ------
    UserError
        A host's name does not resolve or it does not come within `network.meet` seconds; the job
        is asked to stop before.
    AlgorithmError
        A port cannot be listened on.
    """
    if len(hosts) == 1:
        yield World(hosts, 0)
        return
    meeting = _Meeting(tuple(hosts), current_host, stop, on_failure, network)
    try:
        yield meeting.join()
        meeting.leave()
    except BaseException as error:
        meeting.break_off(error)
        raise


@dataclass
class _Meeting:
    """What several hosts need of each other, piece by piece as it comes to be."""

    hosts: tuple[str, ...]
    me: str
    stop: StopSignal
    on_failure: Callable[[ChurnDaalError], None]
    network: Network
    channel: Channel | None = None
    tracker: RabitTracker | None = None

    def join(self) -> World:
        """Find the others, and make XGBoost's collective with them."""
        rank = self.hosts.index(self.me)
        address, port = self._meet_as_first() if rank == 0 else self._meet()
        # XGBoost prints its greetings, and stdout is for the metrics (rule T16).
        with redirect_stdout(sys.stderr):
            collective.init(
                dmlc_tracker_uri=address,
                dmlc_tracker_port=port,
                # Sorted as text by the tracker: the rank is the place among the hosts.
                dmlc_task_id=f"{rank:08d}",
                dmlc_timeout=COLLECTIVE_TIMEOUT,
            )
        world = World(self.hosts, collective.get_rank())
        if (world.rank, collective.get_world_size()) != (rank, len(self.hosts)):
            raise AlgorithmError(
                f"XGBoost gave {self.me!r} rank {world.rank} of {collective.get_world_size()}; "
                f"expected {rank} of {len(self.hosts)}."
            )
        log.info("host %s is number %d of %d", self.me, rank + 1, world.size)
        return world

    def leave(self) -> None:
        """Part from the others in peace."""
        collective.finalize()
        if self.channel is not None:
            self.channel.leave()
        if self.tracker is not None:
            self.tracker.wait_for()

    def break_off(self, error: BaseException) -> None:
        """Tell the others of this host's failure, and keep XGBoost from tidying up after it."""
        if self.channel is not None:
            if blames_a_peer(error):
                self.channel.await_fault()
            self.channel.tell_failure(describe(error))
        if collective.is_distributed() or self.tracker is not None:
            _abandoned.append(self.tracker)
            # Torn down while its peers are gone, XGBoost's communicator waits or crashes.
            atexit.register(_end)

    def _meet_as_first(self) -> tuple[str, int]:
        """Wait for all others; return where XGBoost's tracker listens."""
        address = own_address(self.hosts[0], self.hosts[1], self.network, self.stop)
        hub = Hub(self.hosts, address, self.network, on_fault=self._note, end=_end)
        self.channel = hub
        hub.start()
        hub.wait_for_all(self.stop)
        try:
            self.tracker = RabitTracker(
                len(self.hosts), address, self.network.tracker_port, sortby="task"
            )
            self.tracker.start()
        except XGBoostError as error:
            raise AlgorithmError(
                f"XGBoost's tracker cannot listen on {address} port {self.network.tracker_port}. "
                "The first host of a job needs this port for the others."
            ) from error
        port = int(self.tracker.worker_args()["dmlc_tracker_port"])
        hub.open_collective(port)
        return address, port

    def _meet(self) -> tuple[str, int]:
        """Connect to the first host; return where XGBoost's tracker listens."""
        address = wait_for_address(self.hosts[0], self.network, self.stop)
        member = Member(self.hosts, self.me, self.network, on_fault=self._note, end=_end)
        self.channel = member
        member.connect(address, self.network.channel_port, self.stop)
        member.start()
        return address, member.wait_for_start(self.stop)

    def _note(self, host: str, reason: str) -> None:
        error = peer_error(host, reason)
        try:
            self.on_failure(error)
        except Exception:
            log.exception("the failure of host %s could not be written down", host)
        log.error("%s", describe(error))


def _end() -> NoReturn:
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):
            stream.flush()
    os._exit(1)
