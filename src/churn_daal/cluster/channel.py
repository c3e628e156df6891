"""The second line between hosts, which works while the first is stuck.

XGBoost's collective calls block inside C++ until every host takes part, and report a host that is
lost by its broken connection or not at all. So one thread of each host keeps a connection to the
first host, over which each sends a sign of life a second, says why it fails, and says when its
work is done. The thread ends this process when another host has failed or is lost.
"""

from __future__ import annotations

import logging
import selectors
import threading
import time
from collections.abc import Callable

from churn_daal.cluster.link import Link
from churn_daal.cluster.messages import MAX_REASON, Message, ProtocolError
from churn_daal.cluster.network import Network

log = logging.getLogger(__name__)

OnFault = Callable[[str, str], None]
End = Callable[[], None]


class Channel:
    """The connections of this host and the thread that watches them.

    Parameters
    ----------
    me
        This host's name.
    network
        How long to wait for what.
    on_fault
        Called in the thread when another host failed or is lost, with its name and the reason;
        to write it down. The others hear of it after that.
    end
        Called in the thread after that, as its last act; ends the process.
    """

    def __init__(
        self,
        me: str,
        network: Network,
        *,
        on_fault: OnFault,
        end: End,
    ) -> None:
        self.me, self.network = me, network
        self._on_fault, self._end = on_fault, end
        self._links: list[Link] = []
        self._selector = selectors.DefaultSelector()
        # Guards what follows it; reentrant, as handlers of a message send others.
        self._changed = threading.Condition(threading.RLock())
        self._leaving = False
        self._faulty = False
        self._closed = False
        self._beaten = 0.0
        self._thread = threading.Thread(target=self._run, name="hosts", daemon=True)

    def start(self) -> None:
        """Start to listen."""
        self._thread.start()

    def add(self, link: Link) -> None:
        """Watch a connection."""
        with self._changed:
            self._links.append(link)
        self._selector.register(link.socket, selectors.EVENT_READ, link)

    def tell_failure(self, reason: str) -> None:
        """Tell the other hosts why this one fails, and wait until they have heard it.

        Where another host's failure came first, this thread waits for the end instead.
        """
        with self._changed:
            faulty, self._leaving = self._faulty, True
            links = list(self._links)
        if faulty:
            self._thread.join()
        for link in links:
            link.send_last("failed", host=self.me, reason=reason[:MAX_REASON])
        with self._changed:
            self._changed.wait_for(lambda: not self._links, self.network.linger)

    def await_fault(self) -> None:
        """Give the thread the time it takes to find out which host is lost.

        Returns when it is over; where a host is lost, the thread ends the process before.
        """
        end = time.monotonic() + self.network.silence + 2 * self.network.beat
        while time.monotonic() < end and (self._faulty or not self._leaving):
            time.sleep(0.05)

    def close(self) -> None:
        """Let the thread end, which takes it until its next sign of life."""
        self._closed = True

    def leave(self) -> None:
        """Wait until every host is done."""
        raise NotImplementedError

    def _heard(self, link: Link, message: Message) -> None:
        """Act on a message that is no mere sign of life."""
        raise NotImplementedError

    def _other_events(self, key: selectors.SelectorKey) -> None:
        """Act on a socket that is no link."""
        raise NotImplementedError

    def _run(self) -> None:
        try:
            while not self._closed:
                self._turn()
                self._find_silent()
            self._tidy()
        except Exception:
            # Without this thread the process could wait for a lost host for ever.
            log.exception("the thread that watches the other hosts failed")
            self._on_fault(self.me, "failed: the thread that watches the other hosts did")
            self._end()

    def _tidy(self) -> None:
        self._selector.close()
        for link in self._links:
            link.close()

    def _turn(self) -> None:
        """Hear what there is to hear and give a sign of life when it is time."""
        for key, _ in self._selector.select(self.network.beat):
            if isinstance(key.data, Link):
                self._read(key.data)
            else:
                self._other_events(key)
        if time.monotonic() - self._beaten >= self.network.beat:
            self._beaten = time.monotonic()
            for link in list(self._links):
                link.send("beat")

    def _read(self, link: Link) -> None:
        try:
            messages = link.receive()
        except ProtocolError as error:
            self._drop(link, f"it sent what no host of this job sends ({error})")
            return
        if messages is None:
            self._drop(
                link,
                "its connection closed without a word, as when its process is killed or runs out "
                "of memory. See its log, and its memory use in CloudWatch",
            )
            return
        for message in messages:
            if message["kind"] != "beat" and link in self._links:
                self._heard(link, message)

    def _find_silent(self) -> None:
        # After reading: who was suspended for a while has their signs of life waiting.
        now = time.monotonic()
        for link in list(self._links):
            if now - link.heard > self.network.silence:
                self._drop(
                    link,
                    f"nothing came from it for {self.network.silence:g} s, as when its network or "
                    "machine is gone. See its log",
                )

    def _drop(self, link: Link, reason: str) -> None:
        if link not in self._links:
            return
        self._selector.unregister(link.socket)
        link.close()
        with self._changed:
            self._links.remove(link)
            self._changed.notify_all()
        if link.host and not link.done:
            self._fault(link.host, f"is lost: {reason}")
        elif not link.host:
            log.info("a connection that is no host's was closed: %s", reason)

    def _fault(self, host: str, reason: str) -> None:
        with self._changed:
            if self._leaving:
                return
            self._leaving = self._faulty = True
        self._on_fault(host, reason)
        for link in self._links:
            link.send_last("failed", host=host, reason=reason[:MAX_REASON])
        end = time.monotonic() + self.network.linger
        while self._links and time.monotonic() < end:
            self._turn()
        self._closed = True
        self._end()
