"""The one form in which rows reach the training code, whatever file they came from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Dataset:
    """Rows with their labels.

    Attributes
    ----------
    X
        float32 (n, d), C-contiguous, NaN where a value is missing.
    y
        float32 (n,), the encoded labels: 0/1, 0 to K-1, or the value itself.
    weight
        float32 (n,), or None where all rows count alike.
    """

    X: NDArray[np.float32]
    y: NDArray[np.float32]
    weight: NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        rows = self.X.shape[0]
        if self.X.ndim != 2:
            raise ValueError(f"X has shape {self.X.shape}; expected (rows, columns)")
        for name, values in (("y", self.y), ("weight", self.weight)):
            if values is not None and values.shape != (rows,):
                raise ValueError(f"{name} has shape {values.shape}; expected ({rows},) as X")

    def __len__(self) -> int:
        return len(self.y)

    def take(self, rows: NDArray[np.intp]) -> Dataset:
        """Return the given rows, in the order given."""
        return Dataset(
            X=np.ascontiguousarray(self.X[rows]),
            y=self.y[rows],
            weight=None if self.weight is None else self.weight[rows],
        )
