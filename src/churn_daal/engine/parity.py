"""The gate: a converted model is used only where it answers what XGBoost answers.

daal4py converts some models wrongly without a word, so no conversion is believed. The rows are
those a wrong conversion shows on: real ones, the same with cells missing, and rows that sit
exactly on the splits, where `<` and `<=` differ.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from churn_daal.engine.anatomy import read_forest, split_thresholds
from churn_daal.engine.attribution import Attribution, check_contributions
from churn_daal.engine.native import predict_margins
from churn_daal.engine.objectives import Floats
from churn_daal.engine.protocol import Engine, Matrix, check_matrix

if TYPE_CHECKING:
    import xgboost

LIMIT = 1e-5
MOST_ROWS = 5_000
MISSING_SHARE = 0.1
# oneDAL answers a row by itself and rows in a block in two ways, a last bit apart.
ALONE_ROWS = 256


@dataclass(frozen=True)
class Parity:
    """What the gate found, fit for JSON.

    Attributes
    ----------
    rows
        Rows compared.
    quantity
        `margin`, with differences relative to max(1, |margin|), or `probability`.
    max_difference
        The largest; None where a value is NaN or infinite on one side only.
    limit
        What it may be.
    passed
        Whether every difference is within the limit.
    worst_row
        The row that differs most: where it comes from, both values.
    contributions
        What was found of the engine's SHAP values; None where it has none.
    """

    rows: int
    quantity: str
    max_difference: float | None
    limit: float
    passed: bool
    worst_row: str
    contributions: Attribution | None = None

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON's types."""
        return asdict(self)


def check_parity(
    engine: Engine, booster: xgboost.Booster, X_check: Matrix, *, seed: int, limit: float = LIMIT
) -> Parity:
    """Compare an engine with the booster it was made from.

    Parameters
    ----------
    engine
        The converted model.
    booster
        The original, a gbtree one.
    X_check
        float32 `(n, n_features)`, rows like those to be served; at most 5,000 are used.
    seed
        Of the choice of rows, of missing cells and of split values.

    Raises
    ------
    ValueError
        X_check is not float32 or of another width.
    """
    check_matrix(X_check, engine.n_features)
    rng = np.random.default_rng(seed)
    parts = _check_rows(X_check, booster, rng)
    block = np.concatenate(list(parts.values()))
    alone = block[rng.permutation(len(block))[:ALONE_ROWS]]
    parts["a row answered alone"] = alone
    X = np.concatenate([block, alone])
    margins = predict_margins(booster, X)
    if engine.objective.link == "softmax":
        quantity, expected = "probability", engine.objective.respond(margins)
        answer = engine.predict
    else:
        quantity, expected, answer = "margin", margins, engine.margin
    found = np.concatenate([answer(block), *(answer(row[np.newaxis]) for row in alone)])
    if found.shape != expected.shape:
        raise ValueError(f"the engine answers {found.shape}, the booster {expected.shape}")
    differences = _differences(found, expected, relative=quantity == "margin")
    by_row: NDArray[np.float64] = differences.reshape(len(X), -1).max(axis=1)
    # NaN stands for a mismatch no number measures: argmax takes the first NaN for the largest.
    worst = int(np.argmax(by_row))
    largest = float(by_row[worst])
    attribution = None
    if largest <= limit and "contributions" in engine.extras:
        attribution = check_contributions(engine, booster, alone, limit=limit)
    return Parity(
        rows=len(X),
        quantity=quantity,
        max_difference=largest if np.isfinite(largest) else None,
        limit=limit,
        passed=largest <= limit,
        worst_row=f"{_place(parts, worst)}: {engine.name} {_shown(found[worst])}, "
        f"xgboost {_shown(expected[worst])}",
        contributions=attribution,
    )


def _differences(found: Floats, expected: Floats, *, relative: bool) -> NDArray[np.float64]:
    a, b = found.astype(np.float64), expected.astype(np.float64)
    scale = np.maximum(1.0, np.abs(b)) if relative else np.ones_like(b)
    comparable = np.isfinite(a) & np.isfinite(b)
    with np.errstate(invalid="ignore"):
        differences = np.where(comparable, np.abs(a - b) / scale, np.nan)
    # Both infinite alike, or both NaN, is the same answer.
    differences[(a == b) | (np.isnan(a) & np.isnan(b))] = 0.0
    return differences


def _check_rows(X: Matrix, booster: xgboost.Booster, rng: np.random.Generator) -> dict[str, Matrix]:
    width = X.shape[1]
    if len(X) > MOST_ROWS:
        X = X[rng.choice(len(X), MOST_ROWS, replace=False)]
    empty = np.full((1, width), np.nan, dtype=np.float32)
    holed = np.where(rng.random(X.shape) < MISSING_SHARE, np.float32(np.nan), X)
    thresholds = split_thresholds(read_forest(booster)["trees"], width)
    on = _rows_on_splits(X if len(X) else empty, thresholds, rng)
    return {
        "a row as given": X,
        "a row with missing cells": holed,
        "a row with every cell missing": empty,
        "a row on split values": on,
        "a row just below split values": np.nextafter(on, np.float32(-np.inf)),
    }


def _rows_on_splits(X: Matrix, thresholds: list[Floats], rng: np.random.Generator) -> Matrix:
    # As many rows as the most used feature has splits, so that each split is met; a column at
    # a time, each shuffled alone, so that rows differ in which splits they sit on.
    count = min(MOST_ROWS, max(len(X), *(len(values) for values in thresholds)))
    rows = X[np.arange(count) % len(X)]
    for feature, values in enumerate(thresholds):
        if len(values):
            rows[:, feature] = rng.permutation(np.resize(rng.permutation(values), count))
    return rows


def _place(parts: dict[str, Matrix], row: int) -> str:
    for name, rows in parts.items():
        if row < len(rows):
            return name
        row -= len(rows)
    raise IndexError(row)


def _shown(value: Floats) -> str:
    return np.array2string(np.asarray(value), precision=9, threshold=8)
