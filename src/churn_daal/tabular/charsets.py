"""Character sets of text that comes from outside."""

from __future__ import annotations

import codecs
from functools import lru_cache
from typing import Final

# Of Python's codecs these are no character sets, or take time with the square of the text.
_OTHER: Final = frozenset({"idna", "punycode", "raw-unicode-escape", "undefined", "unicode-escape"})


def known_charset(name: str) -> bool:
    """Tell whether Python knows a character set, which not all its codecs are."""
    try:
        "".encode(name)
        known = codecs.lookup(name).name
    except (LookupError, UnicodeError, ValueError):
        return False
    return known.replace("_", "-") not in _OTHER


@lru_cache(maxsize=64)
def is_utf8(name: str) -> bool:
    """Tell whether a known character set can be read as UTF-8 as it stands."""
    return codecs.lookup(name).name in {"utf-8", "ascii"}
