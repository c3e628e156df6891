"""HTTP/1.1 over real sockets: what comes in which form, and what a client may not do."""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import time
from email.parser import BytesParser
from typing import Any

import pytest

from churn_daal.serving.http import connection, heads

from .conftest import LARGE, LIMIT, PATIENCE, Running

GET = b"GET /quick HTTP/1.1\r\nHost: x\r\n"
OFFER = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABk")


def post(body: bytes, *headers: str, path: str = "/quick") -> bytes:
    """Frame a request with a length."""
    head = [f"POST {path} HTTP/1.1", "Host: x", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(head).encode() + body


def read(client: socket.socket) -> tuple[int, dict[str, str], bytes]:
    """Read one answer with a length."""
    with client.makefile("rb") as file:
        status = int(file.readline().split()[1])
        lines = b"".join(iter(file.readline, b"\r\n"))
        headers = {k.lower(): v for k, v in BytesParser().parsebytes(lines).items()}
        return status, headers, file.read(int(headers.get("content-length", 0)))


def refusal(answer: bytes) -> tuple[int, str]:
    """Take a refusal apart."""
    head, _, body = answer.partition(b"\r\n\r\n")
    document = json.loads(body)
    assert set(document) == {"error", "status"}
    assert document["status"] == int(head.split()[1])
    return document["status"], document["error"]


@pytest.mark.parametrize("path", ["/quick", "/slow"], ids=["in the loop", "in a thread"])
def test_a_connection_is_kept(running: Running, path: str) -> None:
    """Request after request, each with its own body."""
    with contextlib.closing(running.connect()) as client:
        for body in (b"one", b"", b"x" * 70_000):
            client.sendall(post(body, path=path))
            status, headers, answered = read(client)
            assert (status, answered) == (200, body)
            assert "connection" not in headers
            assert headers["date"].endswith("GMT")


def test_pipelined_requests_are_answered_in_order(running: Running) -> None:
    """Those made in a thread do not let the quick ones behind them pass."""
    bodies = [str(n).encode() for n in range(40)]
    sent = [post(b, path="/slow" if n % 3 == 0 else "/quick") for n, b in enumerate(bodies)]

    answer = running.exchange(b"".join(sent))

    assert [
        part.partition(b"\r\n\r\n")[2] for part in answer.split(b"HTTP/1.1 200 OK")[1:]
    ] == bodies


def test_bytes_may_come_one_by_one(running: Running) -> None:
    """And the request is the same."""
    with contextlib.closing(running.connect()) as client:
        for byte in post(b"body", "X-Long-Name: value", path="/quick?a=1&b=%20"):
            client.sendall(bytes([byte]))
        assert read(client)[::2] == (200, b"body")
    environ = running.app.seen[0]
    assert environ["HTTP_X_LONG_NAME"] == "value"
    assert environ["QUERY_STRING"] == "a=1&b=%20"


@pytest.mark.parametrize(
    ("target", "path", "query"),
    [
        ("/quick/a%20b%2Fc?x=%2F", "/quick/a b/c", "x=%2F"),
        ("http://host:1/quick?x", "/quick", "x"),
        ("http://host", "/", ""),
        ("*", "*", ""),
        ("/quick#part?x", "/quick", ""),
    ],
)
def test_the_target(running: Running, target: str, path: str, query: str) -> None:
    """As WSGI has it: unescaped, in latin-1, beside the raw form."""
    running.exchange(f"OPTIONS {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode())

    environ = running.app.seen[0]
    assert (environ["PATH_INFO"], environ["QUERY_STRING"]) == (path, query)
    assert environ["RAW_URI"] == target


def test_headers_as_wsgi_has_them(running: Running) -> None:
    """Doubled ones joined, and no `A_B` that passes for `A-B`."""
    running.exchange(
        post(b"", "Content-Type: text/csv", "Accept: a", "accept: b", "X_Inference-Id: forged")
    )

    environ = running.app.seen[0]
    assert environ["CONTENT_TYPE"] == "text/csv"
    assert environ["CONTENT_LENGTH"] == "0"
    assert environ["HTTP_ACCEPT"] == "a,b"
    assert not [name for name in environ if "FORGED" in name or "INFERENCE" in name]
    assert environ["REMOTE_ADDR"] == "127.0.0.1"


def test_a_chunked_body(running: Running) -> None:
    """With extensions and trailers."""
    head = GET.replace(b"GET", b"POST") + b"Transfer-Encoding: Chunked\r\nConnection: close\r\n\r\n"

    answer = running.exchange(head, b"3;a=b\r\nabc\r\n", b"2\r\nde\r\n0\r\nX: y\r\n\r\n")

    assert answer.endswith(b"\r\n\r\nabcde")


@pytest.mark.parametrize(
    ("request_line", "headers", "closed"),
    [
        (b"GET /quick HTTP/1.0", b"", True),
        (b"GET /quick HTTP/1.0", b"Connection: keep-alive\r\n", True),
        (b"GET /quick HTTP/1.1", b"Connection: close\r\n", True),
        (b"GET /quick HTTP/1.1", b"", False),
    ],
)
def test_who_ends_a_connection(
    running: Running, request_line: bytes, headers: bytes, closed: bool
) -> None:
    """The server, where the client asked for it or is of HTTP/1.0."""
    with contextlib.closing(running.connect()) as client:
        client.sendall(request_line + b"\r\nHost: x\r\n" + headers + b"\r\n")
        status, answered, _ = read(client)
        assert status == 200
        assert (answered.get("connection") == "close") == closed
        if closed:
            assert client.recv(1) == b""


def test_an_offer_to_upgrade_is_passed_over(running: Running) -> None:
    """As Java's client makes it with its first request."""
    with contextlib.closing(running.connect()) as client:
        client.sendall(post(b"first", *OFFER) + post(b"second"))
        assert read(client)[2] == b"first"
    answer = running.exchange(post(b"first", *OFFER), post(b"second", "Connection: close"))
    assert answer.count(b"HTTP/1.1 200") == 2


@pytest.mark.parametrize(
    ("path", "method", "expected"),
    [("/quick", b"HEAD", b"Content-Length: 4\r\n\r\n"), ("/none", b"POST", b"GMT\r\n\r\n")],
)
def test_answers_without_a_body(
    running: Running, path: str, method: bytes, expected: bytes
) -> None:
    """To HEAD, and 204: nothing follows the headers that could pass for the next answer."""
    sent = post(b"body", path=path).replace(b"POST", method, 1)
    with contextlib.closing(running.connect()) as client:
        client.sendall(sent)
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += client.recv(1)
        assert head.endswith(expected)
        client.sendall(post(b"next"))
        assert read(client)[2] == b"next"


def test_a_large_answer_waits_for_its_reader(running: Running) -> None:
    """It is not piled up in memory while the client takes nothing."""
    with contextlib.closing(running.connect()) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2**16)
        client.sendall(post(b"", path="/large") + post(b"after", "Connection: close"))
        client.recv(1, socket.MSG_PEEK)
        (held,) = running.shared.connections
        assert held._transport.get_write_buffer_size() < LARGE / 8
        received = client.makefile("rb").read()
    first, _, rest = received.partition(b"\r\n\r\n")
    assert f"Content-Length: {LARGE}".encode() in first
    assert rest[:LARGE] == b"x" * LARGE
    assert rest.endswith(b"\r\n\r\nafter")


@pytest.mark.parametrize("path", ["/fault", "/split"])
def test_faults_of_the_app(running: Running, path: str, caplog: pytest.LogCaptureFixture) -> None:
    """500 and a traceback in the log; the server goes on."""
    answer = running.exchange(post(b"", path=path))

    assert answer.startswith(b"HTTP/1.1 500")
    assert b"Set-Cookie" not in answer
    assert "Traceback" in caplog.text
    assert running.exchange(post(b"on")).endswith(b"on")


@pytest.mark.parametrize(
    ("sent", "status", "reason"),
    [
        (b"nonsense\r\n\r\n", 400, "no whole request of HTTP/1.1"),
        (b"GET /quick HTTP/1.1\r\nHost x\r\n\r\n", 400, "no whole request"),
        (GET + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", 400, "no whole request"),
        (GET + b"Content-Length: -5\r\n\r\n", 400, "no whole request"),
        (GET + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n", 400, "no whole request"),
        (GET + b"Transfer-Encoding: gzip, chunked\r\n\r\n", 501, "send chunked, or a length"),
        (GET + b"Expect: a-miracle\r\n\r\n", 417, "Expect a-miracle is not understood"),
        (GET + b"X: " + b"y" * 40_000 + b"\r\n\r\n", 431, "headers came to more than 32,768 bytes"),
        (GET + b"X: y\r\n" * 20_000 + b"\r\n", 431, "headers came to more"),
        (b"GET /" + b"x" * 40_000 + b" HTTP/1.1\r\n\r\n", 414, "request line came to more"),
        (b"GET /quick HTTP/1.1\r\nHo", 400, "ended"),
        (post(b"x" * 100)[:-50], 400, "the body could not be read: the client ended"),
        (post(b"x" * (LIMIT + 1)), 413, f"has {LIMIT + 1:,} bytes and is over the limit"),
        (
            GET
            + b"Transfer-Encoding: chunked\r\n\r\n"
            + b"20000\r\n"
            + b"x" * 0x20000
            + b"\r\n0\r\n\r\n",
            413,
            "the body is over the limit",
        ),
        (GET + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400, "the body could not be read"),
    ],
    ids=lambda value: value[:0].decode() if isinstance(value, bytes) else str(value)[:24],
)
def test_what_is_refused(running: Running, sent: bytes, status: int, reason: str) -> None:
    """Each in the one shape, the connection ended unless all came, and the server goes on."""
    answer = running.exchange(sent)

    found, text = refusal(answer)
    assert (b"\r\nConnection: close" in answer) == (status != 413)
    assert found == status
    assert reason in text
    assert running.exchange(post(b"on")).endswith(b"on")


def test_a_refused_client_that_still_sends_gets_its_answer(running: Running) -> None:
    """It would see a reset, were the connection ended at once."""
    body = b"x" * (4 * 2**20)
    for begin in (post(body)[: -len(body)], GET + b"X: " + b"y" * 40_000 + b"\r\n"):
        answer = running.exchange(begin, body)
        assert answer.startswith((b"HTTP/1.1 413", b"HTTP/1.1 431"))


def test_expect_100_continue(running: Running) -> None:
    """The word is given, or the last one where the body would be refused."""
    with contextlib.closing(running.connect()) as client:
        client.sendall(post(b"body", "Expect: 100-continue")[:-4])
        assert client.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(b"body")
        assert read(client)[2] == b"body"
    head = post(b"x" * (LIMIT + 1), "Expect: 100-continue")[: -LIMIT - 1]
    assert running.exchange(head, end=False).startswith(b"HTTP/1.1 413")


def test_half_open_clients_hold_nothing(running: Running) -> None:
    """Many more than there are threads, in every stage of a request; others do not wait."""
    stages = [b"", GET[:10], GET, post(b"x" * 100)[:-50], post(b"x" * 100, path="/slow")[:-50]]
    with contextlib.ExitStack() as stack:
        for n in range(100):
            client = stack.enter_context(contextlib.closing(running.connect()))
            client.sendall(stages[n % len(stages)])
        for path in ("/quick", "/slow"):
            assert running.exchange(post(b"on", path=path)).endswith(b"on")
        assert len(running.shared.connections) >= 100


@pytest.mark.parametrize(
    ("limit", "sent", "status"),
    [
        ("STALL_SECONDS", post(b"x" * 100)[:-50], 408),
        ("STALL_SECONDS", GET, 408),
        ("KEEPALIVE_SECONDS", b"", None),
        ("KEEPALIVE_SECONDS", post(b"whole"), 200),
    ],
    ids=["body", "head", "nothing", "idle"],
)
def test_silence_has_an_end(
    running: Running, monkeypatch: pytest.MonkeyPatch, limit: str, sent: bytes, status: int | None
) -> None:
    """In the middle of a request with 408, between two without a word."""
    monkeypatch.setattr(connection, limit, 0.1)

    answer = running.exchange(sent, end=False)

    if status is None:
        assert answer == b""
    else:
        assert answer.startswith(f"HTTP/1.1 {status}".encode())


def test_a_client_that_takes_nothing_is_let_go(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the middle of a large answer."""
    monkeypatch.setattr(connection, "UNREAD_SECONDS", 0.1)
    with contextlib.closing(running.connect()) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2**16)
        client.sendall(post(b"", path="/large"))
        received: list[Any] = []
        client.settimeout(PATIENCE)
        with contextlib.suppress(ConnectionResetError):
            while not running.shared.connections:
                pass
            until_gone(running)
            received = list(iter(lambda: client.recv(2**16), b""))
        assert sum(map(len, received)) < LARGE


def until_gone(running: Running) -> None:
    """Wait until no connection is left."""
    end = time.monotonic() + PATIENCE
    while running.shared.connections:
        assert time.monotonic() < end


def test_the_end_lets_requests_finish(running: Running) -> None:
    """In a thread or half come; idle connections end at once, and none is kept."""
    with contextlib.ExitStack() as stack:
        idle, busy, half = (
            stack.enter_context(contextlib.closing(running.connect())) for _ in range(3)
        )
        idle.sendall(post(b"before"))
        assert read(idle)[0] == 200
        busy.sendall(post(b"busy", path="/hold"))
        assert running.app.held.acquire(timeout=PATIENCE)
        half.sendall(post(b"half")[:-2])
        with contextlib.closing(running.connect()) as last:
            last.sendall(post(b"seen"))
            assert read(last)[0] == 200

        running.do(running.shared.stop)

        assert idle.recv(1) == b""
        half.sendall(b"lf")
        running.app.hold.set()
        for client, body in ((half, b"half"), (busy, b"busy")):
            status, headers, answered = read(client)
            assert (status, headers["connection"], answered) == (200, "close", body)
            assert client.recv(1) == b""


def test_blanks_around_a_value_are_none_of_it(running: Running) -> None:
    """Behind it too, where the parser leaves them."""
    answer = running.exchange(
        post(b"body", "Expect: 100-continue \t", "Accept: \t a b \t "),
        GET.replace(b"GET", b"POST") + b"Transfer-Encoding: chunked \r\n\r\n1\r\nx\r\n0\r\n\r\n",
    )

    assert answer.count(b"HTTP/1.1 200") == 2
    assert running.app.seen[0]["HTTP_ACCEPT"] == "a b"


@pytest.mark.parametrize("rest", [b"garbage\r\n\r\n", b"POST / HTTP/9\r\n\r\n"])
def test_what_is_refused_behind_an_offer(running: Running, rest: bytes) -> None:
    """It is answered, as it is anywhere else."""
    answer = running.exchange(post(b"", *OFFER) + rest)

    assert answer.startswith(b"HTTP/1.1 200")
    assert b"HTTP/1.1 400" in answer


def test_many_offers_at_once(running: Running) -> None:
    """Each is passed over."""
    answer = running.exchange(post(b"", *OFFER) * 1500)

    assert answer.count(b"HTTP/1.1 200") == 1500


def test_an_offer_and_an_end(running: Running) -> None:
    """The client that asks for the connection's end gets it."""
    offer = ("Connection: Upgrade, close", "Upgrade: h2c")

    answer = running.exchange(post(b"", *offer), end=False)

    assert b"\r\nConnection: close" in answer


@pytest.mark.parametrize(
    "begin",
    [
        GET + b"X: ",
        GET,
        GET.replace(b"GET", b"POST") + b"Transfer-Encoding: chunked\r\n\r\n0\r\nX: ",
        GET.replace(b"GET", b"POST") + b"Transfer-Encoding: chunked\r\n\r\n1;",
    ],
    ids=["value", "name", "trailer", "chunk"],
)
def test_a_header_without_an_end(running: Running, begin: bytes) -> None:
    """It is refused while it comes, not held in memory until its end."""
    with contextlib.closing(running.connect()) as client:
        client.sendall(begin)
        with contextlib.suppress(ConnectionError):
            client.sendall(b"y" * 2**21)
        assert client.recv(100).startswith(b"HTTP/1.1 431")


def test_a_client_that_only_asks_is_not_answered_on_and_on(running: Running) -> None:
    """What it does not take is not piled up: it is not read any further either."""
    body = b"x" * 50_000
    with contextlib.closing(running.connect()) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2**16)
        client.settimeout(0.5)
        with contextlib.suppress(TimeoutError):
            for _ in range(1000):
                client.sendall(post(body))
        (held,) = running.shared.connections
        assert held._transport.get_write_buffer_size() < 2**20
        client.settimeout(PATIENCE)
        client.shutdown(socket.SHUT_WR)
        answer = client.makefile("rb").read()
    # All that came whole is answered when the client reads at last.
    assert answer.count(b"HTTP/1.1 200") >= len(running.app.seen) - 1


def test_the_word_to_go_on_is_given_late(running: Running) -> None:
    """To a request that came while another was being answered: else it would wait for ever."""
    with contextlib.closing(running.connect()) as client:
        client.sendall(post(b"first", path="/hold"))
        assert running.app.held.acquire(timeout=PATIENCE)
        client.sendall(post(b"second", "Expect: 100-continue")[:-6])
        running.app.hold.set()
        received = b""
        while not received.endswith(b"first" + b"HTTP/1.1 100 Continue\r\n\r\n"):
            piece = client.recv(1000)
            assert piece
            received += piece
        client.sendall(b"second")
        assert read(client)[2] == b"second"


def test_no_end_of_requests_in_parts(running: Running) -> None:
    """What is held against one request's headers is forgotten with it."""
    head, body = post(b"x" * 900)[:-800], b"x" * 800
    with contextlib.closing(running.connect()) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for _ in range(300):
            client.sendall(head)
            client.sendall(body)
            assert read(client)[0] == 200


def test_a_client_that_takes_little_is_not_let_go(running: Running) -> None:
    """However long one answer takes, while some of it is taken."""
    with contextlib.closing(running.connect()) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2**16)
        client.sendall(post(b"", path="/whole"))
        client.recv(1, socket.MSG_PEEK)
        (held,) = running.shared.connections
        running.do(running.shared.check)
        before, left = held.active, held._transport.get_write_buffer_size()
        assert left > LARGE / 4

        while held._transport.get_write_buffer_size() == left:
            client.recv(2**16)
        running.do(running.shared.check)

        assert held._transport.get_write_buffer_size() > 0
        assert held.active > before


def test_a_client_that_goes_leaves_nothing(running: Running) -> None:
    """In the middle of a large answer: what it sent is not held on to."""
    with contextlib.closing(running.connect()) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2**16)
        client.sendall(post(b"x" * 50_000, path="/large"))
        client.recv(1, socket.MSG_PEEK)
        (held,) = running.shared.connections
        end = time.monotonic() + PATIENCE
        while not held._unread:
            assert time.monotonic() < end
    until_gone(running)

    assert running.app.seen[0]["wsgi.input"].whole() == b""


def test_nothing_is_made_for_a_client_that_has_gone(running: Running) -> None:
    """The rest of a large answer would hold up the loop."""
    with contextlib.closing(running.connect()) as client:
        client.sendall(post(b"", path="/gone"))
        client.recv(1, socket.MSG_PEEK)
    running.app.hold.set()
    until_gone(running)

    assert running.app.pieces < 5


def test_a_refusal_of_the_loops_own_is_logged(
    running: Running, caplog: pytest.LogCaptureFixture
) -> None:
    """As any other is, as a warning: the app never hears of it."""
    running.exchange(b"nonsense\r\n\r\n")

    (line,) = caplog.records
    assert line.levelname == "WARNING"
    assert line.getMessage().startswith("refused with 400: this is no whole request")
    assert not running.app.seen


@pytest.mark.parametrize("ended", [False, True], ids=["the server ends", "the client too"])
def test_the_end_lets_pipelined_requests_finish(running: Running, ended: bool) -> None:
    """Those that had come whole; the last answer says that it is the last."""
    with contextlib.closing(running.connect()) as client:
        client.sendall(post(b"first", path="/hold") + post(b"second") + post(b"third"))
        assert running.app.held.acquire(timeout=PATIENCE)
        if ended:
            client.shutdown(socket.SHUT_WR)
        running.do(running.shared.stop)
        running.app.hold.set()
        answer = client.makefile("rb").read()

    assert answer.count(b"HTTP/1.1 200") == 3
    assert answer.count(b"Connection: close") == 1
    assert answer.endswith(b"third")


def test_no_long_name_is_kept(running: Running) -> None:
    """Names are kept for the next request, but not whatever a client makes up."""
    name = b"X-" + b"y" * 20_000

    assert running.exchange(GET + name + b": z\r\n\r\n").startswith(b"HTTP/1.1 200")
    assert running.app.seen[0][f"HTTP_X_{'Y' * 20_000}"] == "z"
    assert name not in heads._names
    assert b"Host" in heads._names


@pytest.mark.parametrize("ended", [False, True], ids=["the server ends", "the client"])
def test_the_end_in_the_middle_of_a_large_answer(running: Running, ended: bool) -> None:
    """It comes when the answer is whole, though its headers knew nothing of it."""
    with contextlib.closing(running.connect()) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2**16)
        client.sendall(post(b"", path="/large"))
        client.recv(1, socket.MSG_PEEK)
        (held,) = running.shared.connections
        end = time.monotonic() + PATIENCE
        while not held._unread:
            assert time.monotonic() < end
        if ended:
            client.shutdown(socket.SHUT_WR)
            while not held._ended:
                assert time.monotonic() < end
        else:
            running.do(running.shared.stop)

        assert client.makefile("rb").read().endswith(b"x" * LARGE)


