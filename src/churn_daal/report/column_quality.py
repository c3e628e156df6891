"""What one raw column holds, gathered batch by batch in fixed memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from churn_daal.report.categories import CategoryCounts
from churn_daal.report.moments import Moments
from churn_daal.report.sketch import SIZE, QuantileSketch
from churn_daal.tabular import cells
from churn_daal.tabular.schema import Kind

Numbers = NDArray[np.float32]
Codes = NDArray[np.int32]

QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
TOP_VALUES = 10


class ColumnQuality:
    """Missing cells, range, spread and quantiles of numbers; counts of texts.

    Parameters
    ----------
    name
        The column's name.
    kind
        As the schema has it.
    sketch_size
        Size of the sketch that quantiles are read from.
    """

    def __init__(self, name: str, kind: Kind, *, sketch_size: int = SIZE) -> None:
        self.name, self.kind = name, kind
        self.missing = 0
        self.moments = Moments()
        self.sketch = QuantileSketch(sketch_size)
        self.categories = CategoryCounts()
        self._texts = 0

    @property
    def present(self) -> int:
        """Cells that hold a value."""
        return self.moments.count + self.moments.infinite + self._texts

    @property
    def rows(self) -> int:
        """Cells seen."""
        return self.present + self.missing

    @property
    def numeric(self) -> bool:
        """Whether the cells came as numbers."""
        return self.kind == "number" or self.moments.count > 0

    @property
    def constant(self) -> bool:
        """Whether all present cells hold one value, and there is one."""
        if self.numeric:
            return self.moments.low == self.moments.high and not self.moments.infinite
        return self.categories.distinct == 1

    def add_numbers(self, values: Numbers) -> None:
        """Add cells, float32 (n,), NaN where one is missing."""
        present = values[~np.isnan(values)]
        self.missing += len(values) - len(present)
        self.moments.add(present)
        self.sketch.add(present[np.isfinite(present)])

    def add_codes(self, codes: Codes, distinct: Sequence[str]) -> None:
        """Add cells, int (n,), each the place of its text in `distinct`.

        A code below 0 is missing, as are the texts that docs/schema.md lists.
        """
        known = codes[codes >= 0]
        counts = np.bincount(known, minlength=len(distinct))
        came: dict[str, int] = {}
        for place in np.flatnonzero(counts).tolist():
            value = cells.category(distinct[place])
            if value is not None:
                came[value] = came.get(value, 0) + int(counts[place])
        texts = sum(came.values())
        self.missing += len(codes) - texts
        self._texts += texts
        self.categories.add(came)

    def merge(self, other: ColumnQuality) -> None:
        """Add what another host has seen of the same column."""
        self.missing += other.missing
        self._texts += other._texts
        self.moments.merge(other.moments)
        self.sketch.merge(other.sketch)
        self.categories.merge(other.categories)

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON's types; a figure that no cell gives is NaN."""
        return {
            "name": self.name,
            "kind": self.kind,
            "rows": self.rows,
            "missing": self.missing,
            "missing_share": self.missing / self.rows if self.rows else None,
            **(self._numbers() if self.numeric else self._categories()),
        }

    def _numbers(self) -> dict[str, Any]:
        moments = self.moments
        quantiles = self.sketch.quantiles(np.asarray(QUANTILES))
        return {
            "infinite": moments.infinite,
            "min": moments.low if moments.count else None,
            "max": moments.high if moments.count else None,
            "mean": moments.mean if moments.count else None,
            "std": moments.std,
            "quantiles": {
                f"{share:g}": float(value)
                for share, value in zip(QUANTILES, quantiles, strict=True)
            },
            "quantiles_exact": self.sketch.exact,
        }

    def _categories(self) -> dict[str, Any]:
        return {
            "distinct": self.categories.distinct,
            "distinct_exact": self.categories.exact,
            "top": [
                {"value": value, "count": count, "share": count / self.rows}
                for value, count in self.categories.top(TOP_VALUES)
            ],
        }
