"""Accept headers mean what RFC 9110 says, with the short names of AWS's clients."""

from __future__ import annotations

import pytest

from churn_daal.errors import NotAcceptableError
from churn_daal.serving.media import accepted, choose, preferred

CSV, JSON, LINES = "text/csv", "application/json", "application/jsonlines"
LIKELY = (CSV, JSON, LINES)


@pytest.mark.parametrize(
    "header",
    [
        *("", "  ", ",", "*/*", "*", " */* "),
        *("*/*;q=0.8", "*/*; q=0.1, ", "*/*;q=0.001, */*", "*, */*;q=0.2", "*/*;v=1;q=0.5"),
    ],
)
def test_who_likes_all_types_alike_gets_the_operators(header: str) -> None:
    """Whatever the weight: it is a weight among nothing else."""
    assert accepted(header, JSON) == JSON


@pytest.mark.parametrize(
    "header",
    [CSV, "*/*;q=0", "text/*", "*/*, text/csv;q=0.5", "text/csv;q=0, */*", "text/csv, */*"],
)
def test_a_wish_comes_before_the_operators(header: str) -> None:
    """A type that is named, for or against, and a header that accepts nothing."""
    assert accepted(header, JSON) == header


@pytest.mark.parametrize(
    ("header", "liked"),
    [
        # No wish: the type that answers none.
        *(("", CSV), ("*/*", CSV), ("*/*;q=0.3", CSV), ("*", CSV)),
        # The code may write what this server does not know.
        *(("text/x-own", "text/x-own"), ("text/x-own;q=0.9, text/html;q=0.1", "text/x-own")),
        # The first of those liked alike.
        *(("text/html, application/json", "text/html"), ("Text/HTML;level=1, */*", "text/html")),
        # Short names and older ones.
        *(("json", JSON), ("csv", CSV), ("application/x-jsonlines", LINES), ("JSON;q=0.5", JSON)),
        # A weight of 0 refuses, and one below another comes after it.
        *(("text/csv;q=0, */*", JSON), ("csv;q=0, json;q=0, */*;q=0.1", LINES)),
        *(("text/csv;q=0, text/html;q=0.1", "text/html"), ("*/*, text/csv;q=0.5", JSON)),
        # What is named comes before what a wildcard stands for, if liked as much.
        *(("*/*, application/json", JSON), ("json;q=0.2, */*;q=0.8", CSV)),
        *(("application/*", JSON), ("text/*;q=0.2, application/*", JSON), ("text/*", CSV)),
        # A wildcard that only the code may know the types of.
        *(("image/*", CSV), ("image/*, text/csv;q=0", JSON)),
    ],
)
def test_what_code_of_the_users_own_is_asked_for(header: str, liked: str) -> None:
    """One type, without parameters."""
    assert preferred(header, LIKELY) == liked


@pytest.mark.parametrize("header", ["text/csv;q=0", "*/*;q=0", "csv;q=0.0, json;q=0"])
def test_who_accepts_nothing_is_refused(header: str) -> None:
    """406 with what to send."""
    with pytest.raises(NotAcceptableError, match="accepts nothing; leave it out, or name a type"):
        preferred(header, LIKELY)
    with pytest.raises(NotAcceptableError, match="ask for one of: text/csv"):
        choose(header, LIKELY)


@pytest.mark.parametrize(
    ("header", "chosen"),
    [("*", CSV), (", ,", CSV), ("text/csv;q=0, */*", JSON), ("json, csv;q=0.9", JSON)],
)
def test_what_this_server_writes(header: str, chosen: str) -> None:
    """By the same rules."""
    assert choose(header, LIKELY) == chosen
