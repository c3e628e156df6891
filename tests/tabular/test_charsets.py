"""A character set is one that Python decodes text of, in bounded time."""

from __future__ import annotations

import pytest

from churn_daal.tabular.charsets import is_utf8, known_charset


@pytest.mark.parametrize("name", ["latin-1", "UTF8", "utf-16", "cp1252", "shift_jis"])
def test_character_sets_are_known_by_name(name: str) -> None:
    """By any of their names."""
    assert known_charset(name)


@pytest.mark.parametrize(
    "name",
    ["klingon", "base64", "bz2", "idna", "Punycode", "undefined", "unicode_escape", "a\0b", ""],
)
def test_other_codecs_are_none(name: str) -> None:
    """Bytes made of bytes, domain names, escapes of a programming language."""
    assert not known_charset(name)


def test_utf8_by_any_name() -> None:
    """And ASCII, which is part of it."""
    assert all(map(is_utf8, ["utf8", "UTF-8", "us-ascii"]))
    assert not any(map(is_utf8, ["latin-1", "utf-16", "utf-8-sig"]))
