"""Bytes of one connection to requests: what is one is for llhttp to say."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

import httptools

from churn_daal.errors import RequestError
from churn_daal.serving.http.arrival import Arrival, Exchange
from churn_daal.serving.http.heads import RefusedError, is_chunked, key_of, take_target
from churn_daal.serving.http.known_heads import KnownHeads
from churn_daal.serving.http.reply import Environ, refusal

log = logging.getLogger(__name__)
# Of a request line and headers; a multi-model endpoint's model name may take 3 KiB of the line.
HEAD_BYTES: Final = 32 * 2**10


class _EnoughError(Exception):
    """What still comes is passed over; the parser stops."""


class Incoming:
    """Reads requests.

    Parameters
    ----------
    base
        What every request's environment has.
    limit
        Bytes of a body that are kept.
    heads
        Those that are known; added to.
    came
        Takes a request that has come, or of which enough has to refuse it.
    expected
        Hears of a client that waits for a word before it sends its body.

    Attributes
    ----------
    coming
        The request whose headers have come, and whose body has not.
    over
        Whether nothing more is read: what still comes is passed over.
    """

    def __init__(
        self,
        base: Environ,
        limit: int,
        heads: KnownHeads,
        came: Callable[[Exchange], None],
        expected: Callable[[Exchange], None],
    ) -> None:
        self._base, self._limit, self._heads = base, limit, heads
        self._came, self._expected = came, expected
        self._parser = httptools.HttpRequestParser(self)
        self._head_bytes = self._heard = self._unheard = 0
        self._url = b""
        self._offered = self._declining = False
        # Whether the parser stands between two requests, and what it is given from there on.
        self._between, self._given = True, b""
        self.coming: Exchange | None = None
        self.over = False

    @property
    def begun(self) -> bool:
        """Whether a request has begun to come, and has not come whole."""
        return self.coming is not None or self._head_bytes > 0

    def feed(self, data: bytes) -> None:
        """Take bytes.

        Raises
        ------
        HttpParserError
            `came` or `expected` failed.
        """
        if self._between and not self.over:
            exchange = self._heads.find(data, self._base, self._limit)
            if exchange is not None:
                self._came(exchange)
                return
            self._given = data
        self._read(data)
        # What has not come whole by now did not come in one piece.
        self._given = b""

    def break_off(self, why: str, status: int = 400) -> None:
        """Refuse a request that did not come whole."""
        if self.coming is None:
            self._refuse(status, f"this is no whole request of HTTP/1.1: {why}; send it again")
            return
        log.info("a body could not be read: %s", why)
        self.coming.body.fail(
            RequestError(f"the body could not be read: {why}; send it again", status=status)
        )
        self._give_up()

    # Called by the parser.

    def on_message_begin(self) -> None:
        """Begin a request."""
        if self._declining:
            return
        self._head_bytes = self._heard = 0
        self._between = False
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
        key = key_of(name)
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
        take_target(environ, self._url)
        chunked = is_chunked(environ)
        length = None if chunked else int(environ.get("CONTENT_LENGTH", 0))
        environ["wsgi.input"] = body = Arrival(self._limit, length)
        if chunked:
            environ["wsgi.input_terminated"] = True
        self.coming = Exchange(environ, body)
        if "HTTP_EXPECT" in environ:
            self._expect(self.coming)

    def on_body(self, piece: bytes) -> None:
        """Take a part of the body."""
        assert self.coming is not None  # noqa: S101 - headers came first
        body = self.coming.body
        body.add(piece)
        if body.overrun:
            self._give_up()
            raise _EnoughError

    def on_message_complete(self) -> None:
        """Hand the request over."""
        if self._offered:
            return  # the parser's own idea: the body is still to come
        assert self.coming is not None  # noqa: S101 - headers came first
        # A client of HTTP/1.0 expects to be told that a connection stays.
        old = self.coming.environ["SERVER_PROTOCOL"] == "HTTP/1.0"
        self.coming.keep = not old and self._parser.should_keep_alive()
        self._between = True
        if self._given and self.coming.keep:
            self._heads.keep(self._given, self._base, self.coming)
        self._given = b""
        self._hand_over()

    # What these share.

    def _read(self, data: bytes) -> None:
        while data and not self.over:
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

    def _count(self, size: int, status: int, what: str) -> None:
        self._head_bytes += size
        if self._head_bytes > HEAD_BYTES:
            raise RefusedError(status, f"the {what} came to more than {HEAD_BYTES:,} bytes")

    def _weigh(self, size: int) -> None:
        """Limit what comes and is not heard of: the parser holds a header until its end."""
        heard = self._head_bytes + (self.coming.body.size if self.coming else 0)
        self._unheard = self._unheard + size if heard == self._heard else 0
        self._heard = heard
        if self._unheard > HEAD_BYTES:
            self.break_off(f"a header came to more than {HEAD_BYTES:,} bytes", 431)

    def _expect(self, exchange: Exchange) -> None:
        expected = exchange.environ["HTTP_EXPECT"]
        if expected.lower() != "100-continue":
            raise RefusedError(417, f"Expect {expected:.40} is not understood; leave it out")
        if exchange.body.is_refused:
            # The client waits for a word before it sends: it gets the last one.
            self._give_up()
            raise _EnoughError
        if exchange.environ["SERVER_PROTOCOL"] != "HTTP/1.0":
            self._expected(exchange)

    def _fail(self, error: httptools.HttpParserError) -> None:
        # What a callback raised stands behind the parser's own error.
        cause = error.__context__
        if isinstance(cause, RefusedError):
            self._refuse(*cause.args)
        elif cause is None:
            self.break_off(str(error))
        elif not isinstance(cause, _EnoughError):
            raise error

    def _decline(self) -> None:
        """Go on in HTTP/1.1 after a request that offers another protocol.

        The parser stops behind its headers. Another one is told how long the body is.
        """
        assert self.coming is not None  # noqa: S101 - headers came first
        length = self.coming.environ.get("CONTENT_LENGTH", "0")
        chunked = "wsgi.input_terminated" in self.coming.environ
        framing = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {length}"
        last = "" if self._parser.should_keep_alive() else "Connection: close\r\n"
        self._parser = httptools.HttpRequestParser(self)
        self._offered, self._declining = False, True
        self._parser.feed_data(f"POST / HTTP/1.1\r\n{last}{framing}\r\n\r\n".encode())
        self._declining = False

    def _refuse(self, status: int, text: str) -> None:
        """Refuse what nobody can tell the meaning of."""
        log.warning("refused with %d: %s", status, text)
        environ = self._base | {"REQUEST_METHOD": ""}
        self.coming = Exchange(environ, Arrival(0, None), reply=refusal(text, status))
        self._give_up()

    def _give_up(self) -> None:
        """Hand over what is to be refused, whatever of it is still to come."""
        assert self.coming is not None  # noqa: S101 - callers have one
        self.coming.keep, self.over = False, True
        self._hand_over()

    def _hand_over(self) -> None:
        exchange, self.coming = self.coming, None
        assert exchange is not None  # noqa: S101 - callers have one
        self._head_bytes = 0
        self._came(exchange)
