"""CSV becomes the matrix its rows mean, or is refused at a row and column."""

from __future__ import annotations

import re

import numpy as np
import pytest

from churn_daal.artifact import Model
from churn_daal.errors import DecodeError, SchemaError
from churn_daal.serving.decoders import FORMATS, blocks
from churn_daal.tabular.encoder import Encoder, Matrix
from churn_daal.tabular.schema import Column, Schema

# Columns: n, c=u, c=v, c=w, b.
ONE = [1.5, 0, 1, 0, 1]
NONE = [np.nan, 0, 0, 0, np.nan]


def decode_csv(body: bytes, parameters: dict[str, str], encoder: Encoder) -> Matrix:
    """Decode a body into one matrix."""
    blocks = FORMATS["text/csv"].decode(memoryview(body), parameters, encoder)
    return np.concatenate([np.empty((0, encoder.schema.width), np.float32), *blocks])


@pytest.mark.parametrize(
    ("body", "rows"),
    [
        ("1.5,v,yes", [ONE]),
        ("1.5,v,yes\n", [ONE]),
        ("1.5,v,yes\r\n1.5,v,yes\r\n\r\n", [ONE, ONE]),
        ("\ufeff1.5,v,yes\n,,\n", [ONE, NONE]),
        (' 1.5 ,"v", YES\nNA,NaN,NA', [ONE, NONE]),
        ("n,c,b\n1.5,v,yes\n", [ONE]),
        ("b,n,c\nyes,1.5,v\n", [ONE]),
        ("b,y,n,c\nyes,go,1.5,v\n", [ONE]),
        ("\n\n", []),
    ],
)
def test_csv(small: Model, body: str, rows: list[list[float]]) -> None:
    """One row or many, LF or CRLF, quotes, empty cells, a header in any order."""
    X = decode_csv(body.encode(), {}, small.encoder)

    np.testing.assert_array_equal(X, np.array(rows, dtype=np.float32).reshape(-1, 5))


def test_the_media_type_says_whether_there_is_a_header(small: Model) -> None:
    """`header=present` and `header=absent` take the place of a look at row 1."""
    with pytest.raises(SchemaError, match=r"row 1: unknown name '1\.5'"):
        decode_csv(b"1.5,v,yes\n1,u,no", {"header": "present"}, small.encoder)
    with pytest.raises(DecodeError, match=r"row 1, column 1 \('n'\): 'n' is not a number"):
        decode_csv(b"n,c,b\n1,u,no", {"header": "absent"}, small.encoder)
    with pytest.raises(SchemaError, match="header=maybe is neither present nor absent"):
        decode_csv(b"1.5,v,yes", {"header": "maybe"}, small.encoder)


def test_rows_that_look_like_the_names_are_rows() -> None:
    """Only what cannot be data is taken for a header."""
    number = Encoder(Schema((Column("5", "number"),)))
    words = Encoder(
        Schema(tuple(Column(name, "category", "ordinal", ("a", "b")) for name in ("a", "b")))
    )

    np.testing.assert_array_equal(decode_csv(b"5\n1\n", {}, number), [[5], [1]])
    np.testing.assert_array_equal(decode_csv(b"a,b\nb,a\n", {}, words), [[0, 1], [1, 0]])
    np.testing.assert_array_equal(decode_csv(b"b,b\nb,a\n", {}, words), [[1, 1], [1, 0]])
    np.testing.assert_array_equal(decode_csv(b"b,a\nb,a\n", {"header": "present"}, words), [[0, 1]])


def test_an_empty_line_is_one_columns_missing_cell() -> None:
    """A row in, an answer out, where the row is nothing but its missing value."""
    encoder = Encoder(Schema((Column("n", "number"),)))

    X = decode_csv(b"1\n\n2\n\n", {}, encoder)

    np.testing.assert_array_equal(X, [[1], [np.nan], [2], [np.nan]])


def test_a_long_cell_is_read(small: Model) -> None:
    """The csv module's own limit of 131,072 characters is not the server's."""
    body = b"1.5," + b"x" * 200_000 + b",yes"

    np.testing.assert_array_equal(decode_csv(body, {}, small.encoder), [[1.5, 0, 0, 0, 1]])


