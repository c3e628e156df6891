"""What a request says of its answers: in the URL's query, or in SageMaker's custom attributes.

`?outputs=probability,contributions&top_k=3&threshold=0.3` and
`X-Amzn-SageMaker-Custom-Attributes: outputs=probability,contributions;top_k=3;threshold=0.3` say
the same. Where both name a key, the query has it. The attributes are the caller's own: keys that
are not these are passed over.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from typing import Final, NamedTuple

from churn_daal.errors import RequestError

_WHOLE: Final = re.compile(r"[0-9]{1,9}")
_DECIMAL: Final = re.compile(r"[0-9]*\.?[0-9]*(?:[eE][+-]?[0-9]{1,3})?")
_SHOWN: Final = 60


@dataclass(frozen=True)
class Options:
    """What a request asks for.

    Attributes
    ----------
    outputs
        Names of what is to be answered, in order, each once; empty for the usual answer.
    top_k
        How many columns of `contributions` to tell, the largest first; None for all.
    threshold
        Probability from which `predicted_label` is the positive class; None for the model's.
    """

    outputs: tuple[str, ...] = ()
    top_k: int | None = None
    threshold: float | None = None


class _Given(NamedTuple):
    outputs: str | None = None
    top_k: str | None = None
    threshold: str | None = None


_KEYS: Final = _Given._fields
USUAL: Final = Options()


def read_options(query: Mapping[str, str], attributes: str) -> Options:
    """Read a request's options.

    Parameters
    ----------
    query
        What the URL asks for beside the path.
    attributes
        The header's text, `key=value` pairs with `;` between, blanks around either passed over.

    Raises
    ------
    RequestError
        400: a value of one of the keys is none that it takes, or the query has a key that is one
        of them but for its spelling.
    """
    if not query and not attributes:
        return USUAL
    given = _of_attributes(attributes)
    for key, value in query.items():
        if key in _KEYS:
            given[key] = value
        elif near := get_close_matches(key[:_SHOWN].casefold(), _KEYS, n=1, cutoff=0.75):
            raise RequestError(f"the query's key {key[:_SHOWN]!r} is not known; write {near[0]!r}")
    return _parsed(_Given(**given)) if given else USUAL


def _names(text: str) -> tuple[str, ...]:
    """Return the names of a list with commas between, in lower case, each once and in order."""
    return tuple(dict.fromkeys(name for part in text.split(",") if (name := part.strip().lower())))


def _of_attributes(text: str) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for part in text.split(";") if text else ():
        key, equals, value = part.partition("=")
        if equals and (key := key.strip()) in _KEYS:
            # As a repeated key of the query: one list of both, which a number cannot be.
            pairs[key] = f"{pairs[key]},{value.strip()}" if key in pairs else value.strip()
    return pairs


@lru_cache(maxsize=256)
def _parsed(given: _Given) -> Options:
    return Options(
        () if given.outputs is None else _outputs(given.outputs),
        None if given.top_k is None else _top_k(given.top_k.strip()),
        None if given.threshold is None else _threshold(given.threshold.strip()),
    )


def _outputs(text: str) -> tuple[str, ...]:
    names = _names(text)
    if not names:
        raise _refused("outputs", text, "names with commas between, such as probability,margin")
    return names


def _top_k(text: str) -> int:
    if not _WHOLE.fullmatch(text) or not (value := int(text)):
        raise _refused("top_k", text, "a whole number of 1 or more")
    return value


def _threshold(text: str) -> float:
    # float() takes more: underscores, `nan`, other scripts' digits.
    decimal = _DECIMAL.fullmatch(text) and any(map(str.isdigit, text))
    value = float(text) if decimal else math.nan
    if not 0 <= value <= 1:
        raise _refused("threshold", text, "a probability from 0 to 1")
    return value


def _refused(key: str, text: str, allowed: str) -> RequestError:
    return RequestError(f"{key}={text[:_SHOWN]!r} in the request; expected {allowed}")
