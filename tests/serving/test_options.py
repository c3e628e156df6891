"""Options of a request: by query, by custom attributes, and what is none."""

from __future__ import annotations

import re

import pytest

from churn_daal.errors import RequestError
from churn_daal.serving.options import USUAL, Options, read_options

ASKED = Options(("probability", "contributions"), 3, 0.3)


@pytest.mark.parametrize(
    ("query", "attributes"),
    [
        ({"outputs": "probability,contributions", "top_k": "3", "threshold": "0.3"}, ""),
        ({}, "outputs=probability,contributions;top_k=3;threshold=0.3"),
        ({}, " outputs = Probability , CONTRIBUTIONS,probability ; top_k= 3 ;threshold =.3; "),
        ({"top_k": "3"}, "outputs=probability,contributions;top_k=9;threshold=3e-1"),
    ],
    ids=["query", "attributes", "blanks and case", "the query first"],
)
def test_both_ways_say_the_same(query: dict[str, str], attributes: str) -> None:
    """Blanks, case and repeated names do not matter; the query wins key by key."""
    assert read_options(query, attributes) == ASKED


@pytest.mark.parametrize(
    "attributes",
    ["", "trace-7f3a", "customer=12;c000b4f9", "a=b=c;;=;outputs", "Outputs=x", "my_top_k=x"],
)
def test_attributes_that_are_not_ours_are_passed_over(attributes: str) -> None:
    """They are the caller's own (rule S6): none of them is a wish or a fault."""
    assert read_options({}, attributes) == USUAL
    assert read_options({"top_k": "1"}, attributes) == Options(top_k=1)


@pytest.mark.parametrize(
    ("key", "value", "allowed"),
    [
        ("outputs", "", "names with commas between"),
        ("outputs", " , ", "names with commas between"),
        ("top_k", "0", "a whole number of 1 or more"),
        ("top_k", "-1", "a whole number of 1 or more"),
        ("top_k", "3.0", "a whole number of 1 or more"),
        ("top_k", "all", "a whole number of 1 or more"),
        ("top_k", "\uff13", "a whole number of 1 or more"),
        ("top_k", "9" * 5000, "a whole number of 1 or more"),
        ("threshold", "1.5", "a probability from 0 to 1"),
        ("threshold", "-0.1", "a probability from 0 to 1"),
        ("threshold", "nan", "a probability from 0 to 1"),
        ("threshold", "0,3", "a probability from 0 to 1"),
        ("threshold", "30%", "a probability from 0 to 1"),
        ("threshold", "1_0", "a probability from 0 to 1"),
        ("threshold", ".", "a probability from 0 to 1"),
    ],
)
def test_bad_values_are_refused(key: str, value: str, allowed: str) -> None:
    """400, with the key, the value and what is allowed, whichever way it came."""
    expected = re.escape(f"{key}={value.strip()[:60]!r} in the request; expected {allowed}")
    for query, attributes in (({key: value.strip()}, ""), ({}, f"{key}={value}")):
        with pytest.raises(RequestError, match=expected) as caught:
            read_options(query, attributes)
        assert caught.value.status == 400


@pytest.mark.parametrize(
    ("wrong", "right"),
    [("ouputs", "outputs"), ("output", "outputs"), ("topk", "top_k"), ("Threshold", "threshold")],
)
def test_a_misspelt_key_of_the_query_is_refused(wrong: str, right: str) -> None:
    """Nobody else writes to the query: what is nearly a key is meant to be it."""
    with pytest.raises(RequestError, match=f"key '{wrong}' is not known; write '{right}'"):
        read_options({wrong: "3"}, "")
    assert read_options({"v": "1", "utm_source": "x"}, "") == USUAL


def test_a_key_given_twice_is_one_list() -> None:
    """Two lists of outputs are one; two numbers are none."""
    assert read_options({}, "outputs=labels;outputs=margin").outputs == ("labels", "margin")
    with pytest.raises(RequestError, match="top_k='3,5' in the request"):
        read_options({}, "top_k=3;top_k=5")


def test_a_request_without_a_wish_costs_nothing() -> None:
    """The very same options are given back, so that the caller need not compare them."""
    assert read_options({}, "") is USUAL
    assert read_options({}, "trace=7f3a") is USUAL
