"""Any other host's end of the channel."""

from __future__ import annotations

import socket
import threading
from collections.abc import Sequence

from churn_daal.cluster.addresses import attempts
from churn_daal.cluster.channel import Channel, End, OnFault
from churn_daal.cluster.link import Link
from churn_daal.cluster.messages import Message, job_id
from churn_daal.cluster.network import Network
from churn_daal.contract.signals import StopSignal
from churn_daal.errors import UserError

CONNECT_TIME = 5.0  # seconds


class Member(Channel):
    """Any other host's end.

    Parameters
    ----------
    hosts
        All of the job, in order.
    me
        This host's name.
    """

    def __init__(
        self, hosts: Sequence[str], me: str, network: Network, *, on_fault: OnFault, end: End
    ) -> None:
        super().__init__(me, network, on_fault=on_fault, end=end)
        self._first, self._job = hosts[0], job_id(hosts)
        self._tracker_port: int | None = None
        self._ended = threading.Event()

    def connect(self, address: str, port: int, stop: StopSignal) -> None:
        """Connect to the first host, again and again until it listens.

        Raises
        ------
        UserError
            It has not within the time to meet, or the job is asked to stop.
        """
        reason = ""
        what = f"{self._first!r} to listen on port {port}"
        for _ in attempts(self.network.meet, stop, what, longest=2.0):
            try:
                connection = socket.create_connection((address, port), CONNECT_TIME)
            except OSError as error:
                reason = error.strerror or str(error)
                continue
            link = Link(connection, self._first)
            link.send("hello", host=self.me, job=self._job)
            self.add(link)
            return
        raise UserError(
            f"the first host, {self._first!r} ({address}), did not take a connection on port "
            f"{port} within {self.network.meet:.0f} s ({reason}). See its log. In a VPC, the "
            "security group has to let the hosts of a job reach each other on all ports."
        )

    def wait_for_start(self, stop: StopSignal) -> int:
        """Wait until all hosts are there; return the port of XGBoost's tracker.

        Raises
        ------
        UserError
            The job is asked to stop before.
        """
        # The first host knows who is missing, and says so when its own time is over.
        limit = self.network.meet + self.network.silence
        for _ in attempts(limit, stop, "the other hosts", longest=0.1):
            if self._tracker_port is not None:
                return self._tracker_port
        raise UserError(f"the first host, {self._first!r}, did not start training. See its log.")

    def leave(self) -> None:
        """Say that this host is done, and wait until all are."""
        for link in list(self._links):
            link.send("done")
        self._ended.wait()
        self.close()

    def _heard(self, link: Link, message: Message) -> None:
        if message["kind"] == "failed":
            self._fault(message["host"], message["reason"])
        elif message["kind"] == "start":
            self._tracker_port = message["port"]
        elif message["kind"] == "end":
            with self._changed:
                self._leaving = True
            self._ended.set()
            self._drop(link, "")
        else:
            self._drop(link, f"it sent a message that was not expected, {message['kind']!r}")