def test_many_names_cost_no_more_than_their_number(small: Model) -> None:
    """A header of 150,000 names is refused by counting them once, not each against all."""
    with pytest.raises(SchemaError, match="150001 values came, the model expects 3"):
        decode_csv(b"n," * 150_000 + b"c", {}, small.encoder)
    with pytest.raises(SchemaError, match="the name 'n' comes twice"):
        decode_csv(b"n," * 150_000 + b"c,b\n", {"header": "present"}, small.encoder)


@pytest.mark.parametrize(
    ("body", "error", "message"),
    [
        (b"1,u,no\n2,u\n", DecodeError, "row 2: 2 values, but the first row has 3; send every row"),
        (b"n,c,b\n2,u\n", DecodeError, "row 2: 2 values, but the header has 3"),
        (b"1,u\n2,u\n", SchemaError, "row 1: 2 values came, the model expects 3: 'n', 'c', 'b'"),
        (b"1,u,no\n\n2,u,no", DecodeError, "row 2: an empty line between rows"),
        (b"1,u,no\nx,u,no", DecodeError, "row 2, column 1 ('n'): 'x' is not a number"),
        (b"b,c,n\nno,u,1\nno,u,x", DecodeError, "row 3, column 3 ('n'): 'x' is not a number"),
        (b"1,u,perhaps", DecodeError, "row 1, column 3 ('b'): 'perhaps' is not a yes or no"),
        (b'1,"u,no', DecodeError, "row 1: unexpected end of data; mend the quoting"),
        (b"1,u,no\n1,\xff,no", DecodeError, "row 2: byte 0xff is not UTF-8 text; send"),
        (b"n,c,b\n", DecodeError, "row 1: a header, but no rows under it"),
        (b"n,cc,b\n1,u,no", DecodeError, "If row 1 is a header: unknown name 'cc' (did you mean"),
        (b"n,c\n1,u", SchemaError, "If row 1 is a header: 2 names came, 'b' of the model's 3"),
        (b'1,u,no\n1,"u,no\n1,u,no\n', DecodeError, "row 2: unexpected end of data; mend the"),
        (b"n,n,c,b\n1,1,u,no", SchemaError, "row 1: the name 'n' comes twice; send each once"),
    ],
)
def test_broken_csv(small: Model, body: bytes, error: type[Exception], message: str) -> None:
    """Undecodable and against the schema are two kinds; both name the place."""
    with pytest.raises(error, match=re.escape(message)):
        decode_csv(body, {}, small.encoder)


def test_a_quoted_line_break_keeps_the_count(small: Model) -> None:
    """Rows are lines of the body, as an editor shows them."""
    with pytest.raises(DecodeError, match=r"^row 3, column 1 \('n'\)"):
        decode_csv(b'1,"u\nv",no\nx,u,no', {}, small.encoder)


def test_the_schemas_delimiter_is_the_requests() -> None:
    """A model trained on semicolons reads semicolons."""
    encoder = Encoder(Schema((Column("a", "number"), Column("b", "number")), delimiter=";"))

    np.testing.assert_array_equal(decode_csv(b"1;2\n", {}, encoder), [[1, 2]])


def test_a_body_of_many_blocks(monkeypatch: pytest.MonkeyPatch, small: Model) -> None:
    """Rows keep their order and their numbers; the header counts for all blocks."""
    monkeypatch.setattr(blocks, "_CELLS", 6)
    monkeypatch.setattr(blocks, "PIECE_BYTES", 10)
    values = [f"{k}.5" for k in range(25)]
    body = "b,n,c\n" + "".join(f"yes,{value},v\n" for value in values)

    X = decode_csv(body.encode(), {}, small.encoder)

    np.testing.assert_array_equal(X[:, 0], np.array(values, dtype=np.float32))
    with pytest.raises(DecodeError, match=r"^row 28, column 2 \('n'\): 'x' is not a number"):
        decode_csv(body.encode() + b"yes,1,v\nyes,x,v\n", {}, small.encoder)
    with pytest.raises(DecodeError, match="row 27: byte 0xff is not UTF-8"):
        decode_csv(body.encode() + b"yes,1,\xff\n", {}, small.encoder)
