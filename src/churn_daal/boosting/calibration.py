"""Whether a probability is one: of rows answered 0.3, about three in ten should be positive."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from churn_daal.boosting.thresholds import checked


@dataclass(frozen=True)
class Bin:
    """Rows of similar probability.

    Attributes
    ----------
    rows
        How many there are.
    low, high
        Lowest and highest probability among them.
    mean_predicted
        Mean probability, by weight.
    observed
        Share of the positive class, by weight.
    """

    rows: int
    low: float
    high: float
    mean_predicted: float
    observed: float


@dataclass(frozen=True)
class Calibration:
    """A calibration table and its sums.

    Attributes
    ----------
    bins
        By rising probability.
    expected_error
        Expected calibration error: mean distance of observed from predicted over the bins, each
        by the weight of its rows.
    brier
        Brier score: mean squared distance of the label from the probability, by weight.
    """

    bins: tuple[Bin, ...]
    expected_error: float
    brier: float

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON takes it."""
        return asdict(self) | {"bins": [asdict(one) for one in self.bins]}


def calibration_table(
    y: NDArray[np.float32],
    probability: NDArray[np.floating[Any]],
    weight: NDArray[np.float32] | None = None,
    *,
    bins: int = 10,
) -> Calibration:
    """Compare probabilities with what was observed.

    The bins are quantiles, about as many rows in each, as those of scikit-learn's
    `calibration_curve(strategy="quantile")`. Equal probabilities stay in one bin, so there may be
    fewer than asked for: one where all are equal. Rows without weight are left out.

    Parameters
    ----------
    y
        Labels (n,) from 0 to 1: the class, or the share of the positive class in a row.
    probability
        Probability of the positive class (n,).
    weight
        Weights (n,); None where all rows count alike.
    bins
        Most bins there are, 1 or more.

    Raises
    ------
    ValueError
        A probability is not from 0 to 1, the lengths differ, no row has weight, or there are no
        bins.
    """
    if bins < 1:
        raise ValueError(f"bins is {bins}; expected 1 or more")
    score, share = checked(y, probability, weight)
    counted = share > 0
    if not counted.any():
        raise ValueError("no row has a weight above 0")
    exact, share = score[counted].astype(np.float64), share[counted]
    label = y[counted].astype(np.float64)
    edges = np.quantile(exact, np.linspace(0, 1, bins + 1)[1:-1])
    place = np.searchsorted(edges, exact)
    rows, weights, predicted, observed = (
        np.bincount(place, values, minlength=bins)
        for values in (None, share, share * exact, share * label)
    )
    low, high = np.full(bins, np.inf), np.full(bins, -np.inf)
    np.minimum.at(low, place, exact)
    np.maximum.at(high, place, exact)
    table = tuple(
        Bin(
            rows=int(rows[i]),
            low=float(low[i]),
            high=float(high[i]),
            mean_predicted=float(predicted[i] / weights[i]),
            observed=float(observed[i] / weights[i]),
        )
        for i in np.flatnonzero(rows)
    )
    return Calibration(
        bins=table,
        expected_error=float(np.abs(predicted - observed).sum() / share.sum()),
        brier=float(np.average((label - exact) ** 2, weights=share)),
    )
