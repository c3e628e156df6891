"""Quotes around cells that need none, as some writers put them around every text."""

from __future__ import annotations


def unquoted(text: bytes, delimiter: bytes) -> bytes | None:
    """Return CSV without its quotes; None where one of them matters.

    Parameters
    ----------
    text
        Lines that end with a line feed.
    delimiter
        Between cells.

    Returns
    -------
    The same cells, if each quote stands at the beginning or the end of a cell, in pairs, and what
    a pair encloses has neither delimiter nor line feed nor quote in it.
    """
    pieces = text.split(b'"')
    # The pieces between two quotes are every other one.
    enclosed, outside = b"".join(pieces[1::2]), b'""'.join(pieces[::2])
    if len(pieces) % 2 == 0 or b"\n" in enclosed or delimiter in enclosed:
        return None
    # A pair that is a whole cell stands behind an end and before one; other quotes there are none.
    before = outside.startswith(b'""') + _count(outside, delimiter + b'""', b'\n""')
    after = outside.endswith(b'""') + _count(outside, b'""' + delimiter, b'""\n')
    pairs = len(pieces) // 2
    return b"".join(pieces) if before == after == pairs else None


def _count(text: bytes, *parts: bytes) -> int:
    return sum(map(text.count, parts))
