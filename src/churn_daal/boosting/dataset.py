"""The one form in which rows reach the training code, whatever file they came from.

The features may be larger than memory, so they are asked for in batches. Everything else, a few
bytes a row, is held.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.intp]
Vector = NDArray[np.float32]


class Features(Protocol):
    """Encoded features, wherever they lie."""

    @property
    def width(self) -> int:
        """Number of encoded columns."""
        ...

    def __len__(self) -> int: ...

    def batches(self, rows: Rows | None = None) -> Iterator[Any]:
        """Yield the rows, all of them by default, in turn and in bounded pieces.

        A piece is a form XGBoost takes: a float32 array (n, d), an Arrow table of d columns or a
        SciPy CSR matrix; NaN, null or no entry is a missing value.
        """
        ...

    def dense(self, rows: Rows | None = None) -> NDArray[np.float32]:
        """Return the rows, all of them by default: float32 (n, d), C-contiguous, NaN missing."""
        ...


class ArrayFeatures:
    """Features that are an array in memory: float32 (n, d), NaN where a value is missing."""

    def __init__(self, X: NDArray[np.float32]) -> None:
        if X.ndim != 2:
            raise ValueError(f"X has shape {X.shape}; expected (rows, columns)")
        self._array = X

    @property
    def width(self) -> int:
        """Number of columns."""
        return int(self._array.shape[1])

    def __len__(self) -> int:
        return len(self._array)

    def batches(self, rows: Rows | None = None) -> Iterator[NDArray[np.float32]]:
        """Yield the rows in one piece."""
        yield self.dense(rows)

    def dense(self, rows: Rows | None = None) -> NDArray[np.float32]:
        """Return the rows."""
        chosen = self._array if rows is None else self._array[rows]
        return np.ascontiguousarray(chosen)


@dataclass(frozen=True)
class Dataset:
    """Rows with their labels.

    Attributes
    ----------
    features
        Of every row of the source; an array (m, d) will do.
    y
        float32 (n,), the encoded labels: 0/1, 0 to K-1, or the value itself.
    weight
        float32 (n,), or None where all rows count alike.
    group
        int64 (n,), the query of each row for ranking, equal ones side by side; None without.
    lower, upper
        float32 (n,), the bounds of a survival time (`survival:aft`); None without.
    base_margin
        float32 (n,) or (n, K), where each row's margin starts; None without.
    rows
        int (n,), the rows of `features` that these are; None for all in turn.
    """

    features: Features
    y: Vector
    weight: Vector | None = None
    group: NDArray[np.int64] | None = None
    lower: Vector | None = None
    upper: Vector | None = None
    base_margin: Vector | None = None
    rows: Rows | None = None

    def __post_init__(self) -> None:
        if isinstance(self.features, np.ndarray):
            object.__setattr__(self, "features", ArrayFeatures(self.features))
        rows = len(self.features) if self.rows is None else len(self.rows)
        for name, values in self._vectors().items():
            if len(values) != rows:
                raise ValueError(f"{name} has {len(values)} rows; expected {rows} as the features")

    def __len__(self) -> int:
        return len(self.y)

    @property
    def width(self) -> int:
        """Number of encoded columns."""
        return self.features.width

    @property
    def X(self) -> NDArray[np.float32]:  # noqa: N802 - scikit-learn's name
        """All rows at once: float32 (n, d), C-contiguous, NaN where a value is missing."""
        return self.features.dense(self.rows)

    def batches(self) -> Iterator[tuple[Any, slice]]:
        """Yield pieces of the features, and which of these rows each piece is."""
        start = 0
        for piece in self.features.batches(self.rows):
            stop = start + piece.shape[0]
            yield piece, slice(start, stop)
            start = stop

    def take(self, rows: Rows) -> Dataset:
        """Return the given rows, in the order given; the features are not copied."""
        chosen: dict[str, Any] = {name: values[rows] for name, values in self._vectors().items()}
        source = rows if self.rows is None else self.rows[rows]
        return replace(self, rows=source, **chosen)

    def _vectors(self) -> dict[str, NDArray[Any]]:
        """Return what there is of the values each row has one of."""
        skipped = {"features", "rows"}
        named = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in skipped}
        return {name: values for name, values in named.items() if values is not None}
