"""Bodies become the matrix their rows mean, or are refused at a row and column."""

from __future__ import annotations

import re

import numpy as np
import pytest

from churn_daal.artifact import Model
from churn_daal.errors import DecodeError, SchemaError
from churn_daal.serving.decode import decode_csv, decode_json
from churn_daal.tabular.encoder import Encoder
from churn_daal.tabular.schema import Column, Schema

# Columns: n, c=u, c=v, c=w, b.
ONE = [1.5, 0, 1, 0, 1]
NONE = [np.nan, 0, 0, 0, np.nan]


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


@pytest.mark.parametrize(
    "body",
    [
        '{"n": 1.5, "c": "v", "b": true}',
        '{"b": "yes", "y": "go", "n": "1.5", "c": "v"}',
        '[1.5, "v", true]',
        '[[1.5, "v", 1]]',
        '{"instances": [{"n": 1.5, "c": "v", "b": true}]}',
        '{"instances": [[1.5, "v", true]]}',
        '{"instances": [{"features": [1.5, "v", true]}]}',
        '[{"features": [1.5, "v", "y"]}]',
    ],
)
def test_json(small: Model, body: str) -> None:
    """A record, a list, rows of either, and the built-in algorithms' dialect."""
    np.testing.assert_array_equal(decode_json(body.encode(), {}, small.encoder), [ONE])


def test_json_may_begin_with_a_byte_order_mark(small: Model) -> None:
    """As CSV may."""
    body = b'\xef\xbb\xbf[1.5, "v", true]'

    np.testing.assert_array_equal(decode_json(body, {}, small.encoder), [ONE])


def test_json_null_is_missing(small: Model) -> None:
    """Null by name and by position."""
    body = b'[{"n": null, "c": null, "b": null}, [null, null, null]]'

    np.testing.assert_array_equal(decode_json(body, {}, small.encoder), [NONE, NONE])


@pytest.mark.parametrize(
    ("body", "error", "message"),
    [
        ('{"n": 1', DecodeError, "row 1: unexpected end of data, at character"),
        ("[NaN]", DecodeError, "at character 2"),
        ("7", SchemaError, "the body is 7; expected a record"),
        ("[]", SchemaError, "an empty list of rows"),
        ('{"instances": 1}', SchemaError, "instances is not a list"),
        ('{"instances": [1]}', SchemaError, "row 1: 1 is no row"),
        ("[[1, 2]]", SchemaError, "row 1: 2 values came, the model expects 3"),
        ('[[1, "u", true], 3]', SchemaError, "row 2: 3 is no row"),
        ('{"n": 1, "c": "u"}', SchemaError, "row 1: 2 names came, 'b' of the model's 3 columns"),
        (
            '{"n": 1, "c": "u", "bb": 1}',
            SchemaError,
            "row 1: unknown name 'bb' (did you mean 'b'?); the",
        ),
        ('{"features": [1, "u", true], "n": 1}', SchemaError, "row 1: unknown name 'features'"),
        ('{"n": 1, "c": "u", "b": 1, "z": 1}', SchemaError, "row 1: unknown name 'z'"),
        ('[["x", "u", true]]', SchemaError, "row 1, column 1 ('n'): 'x' is not a number"),
        ('[[{}, "u", true]]', SchemaError, "row 1, column 1 ('n'): an object is not a number"),
    ],
)
def test_broken_json(small: Model, body: str, error: type[Exception], message: str) -> None:
    """Not JSON is undecodable; JSON of another shape is against the schema."""
    with pytest.raises(error, match=re.escape(message)):
        decode_json(body.encode(), {}, small.encoder)
