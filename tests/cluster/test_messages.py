"""Hosts say six things to each other, and nothing else is heard."""

from __future__ import annotations

import json

import pytest

from churn_daal.cluster.faults import peer_error
from churn_daal.cluster.messages import MAX_LINE, MAX_REASON, Lines, ProtocolError, decode, encode
from churn_daal.errors import AlgorithmError, ChurnDaalError, UserError


def test_messages_survive_any_cut() -> None:
    """Bytes may arrive one by one or all at once."""
    stream = encode("hello", host="algo-2", job="x") + encode("beat") + encode("start", port=9099)
    expected = [
        {"kind": "hello", "host": "algo-2", "job": "x"},
        {"kind": "beat"},
        {"kind": "start", "port": 9099},
    ]
    slowly = Lines()

    assert Lines().feed(stream) == expected
    assert [m for byte in stream for m in slowly.feed(bytes([byte]))] == expected


def test_the_longest_reason_fits() -> None:
    """Even one that JSON writes six bytes a character for, of a host with a long name."""
    line = encode("failed", host="h" * 255, reason="\x00" * MAX_REASON)

    assert len(line) <= MAX_LINE
    assert decode(line)["reason"] == "\x00" * MAX_REASON


@pytest.mark.parametrize(
    "line",
    [
        b"GET / HTTP/1.1",
        b"[]",
        b"{}",
        b"17",
        b'{"kind": ["beat"]}',
        b'{"kind": "shutdown"}',
        b'{"kind": "start"}',
        b'{"kind": "start", "port": "9099"}',
        b'{"kind": "start", "port": true}',
        b'{"kind": "beat", "more": 1}',
        b"\xff\xfe",
        b"[" * 5_000,
    ],
)
def test_anything_else_is_refused(line: bytes) -> None:
    """Other kinds, members and types, and what is no JSON at all."""
    with pytest.raises(ProtocolError):
        decode(line)


def test_an_endless_line_is_refused_before_its_end() -> None:
    """No stranger fills the memory."""
    lines = Lines()
    lines.feed(b"x" * MAX_LINE)

    with pytest.raises(ProtocolError, match="more than"):
        lines.feed(b"x")


@pytest.mark.parametrize(
    ("reason", "kind", "text"),
    [
        ("UserError: row 7", UserError, "host 'algo-2' failed: row 7"),
        ("AlgorithmError: KeyError: 3", AlgorithmError, "host 'algo-2' failed: KeyError: 3"),
        ("is lost: no word", AlgorithmError, "host 'algo-2' is lost: no word"),
        ("UserError: the hosts differ in X", UserError, "the hosts differ in X"),
    ],
)
def test_an_error_keeps_its_class_on_the_way(
    reason: str, kind: type[ChurnDaalError], text: str
) -> None:
    """A user's fault on one host is the user's fault on all."""
    error = peer_error("algo-2", reason)

    assert (type(error), str(error)) == (kind, text)


def test_no_text_breaks_a_line() -> None:
    """Line ends and half characters inside a reason stay inside it."""
    line = encode("failed", host="a", reason="one\ntwo\udcff")

    assert line.count(b"\n") == 1
    assert json.loads(line)["reason"] == "one\ntwo?"
