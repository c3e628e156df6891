"""predictions.csv has AWS's columns, and the labels as they stood."""

from __future__ import annotations

import numpy as np
import pytest

from churn_daal.engine.objectives import objective_named
from churn_daal.report.predictions import Predictions


def rows(
    objective: str, y: list[float], response: object, *classes: str | int, threshold: float = 0.5
) -> list[tuple[object, ...]]:
    """Return what is written."""
    labels, answers = np.asarray(y, np.float32), np.asarray(response, np.float32)
    return list(Predictions(objective_named(objective), labels, answers, classes, threshold).rows())


def test_two_classes() -> None:
    """Label, probability of the second class, and the class it gives by the threshold."""
    found = rows("binary:logistic", [0, 1, 1], [0.25, 0.35, 0.34], "no", "yes", threshold=0.35)

    assert found == [("no", "0.25", "no"), ("yes", "0.35", "yes"), ("yes", "0.34", "no")]


def test_margins_become_probabilities() -> None:
    """binary:logitraw answers margins; the column is a probability all the same."""
    assert rows("binary:logitraw", [1], [0.0], 0, 1) == [(1, "0.5", 1)]


def test_many_classes() -> None:
    """The largest mean probability and its class, which cannot contradict one another."""
    found = rows("multi:softprob", [2, 0], [[0.2, 0.5, 0.3], [0.5, 0.25, 0.25]], "a", "b", "c")

    assert found == [("c", "0.5", "b"), ("a", "0.5", "a")]


def test_numbers_are_their_shortest_text() -> None:
    """A value has two columns; 0.1 is not 0.10000000149."""
    found = rows("reg:squarederror", [0.1, 3.0, -2e30], [0.2, 3.0, 1e-9])

    assert found == [("0.1", "0.2"), ("3", "3"), ("-2e+30", "1e-09")]


def test_a_share_of_the_positive_class_is_a_number() -> None:
    """A label between the classes is told as it is."""
    assert rows("binary:logistic", [0.25], [0.75], 0, 1) == [("0.25", "0.75", 1)]


def test_a_row_no_fold_answered_is_empty() -> None:
    """NaN is an empty cell and gives no class."""
    assert rows("binary:logistic", [1], [np.nan], 0, 1) == [(1, None, None)]


def test_long_data_is_written_in_pieces() -> None:
    """Rows beyond one piece keep their order."""
    y = np.arange(70_000) % 2
    found = rows("binary:logistic", y.tolist(), np.linspace(0, 1, 70_000), 0, 1)

    assert len(found) == 70_000
    assert [row[0] for row in found[65_530:65_540]] == y[65_530:65_540].tolist()


def test_labels_and_answers_go_together() -> None:
    """A row too few is refused, not shifted."""
    with pytest.raises(ValueError, match="2 labels, but 1 answers"):
        rows("reg:squarederror", [1, 2], [1])
