"""Request bodies to matrices: one decoder for each media type, in the table `DECODERS`.

A body that is not what its type says is a DecodeError; one that is, but breaks the model's
schema, a SchemaError. Rows count from 1 as in the body, a header counted.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import orjson

from churn_daal.errors import DataError, DecodeError, SchemaError
from churn_daal.tabular import cells
from churn_daal.tabular.encoder import Encoder, Matrix
from churn_daal.tabular.schema import Schema

Decoder = Callable[[bytes, Mapping[str, str], Encoder], Matrix]


def decode_csv(body: bytes, parameters: Mapping[str, str], encoder: Encoder) -> Matrix:
    """Decode CSV lines by position or, under a header, by name.

    Parameters
    ----------
    body
        UTF-8; LF or CRLF; empty lines at the end are passed over.
    parameters
        `header=present` or `absent` says whether line 1 names columns; without it, it does
        if each of its cells is a name the training data had.
    encoder
        The model's.

    Returns
    -------
    float32 (n, width); n is 0 for a body of empty lines alone.

    Raises
    ------
    DecodeError, SchemaError
        Naming row and column.
    """
    schema = encoder.schema
    lines, rows = _records(_text(body), schema.delimiter)
    if not rows:
        return encoder.from_text([()] * len(schema.columns))
    header = _header(rows[0], parameters.get("header", "auto"), schema)
    if header is not None:
        schema.check_names(header, row=1)
        lines, rows = lines[1:], rows[1:]
        if not rows:
            raise DecodeError("a header, but no rows under it; send at least one row", row=1)
    width = len(rows[0]) if header is None else len(header)
    for line, row in zip(lines, rows, strict=True):
        if len(row) != width:
            first = "the first row" if header is None else "the header"
            raise DecodeError(f"{len(row)} values, but {first} has {width}", row=line)
    if header is None:
        schema.check_count(width, row=lines[0])
    columns: Sequence[Sequence[str]] = list(zip(*rows, strict=True))
    places: Sequence[int] = range(width)
    if header is not None:
        places = [header.index(name) for name in schema.names]
        columns = [columns[place] for place in places]
    try:
        return encoder.from_text(columns)
    except DecodeError as error:
        index, place = (error.row or 1) - 1, (error.column or 1) - 1
        hint = _header_hint(rows[0], schema) if header is None and index == 0 else ""
        raise DecodeError(
            error.reason + hint, row=lines[index], column=places[place] + 1, name=error.name
        ) from None


def decode_json(body: bytes, _: Mapping[str, str], encoder: Encoder) -> Matrix:
    """Decode `{"instances": [...]}`, a list of rows, one record or one list of values.

    A row is a record of named values in any order, a list of values by position, or
    `{"features": [...]}`.

    Raises
    ------
    DecodeError
        The body is not JSON.
    SchemaError
        It is JSON of another shape, or a row breaks the schema; row and column are named.
    """
    try:
        data = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise DecodeError(f"{error.msg}, at character {error.pos + 1}", row=error.lineno) from None
    rows = _instances(data, encoder.schema)
    if not rows:
        raise SchemaError("an empty list of rows; send at least one row")
    columns = [[] for _ in encoder.schema.columns]  # type: list[list[Any]]
    for number, row in enumerate(rows, start=1):
        values = _values(row, number, encoder.schema)
        for column, value in zip(columns, values, strict=True):
            column.append(value)
    return encoder.from_json(columns)


DECODERS: Final[Mapping[str, Decoder]] = {
    "text/csv": decode_csv,
    "application/json": decode_json,
}


def _text(body: bytes) -> str:
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = body.count(b"\n", 0, error.start) + 1
        raise DecodeError(f"byte 0x{body[error.start]:02x} is not UTF-8 text", row=row) from None


def _records(text: str, delimiter: str) -> tuple[list[int], list[list[str]]]:
    """Return each record's line number and cells, empty lines at the end left out."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    lines, rows = [], []
    try:
        for row in reader:
            rows.append(row)
            lines.append(reader.line_num)
    except csv.Error as error:
        raise DecodeError(f"{error}; mend the quoting of this row", row=reader.line_num) from None
    while rows and not rows[-1]:
        rows.pop()
        lines.pop()
    for line, row in zip(lines, rows, strict=True):
        if not row:
            raise DecodeError("an empty line between rows; remove it", row=line)
    return lines, rows


def _header(first: list[str], mode: str, schema: Schema) -> list[str] | None:
    names = [cell.strip(cells.WHITESPACE) for cell in first]
    if mode == "present" or (mode == "auto" and schema.knows(names)):
        return names
    if mode in {"auto", "absent"}:
        return None
    raise SchemaError(f"the media type's header={mode} is neither present nor absent")


def _header_hint(first: list[str], schema: Schema) -> str:
    names = [cell.strip(cells.WHITESPACE) for cell in first]
    known = [name for name in names if schema.knows([name])]
    unknown = [name for name in names if not schema.knows([name])]
    if not known:
        return ""
    return f". If row 1 is a header: the model has no column {', '.join(map(repr, unknown[:5]))}"


def _instances(data: Any, schema: Schema) -> list[Any]:  # noqa: ANN401 - JSON of any shape
    if isinstance(data, dict):
        if "instances" in data and not schema.knows(["instances"]):
            data = data["instances"]
            if not isinstance(data, list):
                raise SchemaError('instances is not a list; send {"instances": [row, ...]}')
            return data
        return [data]
    if isinstance(data, list):
        if data and not isinstance(data[0], dict | list):
            return [data]
        return data
    raise SchemaError(
        f"the body is {orjson.dumps(data).decode():.40}; expected a record, a list of values, a "
        'list of rows or {"instances": [row, ...]}'
    )


def _values(row: Any, number: int, schema: Schema) -> Sequence[Any]:  # noqa: ANN401 - JSON of any shape
    if isinstance(row, dict):
        try:
            values = [row[name] for name in schema.names]
        except KeyError:
            if isinstance(row.get("features"), list):
                return _values(row["features"], number, schema)
        else:
            if len(row) == len(values):
                return values
        schema.check_names(row, row=number)
        return values
    if isinstance(row, list):
        schema.check_count(len(row), row=number)
        return row
    raise SchemaError(
        f"{orjson.dumps(row).decode():.40} is no row; expected a record or a list of values",
        row=number,
    )


def refusal(kind: str, error: DataError) -> str:
    """Return the text of a refused body, beginning as AWS's image does: clients match on it."""
    return f"Loading {kind} data failed: {error}"
