"""JSON Lines: a row a line, read as training reads its channels."""

from __future__ import annotations

import re

import numpy as np
import pytest

from churn_daal.errors import DecodeError, SchemaError
from churn_daal.serving.decoders import blocks

from .bodies import LINES, WORDS, decode

ONE = [1.5, 0, 1, 0, 1]
NONE = [np.nan, 0, 0, 0, np.nan]


@pytest.mark.parametrize(
    "line",
    [
        '{"n": 1.5, "c": "v", "b": true}',
        '{"b": "yes", "y": "go", "n": "1.5", "c": "v"}',
        '[1.5, "v", 1]',
        '{"features": [1.5, "v", "y"]}',
    ],
)
def test_a_line_is_a_row(line: str) -> None:
    """A record in any order, a list, SageMaker's features; LF or CRLF, a last line end or none."""
    for end in ("\n", "\r\n"):
        body = end.join([line, line]).encode()
        np.testing.assert_array_equal(decode(LINES, body, WORDS), [ONE, ONE])
        np.testing.assert_array_equal(decode(LINES, body + b"\n\n \r\n", WORDS), [ONE, ONE])


def test_what_a_record_leaves_out_is_missing() -> None:
    """Writers such as Spark leave out what is null, and training reads it so."""
    body = b'{"n": 1.5, "c": "v", "b": true}\n{"y": "go"}\n{"b": null, "n": null}\n'

    np.testing.assert_array_equal(decode(LINES, body, WORDS), [ONE, NONE, NONE])


def test_no_lines_are_no_rows() -> None:
    """Which is answered 204."""
    assert decode(LINES, b"\n \n", WORDS).shape == (0, 5)


def test_another_character_set() -> None:
    """`charset=` names it; a byte order mark is no part of the first line."""
    line = '{"n": 1.5, "c": "v", "b": true}\n'

    for charset in ("utf-16", "cp1252", "utf-8-sig"):
        X = decode(LINES, (line * 3).encode(charset), WORDS, {"charset": charset})
        np.testing.assert_array_equal(X, [ONE] * 3)


@pytest.mark.parametrize(
    ("body", "error", "message"),
    [
        ('[1, "u", 1]\n{"n": 1', DecodeError, "row 2: unexpected end of data, at character 8; se"),
        ('[1, "u", 1]\n[NaN, "u", 1]', DecodeError, "row 2: unexpected character"),
        ('[1, "u", 1]\n\n[1, "u", 1]', DecodeError, "row 2: an empty line between rows; remove"),
        ('[[1, "u", 1],\n[1, "u", 1]]', DecodeError, "row 1: unexpected end of data"),
        ('[[1, "u", 1], [1, "u", 1]]', SchemaError, "row 1: a list of rows, but JSON Lines has"),
        ('[1, "u", 1]\n{"nn": 1}', SchemaError, "row 2: unknown name 'nn' (did you mean 'n'?)"),
        ('[1, "u", 1]\n7', SchemaError, "row 2: 7 is no row; expected a record or a list"),
        ('[1, "u"]', SchemaError, "row 1: 2 values came, the model expects 3"),
        ('{"n": {}, "c": 1}', SchemaError, "row 1, column 1 ('n'): an object is not a number"),
        ("[" * 5000, DecodeError, "row 1: depth limit exceeded"),
    ],
)
def test_broken_lines(body: str, error: type[Exception], message: str) -> None:
    """The line is named; a deep one is refused like any other."""
    with pytest.raises(error, match=re.escape(message)):
        decode(LINES, body.encode(), WORDS)


def test_a_body_of_many_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines keep their order and their numbers over pieces and blocks."""
    monkeypatch.setattr(blocks, "_CELLS", 9)
    monkeypatch.setattr(blocks, "PIECE_BYTES", 50)
    body = b"".join(b'{"n": %d, "c": "u", "b": true}\n' % k for k in range(50))

    np.testing.assert_array_equal(decode(LINES, body, WORDS)[:, 0], range(50))
    with pytest.raises(SchemaError, match="row 51: unknown name 'z'"):
        decode(LINES, body + b'{"z": 1}\n', WORDS)
