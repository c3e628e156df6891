"""Bodies in pieces of whole lines, and how many rows are worked on at a time."""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterable, Iterator
from typing import Final

from churn_daal.errors import DecodeError
from churn_daal.tabular.charsets import is_utf8, known_charset

UTF8: Final = "utf-8"
PIECE_BYTES: Final = 1 << 20
# Cells held as Python objects at a time, some 60 bytes each.
_CELLS: Final = 1 << 18
# No text has more rows than bytes, and other formats may say no more either: a few bytes that
# declare a billion rows are no request. A short body may still hold so many.
_ROWS: Final = 1 << 20


def rows_at_a_time(columns: int) -> int:
    """Return how many rows of so many columns make a block."""
    return max(1, _CELLS // max(1, columns))


def check_rows(rows: int, body: memoryview) -> None:
    """Refuse more rows than bytes, which a compressed or empty column can declare.

    Raises
    ------
    DecodeError
        There are more, and more than 1,048,576.
    """
    most = max(_ROWS, len(body))
    if rows > most:
        raise DecodeError(
            f"{rows:,} rows in {len(body):,} bytes; this server reads {most:,} rows from them at "
            "most. Send fewer rows a request"
        )


class Stream:
    """A body as what is read piece by piece."""

    def __init__(self, body: memoryview) -> None:
        self._body, self._at = body, 0

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes, none at the end."""
        piece = bytes(self._body[self._at : self._at + size])
        self._at += len(piece)
        return piece


def as_utf8(body: memoryview, charset: str = UTF8) -> memoryview | bytes:
    """Return a body as UTF-8 without a byte order mark at its start.

    Raises
    ------
    DecodeError
        See `line_pieces`.
    """
    if charset == UTF8:
        return without_mark(body)
    return b"".join(line_pieces(body, charset))


def line_pieces(
    body: memoryview, charset: str = UTF8, *, size: int = PIECE_BYTES, start: int = 0
) -> Iterator[bytes]:
    """Yield a body as UTF-8 in pieces of whole lines (LF), of about `size` bytes or one line each.

    A byte order mark at its start is left out, and in UTF-8 `start` bytes behind it. What is UTF-8
    already is not checked to be so.

    Raises
    ------
    DecodeError
        The character set is unknown, or a byte is not of it; the line is named.
    """
    if charset != UTF8:
        if not known_charset(charset):
            raise DecodeError(
                f"the media type's charset={charset:.40} is not known; send the body as UTF-8"
            )
        if not is_utf8(charset):
            yield from _whole_lines(_converted(body, charset))
            return
    body = without_mark(body)[start:]
    if len(body) > size:
        yield from _whole_lines(
            bytes(body[start : start + size]) for start in range(0, len(body), size)
        )
    elif len(body):
        yield bytes(body)


def text_lines(
    body: memoryview, charset: str = UTF8, *, start: int = 0, before: int = 0
) -> Iterator[str]:
    """Yield a body's lines with their ends: LF, CRLF or CR.

    Parameters
    ----------
    body, charset, start
        See `line_pieces`.
    before
        Lines that were passed over, for messages.

    Raises
    ------
    DecodeError
        See `line_pieces`; also where a byte is not UTF-8.
    """
    for piece in line_pieces(body, charset, start=start):
        try:
            text = piece.decode()
        except UnicodeDecodeError as error:
            row = before + piece.count(b"\n", 0, error.start) + 1
            raise _foreign(piece[error.start], "UTF-8", row) from None
        yield from io.StringIO(text, newline="")
        before += piece.count(b"\n")


def without_mark(body: memoryview) -> memoryview:
    """Return a body behind the byte order mark at its start, if there is one."""
    mark = codecs.BOM_UTF8
    return body[len(mark) :] if bytes(body[: len(mark)]) == mark else body


def _whole_lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    held: list[bytes] = []
    for piece in pieces:
        cut = piece.rfind(b"\n") + 1
        if cut:
            yield b"".join([*held, piece[:cut]])
            held = []
        held.append(piece[cut:])
    if rest := b"".join(held):
        yield rest


def _converted(body: memoryview, charset: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(charset)()
    before, mark = 0, codecs.BOM_UTF8
    for start in range(0, len(body), PIECE_BYTES):
        piece = bytes(body[start : start + PIECE_BYTES])
        try:
            read = decoder.decode(piece, start + PIECE_BYTES >= len(body)).encode()
        except UnicodeDecodeError as error:
            row = before + error.object[: error.start].decode(charset, "ignore").count("\n") + 1
            raise _foreign(error.object[error.start], charset, row) from None
        except UnicodeError as error:
            raise DecodeError(f"not {charset} text ({error}); send the body as UTF-8") from None
        yield read.removeprefix(mark)
        mark = b""
        before += read.count(b"\n")


def _foreign(byte: int, charset: str, row: int) -> DecodeError:
    return DecodeError(f"byte 0x{byte:02x} is not {charset} text; send the body as UTF-8", row=row)
