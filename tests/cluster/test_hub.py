"""The first host's port hears the hosts of its job and nobody else."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import pytest

from churn_daal.cluster.channel import Channel
from churn_daal.cluster.hub import SPARE_CONNECTIONS, Hub
from churn_daal.cluster.member import Member
from churn_daal.cluster.messages import encode, job_id
from churn_daal.cluster.network import Network
from churn_daal.contract.signals import StopSignal
from churn_daal.errors import UserError

HOSTS = ("algo-1", "algo-2")
ADDRESS = "127.0.0.1"


@dataclass
class Heard:
    """A hub in this process, where it listens, and what faults it heard of."""

    network: Network
    faults: list[tuple[str, str]] = field(default_factory=list)
    ends: list[Channel] = field(default_factory=list)

    def hub_for(self, hosts: Sequence[str]) -> Hub:
        """Start a hub."""
        hub = Hub(hosts, ADDRESS, self.network, on_fault=self.note, end=self.end)
        self.ends.append(hub)
        hub.start()
        return hub

    @property
    def hub(self) -> Hub:
        """The one that is there."""
        hub = self.ends[0]
        assert isinstance(hub, Hub)
        return hub

    def close(self) -> None:
        """End every thread."""
        # The members first, who would miss the hub.
        for end in reversed(self.ends):
            end.close()
            end._thread.join()

    def note(self, host: str, reason: str) -> None:
        """Keep a fault."""
        self.faults.append((host, reason))

    def end(self) -> None:
        """Let the thread end, in place of the process."""

    def member(self) -> Member:
        """Connect the second host."""
        member = Member(HOSTS, HOSTS[1], self.network, on_fault=self.note, end=self.end)
        member.connect(ADDRESS, self.network.channel_port, StopSignal())
        member.start()
        self.ends.append(member)
        return member


@pytest.fixture
def heard(unused_port: Callable[[], int]) -> Iterator[Heard]:
    """Return a hub that waits for one host."""
    network = Network(channel_port=unused_port(), beat=0.05, meet=20.0, linger=0.5)
    heard = Heard(network)
    heard.hub_for(HOSTS)
    yield heard
    heard.close()


def is_closed(connection: socket.socket) -> bool:
    """Read to the end of a connection; a hub that keeps it open makes this time out."""
    connection.settimeout(20)
    try:
        while connection.recv(4_096):
            pass
    except ConnectionResetError:
        pass
    return True


@pytest.mark.parametrize(
    "sent",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"x" * 20_000,
        encode("failed", host="algo-2", reason="UserError: I say so"),
        encode("done"),
        encode("hello", host="algo-2", job="another job"),
        encode("hello", host="algo-9", job=job_id(HOSTS)),
        encode("hello", host="algo-9", job=job_id(HOSTS)) * 3,
    ],
    ids=["http", "long", "failed", "done", "other job", "other host", "again"],
)
def test_strangers_change_nothing(heard: Heard, sent: bytes) -> None:
    """Whatever they send, their connection is closed and the job goes on."""
    with socket.create_connection((ADDRESS, heard.network.channel_port)) as stranger:
        stranger.sendall(sent)

        assert is_closed(stranger)

    member = heard.member()
    heard.hub.wait_for_all(StopSignal())
    heard.hub.open_collective(4_711)

    assert member.wait_for_start(StopSignal()) == 4_711
    assert heard.faults == []


def test_a_crowd_of_strangers_leaves_room(heard: Heard) -> None:
    """Connections that say nothing are few at a time, and are closed."""
    port = heard.network.channel_port
    crowd = [socket.create_connection((ADDRESS, port)) for _ in range(SPARE_CONNECTIONS + 5)]
    try:
        # The oldest make room for the newest, which may be a host.
        assert is_closed(crowd[0])
        heard.member()
        heard.hub.wait_for_all(StopSignal())
    finally:
        for silent in crowd:
            silent.close()

    assert heard.faults == []


def test_a_host_comes_once(heard: Heard) -> None:
    """A second process under the name of one that is there is sent away, and says so."""
    heard.member()
    heard.hub.wait_for_all(StopSignal())
    heard.member()
    end = time.monotonic() + 20
    while not heard.faults and time.monotonic() < end:
        time.sleep(0.01)

    [(host, reason)] = heard.faults
    assert host == "algo-1"
    assert reason.startswith("is lost: its connection closed without a word")


def test_hosts_part_when_all_are_done(heard: Heard) -> None:
    """Who is done is not missed, and the port is free again afterwards."""
    member = heard.member()
    heard.hub.wait_for_all(StopSignal())
    for link in member._links:
        link.send("done")
    heard.hub.leave()

    assert heard.faults == []
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((ADDRESS, heard.network.channel_port))


def test_the_missing_are_named() -> None:
    """Nobody came: the message says who was expected and what to look at."""
    heard = Heard(Network(channel_port=0, meet=0.0, beat=0.05))
    hub = heard.hub_for(("a", "b", "c"))

    with pytest.raises(UserError, match=r"did not connect to 'a' within 0 s: b, c\..*security gr"):
        hub.wait_for_all(StopSignal())
    heard.close()
