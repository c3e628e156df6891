"""Several models answer as one, whatever the number of rows."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import xgboost

from churn_daal.engine.convert import convert
from churn_daal.engine.ensemble import EnsembleEngine


@pytest.mark.parametrize("objective", ["binary:logistic", "reg:squarederror", "multi:softprob"])
@pytest.mark.parametrize("count", [2, 10])
def test_some_rows_together_are_as_each_alone(
    objective: str, count: int, grow: Callable[..., xgboost.Booster], rows: np.ndarray
) -> None:
    """To the bit: the members' answers of one row are added up as those of many."""
    engine = EnsembleEngine(
        [convert(grow(objective, rounds=member + 1)) for member in range(count)]
    )
    several = engine.rows_alike
    asked = [engine.predict]
    if "margin" in engine.extras:
        asked.append(engine.margin)
    for ask in asked:
        alone = np.concatenate([ask(row[np.newaxis]) for row in rows])
        for first in range(0, len(rows), several):
            together = ask(rows[first : first + several])
            assert together.tobytes() == alone[first : first + several].tobytes()
