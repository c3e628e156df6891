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


def accepted(header: str, default: str) -> str:
    """Return what a request accepts: the operator's default where it has no wish of its own."""
    return default if header.strip() in {"", "*/*"} else header


@lru_cache(maxsize=256)
def choose(accept: str, offered: tuple[str, ...]) -> str:
    """Return the offered type that an Accept header likes best; the first where it has no wish.

    Raises
    ------
    NotAcceptableError
        None of them; the message lists what is offered.
    """
    if not accept.strip():
        return offered[0]
    # Parameters such as charset do not narrow what is written here.
    asked = [(canonical(name.partition(";")[0]), q) for name, q in parse_accept_header(accept)]
    best = MIMEAccept(asked).best_match(offered)
    if best is None:
        raise NotAcceptableError(
            f"Accept {accept:.200} asks for no type this server writes; "
            f"ask for one of: {listed(offered)}"
        )
    return best


def preferred(accept: str) -> str:
    """Return the type an Accept header likes best, without parameters; "" where any will do."""
    best = (parse_accept_header(accept).best or "").partition(";")[0].strip().lower()
    return "" if "*" in best else best


def listed(types: Collection[str]) -> str:
    """Return media types for a message."""
    return ", ".join(types)
