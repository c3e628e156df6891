"""Columns that tell the label are found, and honest ones are not accused."""

from __future__ import annotations

import math

import numpy as np
import pytest

from churn_daal.report.leakage import Correlation, Separation

RNG = np.random.default_rng(0)
Y = RNG.integers(0, 2, 400)
NOISE = RNG.normal(size=400)
TEXTS = ["kept", "cancelled", "", "moved"]


def separation(values: np.ndarray, y: np.ndarray = Y, classes: int = 2) -> Separation:
    """Show numbers in batches."""
    found = Separation(classes)
    for rows in np.array_split(np.arange(len(y)), 3):
        found.add_numbers(values[rows].astype(np.float32), y[rows])
    return found


def coded(codes: np.ndarray, y: np.ndarray = Y) -> Separation:
    """Show texts in batches."""
    found = Separation(2)
    for rows in np.array_split(np.arange(len(y)), 3):
        found.add_codes(codes[rows].astype(np.int32), TEXTS, y[rows])
    return found


@pytest.mark.parametrize(
    ("values", "perfect"),
    [
        (Y * 2.0, True),
        (-10.0 * Y + np.abs(NOISE), True),
        (np.where(Y == 1, np.nan, NOISE), True),
        (np.where(np.arange(400) == 399, 1 - Y, Y).astype(float), False),
        (NOISE, False),
        (np.where(NOISE > 1, np.nan, Y), False),
        (np.ones(400), False),
    ],
    ids=["label", "ranges", "missing tells", "one row off", "noise", "missing mixed", "constant"],
)
def test_numbers_that_tell_the_class(values: np.ndarray, perfect: bool) -> None:
    """Each class in a range of its own is perfect; one row against it is not."""
    assert separation(values).perfect is perfect


def test_three_classes_in_three_ranges() -> None:
    """Separation is of every class from every other."""
    y = RNG.integers(0, 3, 300)

    assert separation(np.asarray([5.0, 1.0, 9.0])[y], y, 3).perfect
    assert not separation(np.asarray([5.0, 5.0, 9.0])[y], y, 3).perfect


@pytest.mark.parametrize(
    ("codes", "perfect"),
    [
        (Y, True),
        (np.where(Y == 1, RNG.choice([1, 3], 400), -1), True),
        (RNG.integers(0, 4, 400), False),
        (np.where(np.arange(400) == 200, 1 - Y, Y), False),
    ],
    ids=["label", "two texts and missing", "noise", "one row off"],
)
def test_texts_that_tell_the_class(codes: np.ndarray, perfect: bool) -> None:
    """Each text with one class alone is perfect."""
    assert coded(codes).perfect is perfect


def test_identifiers_are_no_leak() -> None:
    """A text of its own in every row says nothing of a class, nor do four rows."""
    names = [f"id{n}" for n in range(400)]
    identifiers = Separation(2)
    identifiers.add_codes(np.arange(400, dtype=np.int32), names, Y)

    assert not identifiers.perfect
    assert not separation(np.asarray([1.0, 2.0, 3.0, 4.0]), np.asarray([0, 0, 1, 1])).perfect


def test_hosts_merge() -> None:
    """What is perfect on each host is so only if the hosts agree."""
    one, same, other = (separation(values) for values in (Y * 1.0, Y * 1.0, 1.0 - Y))
    one.merge(same)
    assert one.perfect

    one.merge(other)
    assert not one.perfect


@pytest.mark.parametrize("scale", [1.0, 1e-6, -1e12])
def test_a_scaled_label_correlates(scale: float) -> None:
    """Pearson's r is NumPy's, over batches and hosts, whatever the scale."""
    target = NOISE.astype(np.float32)
    values = (scale * (target + 0.1 * RNG.normal(size=400))).astype(np.float32)
    one, other = Correlation(), Correlation()
    for rows in np.array_split(np.arange(250), 3):
        one.add(values[rows], target[rows])
    other.add(values[250:], target[250:])
    one.merge(other)

    expected = np.corrcoef(values.astype(np.float64), target.astype(np.float64))[0, 1]
    assert one.value == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("values", [np.ones(400), np.full(400, np.nan)])
def test_a_constant_has_no_correlation(values: np.ndarray) -> None:
    """Without spread or without cells r is NaN, with no warning."""
    found = Correlation()
    found.add(values.astype(np.float32), NOISE.astype(np.float32))

    assert math.isnan(found.value)
