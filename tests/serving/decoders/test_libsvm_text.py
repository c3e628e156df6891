"""libsvm requests mean what the same lines meant in training."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from churn_daal.errors import DecodeError, SchemaError
from churn_daal.serving.decoders import blocks, libsvm_text
from churn_daal.tabular.encoder import Encoder

from .bodies import LIBSVM, NUMBERS, WORDS, decode

NAN = np.nan
# Columns: n, b, k=1, k=2.5, k=10.
NONE = [NAN, NAN, 0, 0, 0]


@pytest.mark.parametrize(
    ("body", "rows"),
    [
        (b"1:1.5 2:1 3:10", [[1.5, 1, 0, 0, 1]]),
        (b"3:2.5 1:1.5\r\n", [[1.5, NAN, 0, 1, 0]]),
        (b"1 1:1.5\nNaN qid:7 2:1", [[1.5, NAN, 0, 0, 0], [NAN, 1, 0, 0, 0]]),
        (b"\n1:0\n\n\n \n", [NONE, [0, NAN, 0, 0, 0]]),
        (b"1:1\n# nothing\n\n2:NaN # here\n", [[1, NAN, 0, 0, 0], NONE, NONE, NONE]),
        (b"\n \n", np.empty((0, 5))),
    ],
)
def test_lines(body: bytes, rows: list[list[float]]) -> None:
    """A feature that a row lacks is missing; each line is a row, but for empty ones at the end."""
    np.testing.assert_array_equal(decode(LIBSVM, body, NUMBERS), rows)


def test_the_models_own_rule_numbers_the_features() -> None:
    """Whatever indices a request has: one without feature 0 does not count from 1."""
    zero = Encoder(replace(NUMBERS.schema, index_base=0))

    np.testing.assert_array_equal(decode(LIBSVM, b"1:1 2:1", zero), [[NAN, 1, 1, 0, 0]])
    np.testing.assert_array_equal(decode(LIBSVM, b"0:3", zero), [[3, NAN, 0, 0, 0]])
    with pytest.raises(SchemaError, match="row 1: index 0, but features are numbered from 1 here"):
        decode(LIBSVM, b"0:3", NUMBERS)


@pytest.mark.parametrize(
    ("body", "error", "message"),
    [
        (b"1:1\n1=2", DecodeError, "row 2: '1=2' is not index:value"),
        (b"1:1\n4:2", SchemaError, "row 2: index 4, but the model has 3 feature(s), numbered from"),
        (b"1:1\n\n2:7", SchemaError, "row 3, column 2 ('b'): '7.0' is not a yes or no"),
        (b"1:1\n2 1:1 qid:7", DecodeError, "row 2: 'qid:7' comes late"),
        (b"1:1 1:2", DecodeError, "row 1: index 1 comes twice"),
        (b"1:1e60", DecodeError, "row 1: index 1: '1e60' is beyond float32's range"),
        (b"1,2,3", DecodeError, "row 1: '1,2,3' is not index:value"),
        (b"\xff", DecodeError, "row 1: '\ufffd' is not index:value"),
    ],
)
def test_broken_lines(body: bytes, error: type[Exception], message: str) -> None:
    """The line is named, what came, and the remedy."""
    with pytest.raises(error, match=re.escape(message)):
        decode(LIBSVM, body, NUMBERS)


def test_a_category_of_words_is_refused() -> None:
    """No number is one of them; what to send instead is said."""
    with pytest.raises(
        SchemaError, match=r"column 2 \('c'\): a category of words such as 'w', and"
    ):
        decode(LIBSVM, b"1:1", WORDS)


def test_a_body_of_many_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Empty lines where a piece ends are rows like others; numbers go on."""
    monkeypatch.setattr(blocks, "_CELLS", 10)
    monkeypatch.setattr(libsvm_text, "_PIECE", 16)
    monkeypatch.setattr(libsvm_text, "_TAIL", 3)
    lines = [f"1:{k}" if k % 3 else "" for k in range(1, 60)]
    expected = [k if k % 3 else NAN for k in range(1, 60)]

    body = "\n".join(lines).encode() + b"\n" * 20

    np.testing.assert_array_equal(decode(LIBSVM, body, NUMBERS)[:, 0], expected)
    with pytest.raises(SchemaError, match="row 61: index 9, but"):
        decode(LIBSVM, "\n".join([*lines, "", "9:1"]).encode(), NUMBERS)
