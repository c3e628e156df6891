"""One client's connection: bytes to requests, answers to bytes, and what a client may not do."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote_to_bytes

import httptools

from churn_daal.errors import RequestError
from churn_daal.serving.http.arrival import Arrival
from churn_daal.serving.http.reply import FAULT, Environ, Reply, framed, refusal

if TYPE_CHECKING:
    from churn_daal.serving.http.loop import Loop

log = logging.getLogger(__name__)
# How long a client may send nothing in the middle of a request, or take none of its answer.
STALL_SECONDS: Final = 5
UNREAD_SECONDS: Final = 60
KEEPALIVE_SECONDS: Final = 75
# How long what a refused client still sends is passed over, so that it comes to read its answer.
LINGER_SECONDS: Final = 5
# Of a request line and headers; a multi-model endpoint's model name may take 3 KiB of the line.
HEAD_BYTES: Final = 32 * 2**10
_KNOWN_NAMES: Final = 1024
_LONGEST_KEPT: Final = 64
_names: Final[dict[bytes, str]] = {}


@dataclass(slots=True)
class Exchange:
    """A request that came, and what its answer depends on."""

    environ: Environ
    body: Arrival
    keep: bool = True
    # Where it is known before anyone is asked.
    reply: Reply | None = None


class _RefusedError(Exception):
    """A request of which nobody can tell what it asks; the parser stops."""


class _EnoughError(Exception):
    """What still comes is passed over; the parser stops."""


class Connection(asyncio.Protocol):
    """A connection of HTTP/1.1 or 1.0, pipelined requests answered in their order.

    Parameters
    ----------
    loop
        What answers.
    base
        What every request's environment has, the server's port included.
    """

    def __init__(self, loop: Loop, base: Environ) -> None:
        self._loop, self._base = loop, base
        self._parser = httptools.HttpRequestParser(self)
        self._coming: Exchange | None = None
        self._head_bytes = self._heard = self._unheard = 0
        self._url = b""
        self._waiting: deque[Exchange] = deque()
        self._busy = False
        self._pieces: Iterator[bytes] | None = None
        self._sending: Exchange | None = None
        self._unread = False
        self._left = 0
        # Nothing more is answered: what still comes is passed over until the client has read.
        self._lingering = self._ended = self._paused = False
        self._offered = self._declining = False
        # Waits to be told to send its body.
        self._held_back: Exchange | None = None
        self.active = 0.0

    # Called by asyncio.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - it is for streams
        self._transport = transport
        self._base = self._base | _peer(transport)
        self.active = self._loop.now()
        self._loop.connections.add(self)

    def connection_lost(self, _error: Exception | None) -> None:
        """End; what is being answered is so for nobody."""
        self._loop.connections.discard(self)
        self._waiting.clear()
        self._pieces = None
        for exchange in (self._coming, self._sending):
            if exchange is not None:
                exchange.body.close()

    def data_received(self, data: bytes) -> None:
        """Read on."""
        if self._lingering:
            return
        self.active = self._loop.now()
        while data:
            try:
                self._parser.feed_data(data)
            except httptools.HttpParserUpgrade as upgrade:
                data = data[upgrade.args[0] :]
            except httptools.HttpParserError as error:
                self._fail(error)
                return
            else:
                if self._head_bytes:
                    self._weigh(len(data))
                return
            # Outside of the handler, which would stand behind the errors of what follows.
            self._decline()

    def eof_received(self) -> bool:
        """Answer what came whole, refuse what did not; then the connection ends."""
        self._ended = True
        if self._coming is not None or self._head_bytes:
            self._break_off("the client ended the connection in the middle of it")
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

    # Called by the parser.

    def on_message_begin(self) -> None:
        """Begin a request."""
        if self._declining:
            return
        self._head_bytes = self._heard = 0
        self._url = b""
        self._environ = self._base.copy()

    def on_url(self, part: bytes) -> None:
        """Take the request line's target."""
        if self._declining:
            return
        self._url += part
        self._count(len(part), 414, "request line")

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header."""
        if self._declining:
            return
        self._count(len(name) + len(value), 431, "headers")
        key = _names.get(name)
        if key is None:
            key = _key(name)
        if key:
            # The parser leaves blanks behind a value where they are.
            text = value.decode("latin-1").rstrip(" \t")
            environ = self._environ
            environ[key] = f"{environ[key]},{text}" if key in environ else text

    def on_headers_complete(self) -> None:
        """Make ready for the body."""
        if self._declining:
            return
        self._offered = self._parser.should_upgrade()
        environ = self._environ
        environ["REQUEST_METHOD"] = self._parser.get_method().decode("latin-1")
        environ["SERVER_PROTOCOL"] = f"HTTP/{self._parser.get_http_version()}"
        _take_target(environ, self._url)
        chunked = _is_chunked(environ)
        length = None if chunked else int(environ.get("CONTENT_LENGTH", 0))
        environ["wsgi.input"] = body = Arrival(self._loop.limit, length)
        if chunked:
            environ["wsgi.input_terminated"] = True
        self._coming = Exchange(environ, body)
        if "HTTP_EXPECT" in environ:
            self._expect(environ, body)

    def on_body(self, piece: bytes) -> None:
        """Take a part of the body."""
        assert self._coming is not None  # noqa: S101 - headers came first
        body = self._coming.body
        body.add(piece)
        if body.overrun:
            self._pass_over()

    def on_message_complete(self) -> None:
        """Answer."""
        if self._offered:
            return  # the parser's own idea: the body is still to come
        assert self._coming is not None  # noqa: S101 - headers came first
        # A client of HTTP/1.0 expects to be told that a connection stays.
        old = self._coming.environ["SERVER_PROTOCOL"] == "HTTP/1.0"
        self._coming.keep = not old and self._parser.should_keep_alive()
        self._complete()

    # Called by the loop.

    def answered(self, exchange: Exchange, reply: Reply) -> None:
        """Send an answer, then go on with what waits."""
        self._send(exchange, reply)
        self._go_on()
        self._let_come()

    def stop(self) -> None:
        """End the connection; where a request has begun to come, after its answer."""
        if not (self._busy or self._waiting or self._coming or self._head_bytes):
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
        elif self._lingering:
            if idle > LINGER_SECONDS:
                self._transport.abort()
        elif idle > STALL_SECONDS and (self._coming is not None or self._head_bytes):
            self._break_off(f"the client sent nothing for {STALL_SECONDS} s", 408)
        elif idle > KEEPALIVE_SECONDS:
            self._transport.close()

    # What these share.

    def _count(self, size: int, status: int, what: str) -> None:
        self._head_bytes += size
        if self._head_bytes > HEAD_BYTES:
            raise _RefusedError(status, f"the {what} came to more than {HEAD_BYTES:,} bytes")

    def _weigh(self, size: int) -> None:
        """Limit what comes and is not heard of: the parser holds a header until its end."""
        heard = self._head_bytes + (self._coming.body.size if self._coming else 0)
        self._unheard = self._unheard + size if heard == self._heard else 0
        self._heard = heard
        if self._unheard > HEAD_BYTES:
            self._break_off(f"a header came to more than {HEAD_BYTES:,} bytes", 431)

    def _expect(self, environ: Environ, body: Arrival) -> None:
        expected = environ["HTTP_EXPECT"]
        if expected.lower() != "100-continue":
            raise _RefusedError(417, f"Expect {expected:.40} is not understood; leave it out")
        if body.is_refused:
            # The client waits for a word before it sends: it gets the last one.
            self._pass_over()
        if environ["SERVER_PROTOCOL"] != "HTTP/1.0":
            self._held_back = self._coming
            self._let_come()

    def _let_come(self) -> None:
        """Give the word a client waits for before it sends its body, when its turn has come."""
        held = self._held_back
        if held is not None and not (self._busy or self._waiting):
            self._held_back = None
            if held is self._coming and held.body.size == 0:
                self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _fail(self, error: httptools.HttpParserError) -> None:
        # What a callback raised stands behind the parser's own error.
        cause = error.__context__
        if isinstance(cause, _RefusedError):
            self._refuse(*cause.args)
        elif cause is None:
            self._break_off(str(error))
        elif not isinstance(cause, _EnoughError):
            log.error("a request failed", exc_info=error)
            self._transport.abort()

    def _decline(self) -> None:
        """Go on in HTTP/1.1 after a request that offers another protocol.

        The parser stops behind its headers. Another one is told how long the body is.
        """
        assert self._coming is not None  # noqa: S101 - headers came first
        length = self._coming.environ.get("CONTENT_LENGTH", "0")
        chunked = "wsgi.input_terminated" in self._coming.environ
        framing = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {length}"
        last = "" if self._parser.should_keep_alive() else "Connection: close\r\n"
        self._parser = httptools.HttpRequestParser(self)
        self._offered, self._declining = False, True
        self._parser.feed_data(f"POST / HTTP/1.1\r\n{last}{framing}\r\n\r\n".encode())
        self._declining = False

    def _pass_over(self) -> None:
        """Answer now, whatever of the body is still to come."""
        assert self._coming is not None  # noqa: S101 - callers have one
        self._coming.keep, self._lingering = False, True
        self._complete()
        raise _EnoughError

    def _complete(self) -> None:
        assert self._coming is not None  # noqa: S101 - callers have one
        self._waiting.append(self._coming)
        self._coming, self._head_bytes = None, 0
        if not (self._busy or self._unread):
            self._go_on()
        elif not self._paused:
            # What waits already is enough.
            self._paused = True
            self._transport.pause_reading()

    def _go_on(self) -> None:
        while self._waiting and not (self._busy or self._unread or self._transport.is_closing()):
            exchange = self._waiting.popleft()
            self._busy = True
            reply = exchange.reply or self._loop.ask(self, exchange)
            if reply is not None:
                self._send(exchange, reply)
        if self._paused and not (self._busy or self._unread or self._transport.is_closing()):
            self._paused = False
            self._transport.resume_reading()

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
        if self._lingering and not self._ended:
            # Closed outright, with bytes unread, the client would see a reset, not its answer.
            self._transport.write_eof()
        else:
            self._transport.close()

    def _break_off(self, why: str, status: int = 400) -> None:
        """Answer for a request that did not come whole."""
        if self._coming is None:
            self._refuse(status, f"this is no whole request of HTTP/1.1: {why}; send it again")
            return
        log.info("a body could not be read: %s", why)
        self._coming.body.fail(
            RequestError(f"the body could not be read: {why}; send it again", status=status)
        )
        self._coming.keep, self._lingering = False, True
        self._complete()

    def _refuse(self, status: int, text: str) -> None:
        """Answer a request of which nobody can tell what it asks."""
        log.warning("refused with %d: %s", status, text)
        environ = self._base | {"REQUEST_METHOD": ""}
        self._coming = Exchange(environ, Arrival(0, None), keep=False, reply=refusal(text, status))
        self._lingering = True
        self._complete()


def _key(name: bytes) -> str:
    """Return a header's name as WSGI has it; "" for one that is passed over."""
    text = name.decode("latin-1").upper()
    if "_" in text:
        key = ""  # `A_B` would pass for `A-B`
    elif text in {"CONTENT-TYPE", "CONTENT-LENGTH"}:
        key = text.replace("-", "_")
    else:
        key = "HTTP_" + text.replace("-", "_")
    if len(_names) < _KNOWN_NAMES and len(name) <= _LONGEST_KEPT:
        _names[name] = key
    return key


def _take_target(environ: Environ, url: bytes) -> None:
    environ["RAW_URI"] = url.decode("latin-1")
    if not url.startswith(b"/"):
        # As a proxy is asked: http://host/path.
        _, _, after = url.partition(b"://")
        url = b"/" + after.partition(b"/")[2] if after else url
    path, _, query = url.partition(b"#")[0].partition(b"?")
    environ["PATH_INFO"] = (unquote_to_bytes(path) if b"%" in path else path).decode("latin-1")
    environ["QUERY_STRING"] = query.decode("latin-1")


def _is_chunked(environ: Environ) -> bool:
    coding = environ.get("HTTP_TRANSFER_ENCODING")
    if coding is None:
        return False
    if coding.lower() != "chunked":
        raise _RefusedError(501, f"Transfer-Encoding {coding:.40}: send chunked, or a length")
    return True


def _peer(transport: asyncio.Transport) -> Environ:
    host, port = (transport.get_extra_info("peername") or ("", 0))[:2]
    return {"REMOTE_ADDR": host, "REMOTE_PORT": str(port)}