def test_what_comes_at_the_same_moment_is_answered_together(running: Running) -> None:
    """Each client gets its own answer, and goes on."""
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(contextlib.closing(running.connect())) for _ in range(6)]
        for word in (b"one", b"two"):
            running.do(lambda word=word: _send_all(clients, word))
            answers = [read(client)[2] for client in clients]
            assert answers == [b"%b %d" % (word, place) for place in range(6)]

    assert sum(running.quick.groups) == 12
    assert max(running.quick.groups) > 1


def test_a_fault_among_them_is_told_to_each(
    running: Running, caplog: pytest.LogCaptureFixture
) -> None:
    """500 and a traceback in the log; the connections stay."""
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(contextlib.closing(running.connect())) for _ in range(3)]
        running.do(lambda: _send_all(clients, b"", path="/quick/fault"))
        assert [read(client)[0] for client in clients] == [500] * 3
        running.do(lambda: _send_all(clients, b"on"))
        assert [read(client)[0] for client in clients] == [200] * 3

    assert "Traceback" in caplog.text


def test_one_of_them_may_have_gone(running: Running) -> None:
    """The others get their answers."""
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(contextlib.closing(running.connect())) for _ in range(3)]
        gone = running.connect()
        gone.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

        def send() -> None:
            _send_all([gone, *clients], b"x")
            gone.close()

        running.do(send)
        assert [read(client)[2] for client in clients] == [b"x 1", b"x 2", b"x 3"]


def test_one_answer_may_break_off(running: Running, caplog: pytest.LogCaptureFixture) -> None:
    """Its connection ends; the others get their answers, and go on."""
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(contextlib.closing(running.connect())) for _ in range(3)]
        broken = stack.enter_context(contextlib.closing(running.connect()))

        def send() -> None:
            _send_all([broken], b"", path="/quick/broken")
            _send_all(clients, b"x")

        running.do(send)
        assert [read(client)[2] for client in clients] == [b"x 0", b"x 1", b"x 2"]
        assert broken.makefile("rb").read().endswith(b"\r\n\r\nx")

    assert "ZeroDivisionError" in caplog.text


def test_what_is_quick_no_more_goes_to_a_thread(running: Running) -> None:
    """As an invocation on a model of which a load has begun meanwhile."""
    with contextlib.closing(running.connect()) as client:
        client.sendall(post(b"x", path="/quick/once"))
        assert read(client)[2] == b"x"

    assert sum(running.quick.groups) == 0


def _send_all(clients: list[socket.socket], word: bytes, path: str = "/quick") -> None:
    for place, client in enumerate(clients):
        client.sendall(post(b"%b %d" % (word, place), path=path))
