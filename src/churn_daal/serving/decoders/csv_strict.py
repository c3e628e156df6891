"""CSV cell by cell, by the csv module: the rule that `csv_rows` keeps, and its refusals."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import TypeAlias

from churn_daal.errors import DecodeError, SchemaError
from churn_daal.serving.decoders.blocks import rows_at_a_time
from churn_daal.tabular import cells
from churn_daal.tabular.csv_cells import reader
from churn_daal.tabular.encoder import Encoder, Matrix
from churn_daal.tabular.schema import Schema

# A record's line number and its cells.
Record: TypeAlias = tuple[int, list[str]]


def decode_strictly(
    lines: Iterator[str], mode: str, encoder: Encoder, *, before: int = 0, header: bool = False
) -> Iterator[Matrix]:
    """Decode cell by cell.

    Parameters
    ----------
    lines
        With their ends.
    mode
        Whether the first names columns: `present`, `absent` or `auto`.
    encoder
        The model's.
    before
        Lines that came before these, each a row but for a header.
    header
        Whether there was one among them, in the schema's order.

    Yields
    ------
    float32 (n, width); nothing for empty lines alone.

    Raises
    ------
    DecodeError, SchemaError
        Naming row and column.
    """
    schema = encoder.schema
    records = _records(lines, schema, before)
    if before:
        width = len(schema.columns)
        rows = _Rows(encoder, width, range(width) if header else None, before=before)
        yield from map(rows.encode, _blocks(records, _most_rows(schema)))
        return
    first = next(records, None)
    if first is None:
        return
    names = _header(first[1], mode, schema)
    width = len(first[1])
    places: Sequence[int] | None = None
    if names is None:
        _check_count(first, schema)
        records = chain([first], records)
    else:
        schema.check_names(names, row=1)
        found = {name: place for place, name in enumerate(names)}
        places = [found[name] for name in schema.names]
    rows = _Rows(encoder, width, places)
    yield from map(rows.encode, _blocks(records, min(rows_at_a_time(width), _most_rows(schema))))
    if names is not None and not rows.count:
        raise DecodeError("a header, but no rows under it; send at least one row", row=1)


def _most_rows(schema: Schema) -> int:
    return rows_at_a_time(max(schema.width, len(schema.columns)))


class _Rows:
    """Encodes blocks of records that all have the first one's width.

    Under a header, `places` are those of the schema's columns in a record.
    """

    def __init__(
        self, encoder: Encoder, width: int, places: Sequence[int] | None = None, *, before: int = 0
    ) -> None:
        self._encoder, self._width, self._header = encoder, width, places is not None
        self._places = range(width) if places is None else places
        self.count = before

    def encode(self, block: Sequence[Record]) -> Matrix:
        lines, rows = zip(*block, strict=True)
        for line, row in block:
            if len(row) != self._width:
                self._refuse_width(line, row)
        columns = list(zip(*rows, strict=True))
        if self._header:
            columns = [columns[place] for place in self._places]
        try:
            matrix = self._encoder.from_text(columns)
        except DecodeError as error:
            index, place = (error.row or 1) - 1, (error.column or 1) - 1
            hint = ""
            if not (self._header or self.count or index):
                hint = _header_hint(rows[0], self._encoder.schema)
            raise DecodeError(
                error.reason + hint,
                row=lines[index],
                column=self._places[place] + 1,
                name=error.name,
            ) from None
        self.count += len(block)
        return matrix

    def _refuse_width(self, line: int, row: Sequence[str]) -> None:
        first = "the header" if self._header else "the first row"
        raise DecodeError(
            f"{len(row)} values, but {first} has {self._width}; send every row with as many, and "
            f"double quotes around a cell that holds {self._encoder.schema.delimiter!r}",
            row=line,
        )


def _blocks(records: Iterator[Record], size: int) -> Iterator[list[Record]]:
    block: list[Record] = []
    for record in records:
        block.append(record)
        if len(block) == size:
            yield block
            block = []
    if block:
        yield block


def _records(lines: Iterator[str], schema: Schema, before: int) -> Iterator[Record]:
    """Yield records, empty lines at the end left out; lines count on from `before`."""
    records = reader(lines, schema.delimiter, strict=True)
    one = len(schema.columns) == 1
    last = before
    empty = 0
    try:
        for row in records:
            last = before + records.line_num
            if row or one:
                if empty:
                    raise DecodeError("an empty line between rows; remove it", row=empty)
                yield last, row or [""]
            else:
                empty = empty or last
    except csv.Error as error:
        raise DecodeError(f"{error}; mend the quoting of this row", row=last + 1) from None


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


def _header_hint(first: Sequence[str], schema: Schema) -> str:
    names = [cell.strip(cells.WHITESPACE) for cell in first]
    if not any(map(schema.knows, names)):
        return ""
    try:
        schema.check_names(names)
    except SchemaError as error:
        return f". If row 1 is a header: {error}"
    return ". If row 1 is a header, say so: Content-Type text/csv; header=present"


def _check_count(first: Record, schema: Schema) -> None:
    line, row = first
    try:
        schema.check_count(len(row), row=line)
    except SchemaError as error:
        raise SchemaError(error.reason + _header_hint(row, schema), row=line) from None
