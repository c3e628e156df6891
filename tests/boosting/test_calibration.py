"""The calibration table: scikit-learn's bins and Brier score, with weights."""

from __future__ import annotations

import json

import numpy as np
import pytest
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss

from churn_daal.boosting.calibration import calibration_table

F32 = np.float32
DRAW = np.random.default_rng(2)
P = DRAW.random(500).astype(F32)
Y = (DRAW.random(500) < P**2).astype(F32)
W = DRAW.choice([0, 1, 2.5], 500).astype(F32)


def test_the_bins_are_scikit_learns() -> None:
    """Observed shares and mean probabilities of ten quantiles."""
    found = calibration_table(Y, P)

    observed, predicted = calibration_curve(Y, P, n_bins=10, strategy="quantile")
    assert [one.observed for one in found.bins] == pytest.approx(observed)
    assert [one.mean_predicted for one in found.bins] == pytest.approx(predicted, rel=1e-6)
    assert [one.rows for one in found.bins] == [50] * 10
    assert found.brier == pytest.approx(brier_score_loss(Y, P))


def test_the_sums_by_hand() -> None:
    """Bins of 0.2 and 0.8 with shares of 0.5 and 1 are off by 0.3 and 0.2."""
    found = calibration_table(np.array([0, 1, 1, 1], F32), np.repeat(F32([0.2, 0.8]), 2), bins=2)

    assert [(b.rows, b.observed) for b in found.bins] == [(2, 0.5), (2, 1.0)]
    assert found.expected_error == pytest.approx(0.25)


def test_weights_act_like_repeated_rows() -> None:
    """In everything but the rows of a bin; rows without weight are left out."""
    times = DRAW.integers(0, 4, 500)

    weighted = calibration_table(Y, P, times.astype(F32), bins=1)
    repeated = calibration_table(np.repeat(Y, times), np.repeat(P, times), bins=1)

    assert weighted.bins[0].observed == pytest.approx(repeated.bins[0].observed)
    assert weighted.bins[0].mean_predicted == pytest.approx(repeated.bins[0].mean_predicted)
    assert weighted.expected_error == pytest.approx(repeated.expected_error)
    assert weighted.brier == pytest.approx(brier_score_loss(Y, P, sample_weight=times))
    assert calibration_table(Y, P, W).bins[0].rows < 50


def test_a_calibrated_model_has_no_error_and_a_wrong_one_has() -> None:
    """Labels drawn with the probability are near it; those drawn with its square are not."""
    p = DRAW.random(20_000).astype(F32)
    label = DRAW.random(20_000)

    assert calibration_table((label < p).astype(F32), p).expected_error < 0.02
    assert calibration_table((label < p**2).astype(F32), p).expected_error > 0.1


@pytest.mark.parametrize(
    ("p", "sizes"),
    [([0.5] * 6, [6]), ([0, 0, 0, 0, 0, 1], [5, 1]), ([0.1, 0.1, 0.1, 0.9, 0.9, 0.9], [3, 3])],
)
def test_equal_probabilities_share_a_bin(p: list[float], sizes: list[int]) -> None:
    """There are as many bins as the probabilities allow."""
    found = calibration_table(np.array([0, 0, 1, 0, 1, 1], F32), np.array(p, F32))

    assert [one.rows for one in found.bins] == sizes


@pytest.mark.parametrize("label", [0, 1])
def test_one_class_has_a_table(label: int) -> None:
    """The observed share is 0 or 1 in each bin, and it is all JSON."""
    found = calibration_table(np.full(500, label, F32), P)

    assert {one.observed for one in found.bins} == {float(label)}
    assert json.loads(json.dumps(found.to_json(), allow_nan=False))["bins"][0]["rows"] == 50


def test_labels_that_are_shares_are_taken_as_they_are() -> None:
    """Three quarters observed, three quarters predicted."""
    found = calibration_table(np.array([0.75], F32), np.array([0.75], F32))

    assert (found.expected_error, found.brier) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("y", "p", "weight", "bins", "message"),
    [
        (Y, P * 4 - 2, None, 10, "expected 0 to 1"),
        (Y, P[1:], None, 10, "have shapes"),
        (Y[:0], P[:0], None, 10, "of one row or more"),
        (Y, P, W * 0, 10, "no row has a weight above 0"),
        (Y, P, None, 0, "bins is 0; expected 1 or more"),
    ],
)
def test_what_is_no_probability_or_no_row_is_refused(
    y: np.ndarray, p: np.ndarray, weight: np.ndarray | None, bins: int, message: str
) -> None:
    """Margins, other rows, no rows, no weight and no bins."""
    with pytest.raises(ValueError, match=message):
        calibration_table(y, p, weight, bins=bins)
