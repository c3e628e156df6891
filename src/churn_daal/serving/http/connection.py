"""One client's connection: requests answered in their order, and what a client may not do."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, cast

import httptools

from churn_daal.serving.http.arrival import Exchange
from churn_daal.serving.http.heads import peer_of
from churn_daal.serving.http.incoming import Incoming
from churn_daal.serving.http.reply import FAULT, Environ, Reply, framed

if TYPE_CHECKING:
    from churn_daal.serving.http.loop import Loop

log = logging.getLogger(__name__)
# How long a client may send nothing in the middle of a request, or take none of its answer.
STALL_SECONDS: Final = 5
UNREAD_SECONDS: Final = 60
KEEPALIVE_SECONDS: Final = 75
# How long what a refused client still sends is passed over, so that it comes to read its answer.
LINGER_SECONDS: Final = 5


class Connection(asyncio.Protocol):
    """A connection of HTTP/1.1 or 1.0.

    Parameters
    ----------
    loop
        What answers.
    base
        What every request's environment has, the server's port included.
    """

    def __init__(self, loop: Loop, base: Environ) -> None:
        self._loop, self._base = loop, base
        self._waiting: deque[Exchange] = deque()
        self._busy = False
        self._pieces: Iterator[bytes] | None = None
        self._sending: Exchange | None = None
        self._unread = self._ended = self._paused = False
        self._left = 0
        # Waits to be told to send its body.
        self._held_back: Exchange | None = None
        self.active = 0.0

    # Called by asyncio.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        # It is one for streams; uvloop's is not derived from asyncio's.
        self._transport = transport = cast(asyncio.Transport, transport)
        self._incoming = Incoming(
            self._base | peer_of(transport),
            self._loop.limit,
            self._loop.heads,
            self._came,
            self._hold_back,
        )
        self.active = self._loop.now()
        self._loop.connections.add(self)

    def connection_lost(self, _error: Exception | None) -> None:
        """End; what is being answered is so for nobody."""
        self._loop.connections.discard(self)
        self._waiting.clear()
        self._pieces = None
        for exchange in (self._incoming.coming, self._sending):
            if exchange is not None:
                exchange.body.close()

    def data_received(self, data: bytes) -> None:
        """Read on."""
        if self._incoming.over:
            return
        self.active = self._loop.now()
        try:
            self._incoming.feed(data)
        except httptools.HttpParserError:
            log.exception("a request failed")
            self._transport.abort()

    def eof_received(self) -> bool:
        """Answer what came whole, refuse what did not; then the connection ends."""
        self._ended = True
        if self._incoming.begun:
            self._incoming.break_off("the client ended the connection in the middle of it")
        return self._busy or bool(self._waiting)

    def pause_writing(self) -> None:
        """Stop sending: the client takes nothing more for now."""
        self._unread = True

    def resume_writing(self) -> None:
        """Send on."""
        self._unread = False
        self.active = self._loop.now()
        if self._pieces is not None:
            self._send_on()
        self._go_on()
        self._let_come()

    # Called by the loop.

    def answered(self, exchange: Exchange, reply: Reply) -> None:
        """Send an answer, then go on with what waits; a fault ends this connection alone."""
        try:
            self._send(exchange, reply)
            self._go_on()
            self._let_come()
        except Exception:
            log.exception("an answer cannot be sent")
            self._transport.abort()

    def stop(self) -> None:
        """End the connection; where a request has begun to come, after its answer."""
        if not (self._busy or self._waiting or self._incoming.begun):
            self._transport.close()

    def check(self, now: float) -> None:
        """Put an end to what lasts too long."""
        idle = now - self.active
        if self._unread:
            left = self._transport.get_write_buffer_size()
            if left != self._left:
                self._left, self.active = left, now
            elif idle > UNREAD_SECONDS:
                log.info("a client that took nothing for %d s is let go", UNREAD_SECONDS)
                self._transport.abort()
        elif self._busy or self._waiting:
            return
        elif self._incoming.over:
            if idle > LINGER_SECONDS:
                self._transport.abort()
        elif idle > STALL_SECONDS and self._incoming.begun:
            self._incoming.break_off(f"the client sent nothing for {STALL_SECONDS} s", 408)
        elif idle > KEEPALIVE_SECONDS:
            self._transport.close()

    # What comes.

    def _came(self, exchange: Exchange) -> None:
        self._waiting.append(exchange)
        if not (self._busy or self._unread):
            self._go_on()
        elif not self._paused:
            # What waits already is enough.
            self._paused = True
            self._transport.pause_reading()

    def _hold_back(self, exchange: Exchange) -> None:
        self._held_back = exchange
        self._let_come()

    def _let_come(self) -> None:
        """Give the word a client waits for before it sends its body, when its turn has come."""
        held = self._held_back
        if held is not None and not (self._busy or self._waiting):
            self._held_back = None
            if held is self._incoming.coming and held.body.size == 0:
                self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _go_on(self) -> None:
        while self._waiting and not (self._busy or self._unread or self._transport.is_closing()):
            exchange = self._waiting.popleft()
            self._busy = True
            if exchange.reply is None:
                self._loop.ask(self, exchange)
            else:
                self._send(exchange, exchange.reply)
        if self._paused and not (self._busy or self._unread or self._transport.is_closing()):
            self._paused = False
            self._transport.resume_reading()

    # What goes.

    def _send(self, exchange: Exchange, reply: Reply) -> None:
        if self._transport.is_closing():
            exchange.body.close()
            return
        exchange.keep = exchange.keep and not self._is_last()
        head_only = exchange.environ["REQUEST_METHOD"] == "HEAD"
        try:
            first, pieces = framed(reply, keep=exchange.keep, head_only=head_only)
        except ValueError:
            log.exception("an answer cannot be sent")
            exchange.keep = False
            first, pieces = framed(FAULT, keep=False, head_only=head_only)
        self._transport.write(first)
        self.active = self._loop.now()
        if pieces:
            self._pieces, self._sending = iter(pieces), exchange
            self._send_on()
        else:
            self._sent(exchange)

    def _is_last(self) -> bool:
        return (self._loop.stopping or self._ended) and not self._waiting

    def _send_on(self) -> None:
        assert self._sending is not None  # noqa: S101 - set beside the pieces
        while self._pieces is not None and not (self._unread or self._transport.is_closing()):
            piece = next(self._pieces, None)
            if piece is None:
                self._pieces = None
                # The end may have come meanwhile.
                self._sending.keep = self._sending.keep and not self._is_last()
                self._sent(self._sending)
            else:
                self._transport.write(piece)

    def _sent(self, exchange: Exchange) -> None:
        exchange.body.close()
        self._busy = False
        if exchange.keep:
            return
        self._waiting.clear()
        if self._incoming.over and not self._ended:
            # Closed outright, with bytes unread, the client would see a reset, not its answer.
            self._transport.write_eof()
        else:
            self._transport.close()
