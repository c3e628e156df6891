"""`application/jsonlines`: a row a line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from churn_daal.errors import DecodeError, SchemaError
from churn_daal.serving.decoders.blocks import UTF8, line_pieces
from churn_daal.serving.decoders.json_rows import encode_rows
from churn_daal.tabular.encoder import Encoder, Matrix


def decode_json_lines(
    body: memoryview, parameters: Mapping[str, str], encoder: Encoder
) -> Iterator[Matrix]:
    """Decode lines that are each a row, see `json_rows.values_of`.

    A name that a record leaves out is missing, as in training's JSON Lines, where writers such as
    Spark leave out what is null. Empty lines at the end are passed over.

    Raises
    ------
    DecodeError
        A line is not JSON, or an empty line stands between rows.
    SchemaError
        A row breaks the schema; row and column are named.
    """
    rows = _rows(body, parameters.get("charset", UTF8))
    return encode_rows(rows, encoder, absent=True)


def _rows(body: memoryview, charset: str) -> Iterator[tuple[int, Any]]:
    number = empty = 0
    for piece in line_pieces(body, charset):
        for line in piece.removesuffix(b"\n").split(b"\n"):
            number += 1
            if not line or line.isspace():
                empty = empty or number
                continue
            if empty:
                raise DecodeError("an empty line between rows; remove it", row=empty)
            yield number, _parsed(line, number)


def _parsed(line: bytes, number: int) -> Any:  # noqa: ANN401 - JSON of any shape
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise DecodeError(
            f"{error.msg}, at character {error.pos + 1}; send one whole record on each line (in "
            "pandas, to_json with orient='records' and lines=True), and null for missing",
            row=number,
        ) from None
    if isinstance(row, list) and row and isinstance(row[0], list | dict):
        raise SchemaError(
            "a list of rows, but JSON Lines has one row a line; take the outer list away, or send "
            "application/json",
            row=number,
        )
    return row
