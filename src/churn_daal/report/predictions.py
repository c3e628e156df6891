"""predictions.csv: what folds answered for rows they were not trained on.

AWS's XGBoost image writes the same columns without a header: label, for classification the
probability, answer. Its probability and class are each averaged over repeats by themselves and
can contradict one another; here the class is the one the mean probabilities give.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from churn_daal.engine.objectives import Floats, Objective
from churn_daal.tabular.labels import Class

_BATCH = 65_536


@dataclass(frozen=True)
class Predictions:
    """Answers to the rows of the data, in its order.

    Attributes
    ----------
    objective
        What the answers mean.
    y
        float32 (n,), the encoded labels.
    response
        float32 (n,) or (n, K), the mean answer of the repeats; NaN where a row has none. For
        `binary:logitraw` a margin.
    classes
        As they stood in the data, in the order of XGBoost's class numbers; empty for numbers.
    threshold
        Probability from which a binary answer is the second class.
    """

    objective: Objective
    y: Floats
    response: Floats
    classes: tuple[Class, ...] = ()
    threshold: float = 0.5

    def __post_init__(self) -> None:
        if len(self.y) != len(self.response):
            raise ValueError(f"{len(self.y)} labels, but {len(self.response)} answers")

    def rows(self) -> Iterator[tuple[object, ...]]:
        """Yield each row as it is written: two cells, or three for classification."""
        for first in range(0, len(self.y), _BATCH):
            part = slice(first, first + _BATCH)
            yield from self._batch(self.y[part], self.response[part])

    def _batch(self, y: Floats, response: Floats) -> Iterator[tuple[object, ...]]:
        labels = [self._label(value) for value in y]
        if not self.classes:
            yield from zip(labels, map(_number, response), strict=True)
            return
        chance, chosen = self._classified(response)
        for label, probability, place in zip(labels, chance, chosen, strict=True):
            known = not np.isnan(probability)
            yield label, _number(probability), self.classes[place] if known else None

    def _classified(self, response: Floats) -> tuple[Floats, NDArray[np.intp]]:
        if response.ndim == 2:
            chosen = response.argmax(axis=1)
            return response[np.arange(len(response)), chosen], chosen
        if self.objective.name == "binary:logitraw":
            response = (0.5 * (1 + np.tanh(0.5 * response.astype(np.float64)))).astype(np.float32)
        # In float32, as serving compares.
        return response, (response >= np.float32(self.threshold)).astype(np.intp)

    def _label(self, value: np.float32) -> object:
        number = float(value)
        if self.classes and number.is_integer():
            return self.classes[int(number)]
        return _number(value)  # a number, or the share of the positive class


def _number(value: np.float32) -> str | None:
    """Return the shortest text that reads back as this float32; None for NaN."""
    if np.isnan(value):
        return None
    return str(int(value)) if abs(value) < 2**24 and value == int(value) else str(value)
