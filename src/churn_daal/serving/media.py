"""Media types: what a Content-Type declares and what an Accept header asks for (RFC 9110)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from werkzeug.datastructures import MIMEAccept
from werkzeug.http import parse_accept_header, parse_options_header

from churn_daal.errors import NotAcceptableError

# Short names and older ones, as AWS's images and their clients write them.
ALIASES: Final[Mapping[str, str]] = {
    "csv": "text/csv",
    "json": "application/json",
    "jsonlines": "application/jsonlines",
    "application/x-jsonlines": "application/jsonlines",
    "libsvm": "text/libsvm",
    "text/x-libsvm": "text/libsvm",
    "recordio-protobuf": "application/x-recordio-protobuf",
    "parquet": "application/x-parquet",
    "application/vnd.apache.parquet": "application/x-parquet",
}
_ANYTHING: Final = "*/*"


@dataclass(frozen=True)
class MediaType:
    """A media type in lower case, an alias undone, and its parameters."""

    name: str
    parameters: Mapping[str, str]


@lru_cache(maxsize=256)
def parse(header: str) -> MediaType:
    """Take a Content-Type apart: `text/csv; charset=utf-8; header=present`."""
    name, parameters = parse_options_header(header)
    lower = {key.lower(): value.strip().lower() for key, value in parameters.items()}
    return MediaType(canonical(name), MappingProxyType(lower))


def canonical(name: str) -> str:
    """Return a media type without parameters as it is listed: in lower case, an alias undone."""
    plain = name.strip().lower()
    return ALIASES.get(plain, plain)


@lru_cache(maxsize=256)
def accepted(header: str, default: str) -> str:
    """Return what a request accepts: the operator's default where it has no wish of its own.

    It has none where it names nothing but `*/*`, with whatever weight above 0: it likes all types
    alike (RFC 9110, 12.5.1). A type that is named beside `*/*` is a wish, as it is more specific.
    """
    asked = _asked(header)
    anything = all(name == _ANYTHING for name, _ in asked)
    refused = asked and not any(weight for _, weight in asked)
    return default if anything and not refused else header


@lru_cache(maxsize=256)
def choose(accept: str, offered: tuple[str, ...]) -> str:
    """Return the offered type that an Accept header likes best; the first where it has no wish.

    Raises
    ------
    NotAcceptableError
        None of them; the message lists what is offered.
    """
    asked = _asked(accept)
    best = MIMEAccept(asked).best_match(offered) if asked else offered[0]
    if best is None:
        raise NotAcceptableError(
            f"Accept {accept:.200} asks for no type this server writes; "
            f"ask for one of: {listed(offered)}"
        )
    return best


@lru_cache(maxsize=256)
def preferred(accept: str, likely: tuple[str, ...]) -> str:
    """Return the type an Accept header likes best where any type may be written.

    Parameters
    ----------
    accept
        The header.
    likely
        Types that a wildcard may stand for, the one that answers no wish first.

    Returns
    -------
    A type that the header names, or one of `likely`, without parameters. The first one of `likely`
    that it does not refuse by name for a wildcard that none of them fits, such as `image/*`.

    Raises
    ------
    NotAcceptableError
        The header refuses all that it names, and has no wildcard.
    """
    asked = _asked(accept)
    named = [name for name, _ in asked if "*" not in name and "/" in name]
    best = MIMEAccept(asked).best_match((*named, *likely)) if asked else likely[0]
    if best is None and any(weight for name, weight in asked if "*" in name):
        best = next((name for name in likely if name not in named), None)
    if best is None:
        raise NotAcceptableError(
            f"Accept {accept:.200} accepts nothing; leave it out, or name a type with a weight "
            f"above 0, such as {likely[0]}"
        )
    return best


def _asked(accept: str) -> list[tuple[str, float]]:
    """Return an Accept header's types, each with its weight.

    Parameters such as charset do not narrow what is written here. `*` alone is what Java's
    URLConnection writes for `*/*`.
    """
    names = ((canonical(name.partition(";")[0]), q) for name, q in parse_accept_header(accept))
    return [(_ANYTHING if name == "*" else name, q) for name, q in names if name]


def declared(name: str) -> str:
    """Return the Content-Type of an answer: CSV has to say that it is UTF-8.

    JSON is by its own rule, and other types are no text.
    """
    return f"{name}; charset=utf-8" if name == "text/csv" else name


def listed(types: Collection[str]) -> str:
    """Return media types for a message."""
    return ", ".join(types)
