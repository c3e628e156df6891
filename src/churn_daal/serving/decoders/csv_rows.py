"""`text/csv`: rows by position or, under a header, by name.

Text that is plain is read in one go (`Encoder.from_plain_text`); all other, and every refusal, is
the strict reader's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from churn_daal.serving.decoders.blocks import UTF8, line_pieces, text_lines, without_mark
from churn_daal.serving.decoders.csv_strict import decode_strictly
from churn_daal.tabular import cells
from churn_daal.tabular.encoder import Encoder, Matrix
from churn_daal.tabular.schema import Schema

# Bytes that are read in one go: of any body that is no longer, and of those that are.
_SMALL: Final = 1 << 12
_PIECE: Final = 1 << 18
# Float32 cells of what is encoded at a time.
_MATRIX: Final = 1 << 22


def decode_csv(
    body: memoryview, parameters: Mapping[str, str], encoder: Encoder
) -> Iterator[Matrix]:
    """Decode CSV lines.

    Parameters
    ----------
    body
        LF or CRLF. Empty lines at the end are passed over, unless the model has one
        column: there each is a missing value.
    parameters
        `charset`, UTF-8 unless it is set. `header=present` or `absent` says whether line 1 names
        columns; without it, see `Schema.is_header`.
    encoder
        The model's.

    Returns
    -------
    Blocks of float32 (n, width); none for a body of empty lines alone.

    Raises
    ------
    DecodeError, SchemaError
        Naming row and column.
    """
    charset, mode = parameters.get("charset", UTF8), parameters.get("header", "auto")
    if charset != UTF8:
        return decode_strictly(text_lines(body, charset), mode, encoder)
    if len(body) > _SMALL:
        return _decode_pieces(body, mode, encoder)
    # Most requests: they are spared what pieces cost.
    rows = _behind_header(bytes(without_mark(body)), mode, encoder.schema)
    matrix = None if rows is None else encoder.from_plain_text(rows)
    return decode_strictly(text_lines(body), mode, encoder) if matrix is None else iter((matrix,))


def plain_rows(body: memoryview, parameters: Mapping[str, str], schema: Schema) -> bytes | None:
    """Return the lines of a small body in UTF-8, without a header; None for any other.

    Raises
    ------
    SchemaError
        As `decode_csv`, of a header.
    """
    if parameters.get("charset", UTF8) != UTF8 or len(body) > _SMALL:
        return None
    return _behind_header(bytes(without_mark(body)), parameters.get("header", "auto"), schema)


def _decode_pieces(body: memoryview, mode: str, encoder: Encoder) -> Iterator[Matrix]:
    # A row has a byte a cell at least, its end counted: so many rows make no more of the matrix.
    schema = encoder.schema
    size = min(_PIECE, max(1, _MATRIX // max(1, schema.width)) * len(schema.columns))
    read = lines = 0
    header = False
    for piece in line_pieces(body, size=size):
        rows = piece if lines else _behind_header(piece, mode, schema)
        matrix = None if rows is None else encoder.from_plain_text(rows)
        if rows is None or matrix is None:
            rest = text_lines(body, start=read, before=lines)
            yield from decode_strictly(rest, mode, encoder, before=lines, header=header)
            return
        yield matrix
        read += len(piece)
        if len(rows) < len(piece):
            header = True
            lines = 1
        lines += len(matrix)


def _behind_header(text: bytes, mode: str, schema: Schema) -> bytes | None:
    """Return the rows, without a header in the schema's order; None where line 1 may be another.

    Raises
    ------
    SchemaError
        As `decode_csv`, of a header.
    """
    if mode == "absent":
        return text
    line = text.partition(b"\n")[0]
    # A header has a name in its first cell.
    first = line.partition(schema.delimiter.encode())[0].decode(errors="replace")
    # With quotes or without: a header that has some is the strict reader's.
    if mode == "auto" and not schema.knows(first.replace('"', "").strip(cells.WHITESPACE)):
        return text
    rows = text[len(line) + 1 :]
    try:
        names = line.removesuffix(b"\r").decode().split(schema.delimiter)
    except UnicodeDecodeError:
        return None
    if not rows or b'"' in line or tuple(names) != schema.names:
        return None
    if mode == "present" or (mode == "auto" and schema.is_header(names)):
        schema.check_names(names, row=1)
        return rows
    return None
