"""A channel's files: which they are, and their bytes with compression and character set undone."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

from churn_daal.errors import UserError
from churn_daal.tabular.charsets import is_utf8

# The first bytes of a compressed file (RFC 1952, RFC 8878), whatever it is named.
_MAGIC: Final = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}
_QUOTE: Final = ord('"')
_BOM: Final = b"\xef\xbb\xbf"
# Cutting may have to wait for the end of a quoted cell; no sound record is as long as this.
_LONGEST_RECORD: Final = 1 << 28
BLOCK_BYTES: Final = 4 << 20


def channel_files(folder: Path, *, may_be_empty: bool = False) -> list[Path]:
    """Return a channel's data files at any depth, hidden ones left out, in a fixed order.

    Parameters
    ----------
    folder
        The channel's.
    may_be_empty
        Whether there need not be any.

    Raises
    ------
    UserError
        The folder is missing or holds no file with content, and has to.
    """
    if not folder.is_dir() and not may_be_empty:
        raise UserError(f"channel {folder.name!r}: there is no folder {folder}; pass this channel")
    files = sorted(
        path
        for path in folder.rglob("*")
        if path.is_file()
        and path.stat().st_size
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )
    if not files and not may_be_empty:
        raise UserError(f"channel {folder.name!r}: no file with content in {folder}")
    return files


@contextmanager
def open_bytes(path: Path) -> Iterator[Any]:
    """Open a file for reading, decompressed where it is gzip or zstd.

    Raises
    ------
    UserError
        Within the block: the compressed bytes are damaged or end too early.
    """
    with path.open("rb") as file:
        start = file.read(4)
    kind = next((name for magic, name in _MAGIC.items() if start.startswith(magic)), None)
    try:
        with pa.input_stream(str(path), compression=kind) as stream:
            yield stream
    except (OSError, pa.ArrowInvalid) as error:
        if kind is None:
            raise
        reason = str(error).splitlines()[0]
        raise UserError(
            f"{path.name}: the {kind} data is damaged or cut off ({reason:.200}); compress the "
            "file again"
        ) from error


def text_blocks(
    path: Path, *, delimiter: str | None = None, charset: str = "utf-8", size: int = BLOCK_BYTES
) -> Iterator[bytes]:
    """Yield a text file's bytes as UTF-8 in blocks that end with a record.

    Parameters
    ----------
    path
        The file, compressed or not.
    delimiter
        What stands between two cells, where a line break within the double quotes around a cell
        belongs to the record, as in CSV; None where every line is a record.
    charset
        Python's name of the file's character set.
    size
        Bytes of a block, more where a record is longer.

    Raises
    ------
    UserError
        Bytes that are not of the character set.
    """
    decode = None if is_utf8(charset) else codecs.getincrementaldecoder(charset)()
    quotes = None if delimiter is None else _Quotes(delimiter)
    rest = b""
    mark = _BOM
    with open_bytes(path) as stream:
        ended = False
        while not ended:
            data = stream.read(size)
            ended = not data
            if decode is not None:
                data = _decoded(path, decode, data, charset)
            rest = rest + data if rest else data
            end = rest.rfind(b"\n") + 1 if quotes is None else quotes.record_end(rest)
            if end:
                yield rest[:end].removeprefix(mark)
                rest, mark = rest[end:], b""
            elif len(rest) > _LONGEST_RECORD:
                raise UserError(
                    f"{path.name}: no end of a row within {len(rest):,} bytes; a quote may not be "
                    "closed, or the file is not text with a row a line"
                )
    rest = rest.removeprefix(mark)
    if rest.strip():
        yield rest if rest.endswith(b"\n") else rest + b"\n"


def _decoded(path: Path, decoder: codecs.IncrementalDecoder, data: bytes, charset: str) -> bytes:
    try:
        return decoder.decode(data, final=not data).encode("utf-8")
    except UnicodeDecodeError as fault:
        raise UserError(
            f"{path.name}: bytes that are not {charset}, which the channel's content type names; "
            "save the file as UTF-8 and leave the charset out"
        ) from fault


class _Quotes:
    """Finds where records end whose cells may be quoted.

    A quote opens a cell where it is the cell's first character; one within a cell, as in
    5" pipe, is a character like others.
    """

    def __init__(self, delimiter: str) -> None:
        before = b"\r\n" + delimiter.encode()
        self._opening = re.compile(rb"(?:\A(?:\xef\xbb\xbf)?|[" + re.escape(before) + rb'])"')
        # A quote before a quote that opens: the second half of one that is doubled.
        self._before = np.isin(np.arange(256), [*before, _QUOTE])

    def record_end(self, data: bytes) -> int:
        """Return where the last whole record ends; 0 where none does."""
        end = data.rfind(b"\n") + 1
        if b'"' not in data:
            return end
        octets = np.frombuffer(data, np.uint8)
        opening = np.flatnonzero(octets == _QUOTE)[::2]
        # Where a quote within a cell opens nothing, counting fails.
        if not bool(np.all((opening == 0) | self._before[octets[opening - 1]])):
            return self._end_outside(data)
        open_quote = data.count(b'"', 0, end) % 2
        while end and open_quote:
            before = data.rfind(b"\n", 0, end - 1) + 1
            open_quote ^= data.count(b'"', before, end) % 2
            end = before
        return end

    def _end_outside(self, data: bytes) -> int:
        """Return where the last whole record ends, cell by cell."""
        end = place = 0
        while (opening := self._opening.search(data, place)) is not None:
            start = opening.end() - 1
            end = max(end, data.rfind(b"\n", place, start) + 1)
            place = data.find(b'"', start + 1) + 1
            while place and data[place : place + 1] == b'"':
                place = data.find(b'"', place + 1) + 1
            if not place:
                return end
        return max(end, data.rfind(b"\n", place) + 1)
