"""A head that came before means what it meant, and nothing else is taken for one."""

from __future__ import annotations

import contextlib
import socket

import pytest

from churn_daal.serving.http.arrival import Arrival, Exchange
from churn_daal.serving.http.incoming import Incoming
from churn_daal.serving.http.known_heads import KnownHeads

from .conftest import LIMIT, Running
from .test_connection import post, read

HEAD = b"POST /quick?a=1 HTTP/1.1\r\nHost: x\r\nX-Own: 1\r\nContent-Length: 3\r\n\r\n"


def ask(client: socket.socket, *pieces: bytes) -> bytes:
    """Send, and return the body of the answer."""
    for piece in pieces:
        client.sendall(piece)
    return read(client)[2]


def test_the_second_is_as_the_first(running: Running) -> None:
    """Another body, another client: its own address, and nothing left of the first."""
    with contextlib.closing(running.connect()) as one, contextlib.closing(running.connect()) as two:
        assert [ask(one, HEAD + b"abc"), ask(one, HEAD + b"\r\n\r"), ask(two, HEAD + b"xyz")] == [
            *(b"abc", b"\r\n\r", b"xyz")
        ]
        ports = [str(client.getsockname()[1]) for client in (one, one, two)]

    assert len(running.shared.heads._heads) == 1
    seen = running.app.seen
    assert [environ["REMOTE_PORT"] for environ in seen] == ports
    differing = {"REMOTE_PORT", "wsgi.input"}
    alike = [{key: environ[key] for key in environ.keys() - differing} for environ in seen]
    assert alike[0] == alike[1] == alike[2]
    assert (alike[0]["QUERY_STRING"], alike[0]["HTTP_X_OWN"]) == ("a=1", "1")
    assert len({id(environ) for environ in seen}) == 3


def test_more_or_less_than_a_request(running: Running) -> None:
    """In pieces, and with others behind it."""
    with contextlib.closing(running.connect()) as client:
        assert ask(client, HEAD + b"abc") == b"abc"
        assert ask(client, HEAD, b"d", b"ef") == b"def"
        assert ask(client, HEAD[:20], HEAD[20:] + b"ghi") == b"ghi"
    several = running.exchange(HEAD + b"abc", (HEAD + b"jkl") * 3 + HEAD, b"mno" + HEAD, b"pqr")
    assert [part[-3:] for part in several.split(b"HTTP/1.1 200 OK")[1:]] == [
        *(b"abc", b"jkl", b"jkl", b"jkl", b"mno", b"pqr")
    ]


def test_the_end_of_another_request_is_no_beginning(running: Running) -> None:
    """Bytes of a known head in the middle of a request belong to that one."""
    body = HEAD + b"abc"
    with contextlib.closing(running.connect()) as client:
        assert ask(client, body) == b"abc"
        first, _, rest = post(body, path="/quick").partition(b"\r\n\r\n")
        assert ask(client, first + b"\r\n\r\n", rest) == body
    assert running.exchange(HEAD + b"abc", b"PO", body).count(b"HTTP/1.1 400") == 1


@pytest.mark.parametrize(
    "sent",
    [
        b"POST /quick HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        b"POST /quick HTTP/1.1\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc",
        b"POST /quick HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 3\r\n\r\nabc",
        b"POST /quick HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc",
        b"POST /quick HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: a\r\nContent-Length:3\r\n\r\nabc",
        b"POST /quick HTTP/1.1\r\nX-Own: " + b"x" * 2_048 + b"\r\nContent-Length: 3\r\n\r\nabc",
        post(b"x" * (LIMIT + 1), path="/quick"),
        b"POST /quick HTTP/1.1\r\nX-Amzn-SageMaker-Inference-Id: 1\r\nContent-Length: 3\r\n\r\nabc",
    ],
    ids=["chunked", "last", "old", "expected", "an offer", "long", "too large", "an id"],
)
def test_what_is_not_kept(running: Running, sent: bytes) -> None:
    """Each is read by the parser whenever it comes."""
    answers = [running.exchange(sent) for _ in range(2)]

    def dateless(answer: bytes) -> list[bytes]:
        return [line for line in answer.split(b"\r\n") if not line.startswith(b"Date")]

    assert dateless(answers[0]) == dateless(answers[1])
    assert not running.shared.heads._heads


@pytest.mark.parametrize("first", [b"\r\n\r\nPO", b"\n\r\n\r\nPOS", b"\r\n\r\nPOST /quick"])
def test_line_breaks_before_a_request_are_no_head(first: bytes) -> None:
    """A request may come in pieces behind them, of which the first is as long as its body."""
    came: list[Exchange] = []
    heads = KnownHeads()

    def feed(*pieces: bytes) -> bytes:
        incoming = Incoming({}, LIMIT, heads, came.append, came.append)
        for piece in pieces:
            incoming.feed(piece)
        return bytes(came[-1].body.whole())

    begun = first.lstrip(b"\r\n")
    rest = b"POST /quick?mine HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % len(begun)
    body = b"x" * len(begun)
    assert feed(first, rest.removeprefix(begun) + body) == body
    assert not heads._heads
    other = b"POST /quick?other HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc"
    assert feed(first, other.removeprefix(begun)) == b"abc"
    assert [exchange.environ["QUERY_STRING"] for exchange in came] == ["mine", "other"]


def test_they_are_not_kept_without_end() -> None:
    """Those that come again are kept again."""
    heads = KnownHeads()
    asked = [b"GET /%d HTTP/1.1\r\n\r\n" % number for number in range(1_030)]
    for data in asked:
        heads.keep(data, {}, Exchange({"n": data}, Arrival(9, 0)))

    assert len(heads._heads) == 6
    assert heads.find(asked[7], {}, 9) is None
    heads.keep(asked[7], {}, Exchange({"n": asked[7]}, Arrival(9, 0)))
    found = heads.find(asked[7], {"b": 1}, 9)
    assert found is not None
    assert {key: found.environ[key] for key in "nb"} == {"n": asked[7], "b": 1}
