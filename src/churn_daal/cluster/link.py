"""One connection to another host."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress

from churn_daal.cluster.messages import Lines, Message, encode

SEND_TIMEOUT = 5.0  # seconds; a line of a few bytes waits only where nobody reads any more
_CHUNK = 65_536


class Link:
    """A connected socket that carries messages.

    Attributes
    ----------
    socket
        To select on.
    host
        Who is at the other end; empty until it has said so.
    opened, heard
        When it was made and when it last sent anything, on the monotonic clock.
    done
        Whether it has said that its work is done.
    """

    def __init__(self, connection: socket.socket, host: str = "") -> None:
        connection.settimeout(SEND_TIMEOUT)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket, self.host = connection, host
        self.opened = self.heard = time.monotonic()
        self.done = False
        self._lines = Lines()
        self._lock = threading.Lock()

    def send(self, kind: str, **members: str | int) -> None:
        """Send a message; a broken connection is left for `receive` to find."""
        line = encode(kind, **members)
        with self._lock, suppress(OSError):
            self.socket.sendall(line)

    def send_last(self, kind: str, **members: str | int) -> None:
        """Send a message after which nothing comes, so that the other end need not wait."""
        self.send(kind, **members)
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_WR)

    def receive(self) -> list[Message] | None:
        """Return the messages that are there; None at the end of the connection.

        Raises
        ------
        ProtocolError
            What came is no message.
        """
        try:
            data = self.socket.recv(_CHUNK)
        except OSError:
            return None
        if not data:
            return None
        self.heard = time.monotonic()
        return self._lines.feed(data)

    def close(self) -> None:
        """Close the connection."""
        with suppress(OSError):
            self.socket.close()
