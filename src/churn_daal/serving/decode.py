"""Request bodies to matrices: one decoder for each media type, in the table `DECODERS`.

A body that is not what its type says is a DecodeError; one that is, but breaks the model's
schema, a SchemaError. Rows count from 1 as in the body, a header counted.
"""

from __future__ import annotations

import csv
import io
from codecs import BOM_UTF8
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import orjson

from churn_daal.errors import DataError, DecodeError, SchemaError
from churn_daal.tabular import cells
from churn_daal.tabular.csv_cells import reader
from churn_daal.tabular.encoder import Encoder, Matrix
from churn_daal.tabular.schema import Schema

Decoder = Callable[[bytes, Mapping[str, str], Encoder], Matrix]


def decode_csv(body: bytes, parameters: Mapping[str, str], encoder: Encoder) -> Matrix:
    """Decode CSV lines by position or, under a header, by name.

    Parameters
    ----------
    body
        UTF-8; LF or CRLF. Empty lines at the end are passed over, unless the model has one
        column: there each is a missing value.
    parameters
        `header=present` or `absent` says whether line 1 names columns; without it, see
        `Schema.is_header`.
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
    lines, rows = _records(_text(body), schema)
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
            raise DecodeError(
                f"{len(row)} values, but {first} has {width}; send every row with as many, and "
                f"double quotes around a cell that holds {schema.delimiter!r}",
                row=line,
            )
    if header is None:
        _check_count(rows[0], lines[0], schema)
    columns: Sequence[Sequence[str]] = list(zip(*rows, strict=True))
    places: Sequence[int] = range(width)
    if header is not None:
        found = {name: place for place, name in enumerate(header)}
        places = [found[name] for name in schema.names]
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
        data = orjson.loads(body.removeprefix(BOM_UTF8))
    except orjson.JSONDecodeError as error:
        raise DecodeError(
            f"{error.msg}, at character {error.pos + 1}; send JSON, as json.dumps writes it",
            row=error.lineno,
        ) from None
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
        raise DecodeError(
            f"byte 0x{body[error.start]:02x} is not UTF-8 text; send the body as UTF-8", row=row
        ) from None


def _records(text: str, schema: Schema) -> tuple[list[int], list[list[str]]]:
    """Return each record's line number and cells, empty lines at the end left out."""
    records = reader(io.StringIO(text, newline=""), schema.delimiter, strict=True)
    lines, rows = [], []
    try:
        for row in records:
            rows.append(row)
            lines.append(records.line_num)
    except csv.Error as error:
        row_at_fault = lines[-1] + 1 if lines else 1
        raise DecodeError(f"{error}; mend the quoting of this row", row=row_at_fault) from None
    if len(schema.columns) == 1:
        return lines, [row or [""] for row in rows]
    while rows and not rows[-1]:
        rows.pop()
        lines.pop()
    for line, row in zip(lines, rows, strict=True):
        if not row:
            raise DecodeError("an empty line between rows; remove it", row=line)
    return lines, rows


def _header(first: list[str], mode: str, schema: Schema) -> list[str] | None:
    names = [cell.strip(cells.WHITESPACE) for cell in first]
    if mode == "present" or (mode == "auto" and schema.is_header(names)):
        return names
    if mode in {"auto", "absent"}:
        return None
    raise SchemaError(
        f"the media type's header={mode:.40} is neither present nor absent; send one of them, or "
        "leave it out"
    )


def _header_hint(first: list[str], schema: Schema) -> str:
    names = [cell.strip(cells.WHITESPACE) for cell in first]
    if not any(map(schema.knows, names)):
        return ""
    try:
        schema.check_names(names)
    except SchemaError as error:
        return f". If row 1 is a header: {error}"
    return ". If row 1 is a header, say so: Content-Type text/csv; header=present"


def _check_count(first: list[str], line: int, schema: Schema) -> None:
    try:
        schema.check_count(len(first), row=line)
    except SchemaError as error:
        hint = _header_hint(first, schema)
        raise SchemaError(error.reason + hint, row=line) from None


def _instances(data: Any, schema: Schema) -> list[Any]:  # noqa: ANN401 - JSON of any shape
    if isinstance(data, dict):
        if "instances" in data and not schema.knows("instances"):
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
            if len(row) == 1 and isinstance(row.get("features"), list):
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
