"""What was observed against the baseline: a figure for each column, and what is beyond a limit.

The population stability index is the sum over buckets of (p - q) ln(p / q), p the share observed
and q that of the training data; its customary reading is below 0.1 as no change and above 0.2 or
0.25 as one to look into (Siddiqi, Credit Risk Scorecards, 2006). Rows drawn from the training data
itself have one too: (buckets - 1)(1/n + 1/m) on average for n rows beside m, as it is close to a
chi-squared quantity (Yurdakul, Statistical Properties of Population Stability Index, 2018). That
much is not held against a column, so that one with many categories has not drifted for having few
rows. A share of nothing is taken for half a cell's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from churn_daal.monitoring.baseline import ColumnBaseline
from churn_daal.monitoring.observed import ColumnCounts, Observed


@dataclass(frozen=True)
class Limits:
    """Beyond what a column has drifted.

    Attributes
    ----------
    psi
        Population stability index, beyond what chance makes of so many rows.
    missing
        Change of the share of missing cells.
    out_of_range, unseen
        Share of such cells.
    rows
        Below so many rows no verdict is given.
    """

    psi: float = 0.2
    missing: float = 0.05
    out_of_range: float = 0.01
    unseen: float = 0.01
    rows: int = 200


def report(baseline: Sequence[ColumnBaseline], seen: Observed, limits: Limits) -> dict[str, Any]:
    """Return the columns' figures and the violations, in the schema's order.

    Violations have the fields of Model Monitor's constraint_violations.json.
    """
    enough = seen.rows >= limits.rows
    columns, violations = [], []
    for base, counts in zip(baseline, seen.columns, strict=True):
        figures = _figures(base, counts, seen.rows)
        columns.append(figures)
        if enough:
            violations += list(_violations(figures, limits))
    return {
        "window": {
            "exchanges": seen.exchanges,
            "rows": seen.rows,
            "without_request": seen.without_request,
            "refused": seen.refused,
            "first_refusal": seen.first_refusal or None,
            "from": seen.earliest or None,
            "to": seen.latest or None,
        },
        "limits": asdict(limits),
        "verdict": ("drift" if violations else "no drift") if enough else "too few rows",
        "columns": columns,
        "violations": violations,
    }


def psi(observed: NDArray[np.float64], baseline: NDArray[np.float64]) -> tuple[float, float]:
    """Return the population stability index of counts, and what it would be by chance on average.

    Parameters
    ----------
    observed, baseline
        Counts in the same buckets, shape (n,); neither adds up to 0.
    """
    # A bucket that neither has tells nothing.
    told = (observed > 0) | (baseline > 0)
    totals = observed.sum(), baseline.sum()
    p, q = (
        np.maximum(counts[told] / total, 0.5 / total)
        for counts, total in zip((observed, baseline), totals, strict=True)
    )
    by_chance = (np.count_nonzero(told) - 1) * (1 / totals[0] + 1 / totals[1])
    return float(np.sum((p - q) * np.log(p / q))), float(by_chance)


def _figures(base: ColumnBaseline, counts: ColumnCounts, rows: int) -> dict[str, Any]:
    known = base.counts.sum() > 0 and counts.buckets.sum() > 0
    share = max(rows, 1)
    index, by_chance = psi(counts.buckets, base.counts) if known else (None, None)
    return {
        "name": base.column.name,
        "kind": base.column.kind,
        "missing": counts.missing / share,
        "baseline_missing": base.missing,
        "out_of_range": counts.out_of_range / share,
        "unseen": counts.unseen / share,
        "psi": index,
        "psi_by_chance": by_chance,
    }


def _violations(figures: dict[str, Any], limits: Limits) -> Iterator[dict[str, str]]:
    def told(check: str, text: str) -> dict[str, str]:
        return {
            "feature_name": figures["name"],
            "constraint_check_type": check,
            "description": text,
        }

    missing, before = figures["missing"], figures["baseline_missing"]
    if before is not None and abs(missing - before) > limits.missing:
        yield told(
            "completeness_check",
            f"{missing:.1%} of the cells are missing, {before:.1%} were in training; the change "
            f"may be {limits.missing:.1%}",
        )
    if figures["unseen"] > limits.unseen:
        yield told(
            "categorical_values_check",
            f"{figures['unseen']:.1%} of the cells hold a category that training has not seen; "
            f"{limits.unseen:.1%} may",
        )
    if figures["out_of_range"] > limits.out_of_range:
        yield told(
            "baseline_drift_check",
            f"{figures['out_of_range']:.1%} of the cells are beyond the range of training; "
            f"{limits.out_of_range:.1%} may be",
        )
    index, by_chance = figures["psi"], figures["psi_by_chance"]
    if index is not None and index > limits.psi + by_chance:
        yield told(
            "baseline_drift_check",
            f"the population stability index is {index:.3f}; it may be {limits.psi:g} beyond the "
            f"{by_chance:.3f} of chance",
        )
