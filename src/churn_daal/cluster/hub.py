"""The first host's end of the channel, which all others connect to."""

from __future__ import annotations

import selectors
import socket
import time
from collections.abc import Sequence

from churn_daal.cluster.addresses import attempts
from churn_daal.cluster.channel import Channel, End, OnFault
from churn_daal.cluster.link import Link
from churn_daal.cluster.messages import Message, job_id
from churn_daal.cluster.network import Network
from churn_daal.contract.signals import StopSignal
from churn_daal.errors import AlgorithmError, UserError

GREETING_TIME = 10.0  # seconds within which who connects has to say which host it is
SPARE_CONNECTIONS = 16


class Hub(Channel):
    """The first host's end.

    Parameters
    ----------
    hosts
        All of the job, this one first.
    address
        Where to listen.
    """

    def __init__(
        self, hosts: Sequence[str], address: str, network: Network, *, on_fault: OnFault, end: End
    ) -> None:
        super().__init__(hosts[0], network, on_fault=on_fault, end=end)
        self._expected, self._job = set(hosts[1:]), job_id(hosts)
        try:
            self._listener = socket.create_server(
                (address, network.channel_port), backlog=len(hosts) + SPARE_CONNECTIONS
            )
        except OSError as error:
            raise AlgorithmError(
                f"{hosts[0]!r} cannot listen on {address} port {network.channel_port}: "
                f"{error.strerror}. The first host of a job needs this port for the others."
            ) from error
        self._listener.settimeout(0)
        self._selector.register(self._listener, selectors.EVENT_READ)

    def wait_for_all(self, stop: StopSignal) -> None:
        """Wait until every other host has connected.

        Raises
        ------
        UserError
            One has not within the time to meet, or the job is asked to stop.
        """
        for _ in attempts(
            self.network.meet, stop, f"{len(self._expected)} hosts to connect", longest=0.1
        ):
            missing = self._missing()
            if not missing:
                return
        raise UserError(
            f"these hosts did not connect to {self.me!r} within {self.network.meet:.0f} s: "
            f"{', '.join(sorted(missing))}. See their logs. In a VPC, the security group has to "
            "let the hosts of a job reach each other on all ports."
        )

    def open_collective(self, port: int) -> None:
        """Tell the others where XGBoost's tracker listens."""
        for link in [link for link in self._links if link.host]:
            link.send("start", port=port)

    def leave(self) -> None:
        """Wait until every host is done, tell them so, and stop listening."""
        with self._changed:
            self._changed.wait_for(lambda: all(link.done for link in self._links if link.host))
            self._leaving = True
            links = list(self._links)
        for link in links:
            link.send("end")
        with self._changed:
            self._changed.wait_for(lambda: not self._links, self.network.linger)
        # At once, and not with the thread's next turn.
        self._listener.close()
        self.close()

    def _tidy(self) -> None:
        super()._tidy()
        self._listener.close()

    def _missing(self) -> set[str]:
        with self._changed:
            return self._expected - {link.host for link in self._links}

    def _other_events(self, key: selectors.SelectorKey) -> None:
        del key
        try:
            connection, _ = self._listener.accept()
        except OSError:
            return
        strangers = [link for link in self._links if not link.host]
        if len(strangers) >= len(self._expected) + SPARE_CONNECTIONS:
            self._drop(strangers[0], "it did not say who it is")
        self.add(Link(connection))

    def _heard(self, link: Link, message: Message) -> None:
        kind = message["kind"]
        if kind == "failed" and link.host:
            self._fault(link.host, message["reason"])
        elif kind == "done" and link.host:
            with self._changed:
                link.done = True
                self._changed.notify_all()
        elif kind == "hello" and message["job"] == self._job and message["host"] in self._missing():
            link.host = message["host"]
        else:
            self._drop(link, f"it sent a message that was not expected, {kind!r}")

    def _find_silent(self) -> None:
        for link in list(self._links):
            if not link.host and time.monotonic() - link.opened > GREETING_TIME:
                self._drop(link, "it did not say who it is")
        super()._find_silent()
