"""What the manifest keeps of the training data, so that serving can tell what is new to it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from churn_daal.errors import ArtifactError


@dataclass(frozen=True)
class ColumnStatistics:
    """A raw column of the train channel.

    Attributes
    ----------
    missing
        Share of its cells that were missing, 0 to 1.
    low, high
        Smallest and largest value of a number column; None of any other, or of one without values.
    """

    missing: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Statistics:
    """Columns by name; none where training did not look (docs/observability.md says when).

    Attributes
    ----------
    columns
        What is known.
    """

    columns: Mapping[str, ColumnStatistics] = field(default_factory=dict)

    @classmethod
    def of_rows(cls, rows: NDArray[np.float32], names: Sequence[str]) -> Statistics:
        """Return those of number columns: float32 (n, len(names)), NaN missing; none of no rows."""
        if not len(rows):
            return cls()
        found = {}
        for name, values in zip(names, rows.T, strict=True):
            present = values[~np.isnan(values)]
            bounds = (float(present.min()), float(present.max())) if len(present) else ()
            found[name] = ColumnStatistics(1 - len(present) / len(rows), *bounds)
        return cls(found)

    def range_of(self, name: str) -> tuple[float, float] | None:
        """Return the smallest and the largest value of a number column; None where unknown."""
        column = self.columns.get(name)
        if column is None or column.low is None or column.high is None:
            return None
        return column.low, column.high

    def to_dict(self) -> dict[str, Any]:
        """Return the manifest's form."""
        return {
            name: {"missing": column.missing}
            | ({} if column.low is None else {"min": column.low, "max": column.high})
            for name, column in self.columns.items()
        }

    @classmethod
    def from_dict(cls, data: Any) -> Statistics:  # noqa: ANN401 - JSON of any type
        """Read the manifest's form; a manifest of an earlier release has none.

        Raises
        ------
        ArtifactError
            It is of another shape.
        """
        if data is None:
            return cls()
        if not isinstance(data, dict):
            raise ArtifactError(_refusal("statistics", data, "an object of columns"))
        return cls({name: _column(name, column) for name, column in data.items()})


def _column(name: str, data: Any) -> ColumnStatistics:  # noqa: ANN401 - JSON of any type
    if not isinstance(data, dict):
        raise ArtifactError(_refusal(f"statistics of {name!r:.60}", data, "an object"))
    if not all(_is_finite(data.get(key)) for key in ("missing", "min", "max") if key in data):
        raise ArtifactError(_refusal(f"statistics of {name!r:.60}", data, "finite numbers"))
    if "missing" not in data or ("min" in data) != ("max" in data):
        raise ArtifactError(_refusal(f"statistics of {name!r:.60}", data, "missing, min and max"))
    if "min" not in data:
        return ColumnStatistics(float(data["missing"]))
    return ColumnStatistics(float(data["missing"]), float(data["min"]), float(data["max"]))


def _is_finite(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def _refusal(what: str, came: object, expected: str) -> str:
    return (
        f"daal/manifest.json: {what} is {came!r:.80}, expected {expected}; the file was changed by "
        "hand or damaged, copy the model again"
    )
