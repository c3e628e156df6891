"""Small real runs that the tests of training start from."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from churn_daal.boosting.dataset import Dataset
from churn_daal.boosting.fit import Fitted, fit
from churn_daal.boosting.hyperparameters import parse
from churn_daal.contract.signals import StopSignal

F32 = np.float32


def rows(n: int, seed: int, classes: int = 2) -> Dataset:
    """Return n rows of 4 columns, a tenth missing, and noisy labels of so many classes."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 4)).astype(F32)
    score = X[:, 0] + 0.5 * X[:, 1] + rng.normal(size=n)
    cuts = np.quantile(score, np.arange(1, classes) / classes)
    X[rng.random(X.shape) < 0.1] = np.nan
    return Dataset(X, np.digitize(score, cuts).astype(F32))


TRAIN, HELD = rows(120, 1), rows(60, 2)


def run(
    raw: dict[str, str] | None = None,
    *,
    objective: str = "binary:logistic",
    train: Dataset = TRAIN,
    held: Dataset = HELD,
    num_class: int | None = None,
    stop: StopSignal | None = None,
    **more: Any,  # noqa: ANN401 - whatever else `fit` takes
) -> Fitted:
    """Fit with hyperparameters as text; 5 rounds and one thread unless they say otherwise."""
    given = {"num_round": "5", "nthread": "1", "max_depth": "3"} | (raw or {})
    if given.get("booster") == "gblinear":
        del given["max_depth"]
    stop = stop or StopSignal()
    return fit(
        train, held, parse(given), objective=objective, num_class=num_class, stop=stop, **more
    )


def labelled(data: Dataset, y: NDArray[np.float32]) -> Dataset:
    """Return the same rows with other labels."""
    return Dataset(data.X, y)


def saved(fitted: Fitted) -> bytes:
    """Return the model as it would be saved."""
    return bytes(fitted.booster.save_raw("ubj"))
