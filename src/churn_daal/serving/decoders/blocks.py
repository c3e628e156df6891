"""Bodies in pieces of whole lines, and how many rows are worked on at a time."""

from __future__ import annotations

import io
from codecs import BOM_UTF8
from collections.abc import Iterator
from typing import Final

from churn_daal.errors import DecodeError

PIECE_BYTES: Final = 1 << 20
# Cells held as Python objects at a time, some 60 bytes each.
_CELLS: Final = 1 << 18


def rows_at_a_time(columns: int) -> int:
    """Return how many rows of so many columns make a block."""
    return max(1, _CELLS // max(1, columns))


def without_mark(body: memoryview) -> memoryview:
    """Return a body without UTF-8's byte order mark at its start."""
    return body[len(BOM_UTF8) :] if bytes(body[: len(BOM_UTF8)]) == BOM_UTF8 else body


def line_pieces(body: memoryview) -> Iterator[bytes]:
    """Yield a body in pieces of whole lines (LF), `PIECE_BYTES` or one line each.

    A UTF-8 byte order mark at its start is left out.
    """
    body = without_mark(body)
    if len(body) <= PIECE_BYTES:
        if len(body):
            yield bytes(body)
        return
    held: list[bytes] = []
    start = 0
    while start < len(body):
        piece = bytes(body[start : start + PIECE_BYTES])
        start += len(piece)
        cut = piece.rfind(b"\n") + 1
        if cut:
            yield b"".join([*held, piece[:cut]])
            held = []
        held.append(piece[cut:])
    if rest := b"".join(held):
        yield rest


def text_lines(body: memoryview) -> Iterator[str]:
    """Yield a UTF-8 body's lines with their ends: LF, CRLF or CR.

    Raises
    ------
    DecodeError
        A byte is not UTF-8; the line is named.
    """
    before = 0
    for piece in line_pieces(body):
        try:
            text = piece.decode()
        except UnicodeDecodeError as error:
            row = before + piece.count(b"\n", 0, error.start) + 1
            raise DecodeError(
                f"byte 0x{piece[error.start]:02x} is not UTF-8 text; send the body as UTF-8",
                row=row,
            ) from None
        yield from io.StringIO(text, newline="")
        before += piece.count(b"\n")
