"""Answers beside what was expected, and what people read where they differ."""

from __future__ import annotations

from typing import Any

import pytest
from cicd.comparison import compare

WANTED = [
    {"score": 0.2, "predicted_label": "no"},
    {"score": 0.9, "predicted_label": "yes"},
]
LINES = [2, 7]


def changed(row: int, **values: object) -> list[dict[str, Any]]:
    """Return the answers wanted with one row changed."""
    return [{**record, **(values if row == n else {})} for n, record in enumerate(WANTED)]


def test_the_same_answers_within_the_tolerance_have_no_differences() -> None:
    """The largest difference is told all the same; what else a record holds is passed over."""
    compared = compare(WANTED, changed(1, score=0.9 + 5e-6, probability=1), lines=LINES)

    assert compared.differences == []
    assert compared.largest == pytest.approx(5e-6)


@pytest.mark.parametrize(
    ("answered", "line"),
    [
        (changed(1, score=0.90002), "  line 7, score: expected 0.9, answered 0.90002"),
        (
            changed(0, predicted_label="yes"),
            "  line 2, predicted_label: expected 'no', answered 'yes'",
        ),
        (changed(0, score=None), "  line 2, score: expected 0.2, answered None"),
        (changed(0, score="0.2"), "  line 2, score: expected 0.2, answered '0.2'"),
        (changed(0, score=True), "  line 2, score: expected 0.2, answered True"),
        (changed(0, score=[0.2]), "  line 2, score: expected 0.2, answered [0.2]"),
        (changed(0, score=float("nan")), "  line 2, score: expected 0.2, answered nan"),
        ([0.2, WANTED[1]], "  line 2, score: expected 0.2, answered None"),
        (WANTED[:1], "  2 rows were sent, answered were 1"),
        ({"error": "x"}, "  2 rows were sent, answered were {'error': 'x'}"),
    ],
)
def test_what_differs_is_told_with_its_line(answered: object, line: str) -> None:
    """Line of the file, field, both values."""
    compared = compare(WANTED, answered, lines=LINES)

    assert line in compared.report().splitlines()


def test_a_score_on_the_threshold_may_be_either_class() -> None:
    """A difference within the tolerance decides there, and is no fault."""
    wanted = [{"score": 0.3400001, "predicted_label": "yes"}]
    came = [{"score": 0.3399999, "predicted_label": "no"}]

    assert compare(wanted, came, lines=[2], threshold=0.34).differences == []
    assert compare(wanted, came, lines=[2], threshold=0.5).differences != []


def test_scores_of_several_classes_and_large_values_have_their_own_measure() -> None:
    """Each class is compared; a value of a regression by its size."""
    wanted = [{"score": [0.1, 0.9], "predicted_label": "b"}, {"score": 2_000_000.0}]
    close = [{"score": [0.1, 0.900001], "predicted_label": "b"}, {"score": 2_000_001.0}]
    apart = [{"score": [0.2, 0.8], "predicted_label": "b"}, {"score": 2_000_100.0}]

    assert compare(wanted, close, lines=LINES).differences == []
    assert len(compare(wanted, apart, lines=LINES).differences) == 2


def test_many_differences_are_cut_and_counted() -> None:
    """A wrong model differs in every row."""
    wanted = [{"score": float(n)} for n in range(40)]
    came = [{"score": n + 0.5} for n in range(40)]

    report = compare(wanted, came, lines=range(2, 42)).report().splitlines()

    assert len(report) == 11
    assert report[-1] == "  ... and 30 more"
