"""The text of an environment variable to a value; which variables there are, `settings` knows."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from churn_daal.errors import UserError

WHOLE_NUMBER: Final = re.compile(r"[0-9]{1,18}")


def text_of(environ: Mapping[str, str], name: str, default: str) -> str:
    """Return a variable's text; the default where it is blank or not set."""
    # The SDK's local mode sets variables to "" and means "not set".
    return environ.get(name, "").strip() or default


def names(environ: Mapping[str, str], name: str) -> tuple[str, ...]:
    """Return the names of a list with commas between, in lower case, each once."""
    # Blanks and case do not count, as in AWS's image.
    parts = text_of(environ, name, "").lower().replace(" ", "").split(",")
    return tuple(dict.fromkeys(part for part in parts if part))


def flag(environ: Mapping[str, str], name: str) -> bool:
    """Tell whether a variable is `true`, in whatever case."""
    return text_of(environ, name, "false").casefold() == "true"


def optional_integer(environ: Mapping[str, str], name: str, *, low: int = 1) -> int | None:
    """Return a whole number; None where the variable is not set. See `integer`."""
    return integer(environ, name, low, low=low) if text_of(environ, name, "") else None


def integer(
    environ: Mapping[str, str], name: str, default: int, *, low: int = 1, high: int | None = None
) -> int:
    """Return a whole number.

    Raises
    ------
    UserError
        The variable is none, or is out of range.
    """
    text = text_of(environ, name, str(default))
    span = f"from {low} to {high}" if high is not None else f"of {low} or more"
    # int() takes more: underscores, other scripts' digits, thousands of places.
    value = int(text) if WHOLE_NUMBER.fullmatch(text) else None
    if value is None or value < low or (high is not None and value > high):
        raise UserError(
            f"environment variable {name} is {text[:40]!r}; expected a whole number {span}. "
            f"Unset it for the default of {default}."
        )
    return value
