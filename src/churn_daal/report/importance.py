"""Feature importance by the columns the user knows: what the trees gained, and SHAP.

A category's one-hot columns are put together again: each alone is small where the whole decides.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
import xgboost
from numpy.typing import NDArray

from churn_daal.engine.anatomy import read_anatomy, read_config
from churn_daal.report.contributions import Contributions, Matrix, contributions
from churn_daal.tabular.schema import Schema

log = logging.getLogger(__name__)

Vector = NDArray[np.float64]
MOST_LISTED = 10_000


@dataclass(frozen=True)
class Score:
    """How much one column counts; None where the booster has no such figure.

    Attributes
    ----------
    rank
        1 for the most important: by `shap`, else by `total_gain`, else by `coefficient`.
    column
        Its name.
    shap
        Mean absolute contribution to the margin.
    gain, cover
        Mean loss reduction of a split on it, and mean sum of the rows' second derivatives there.
    total_gain, total_cover
        The same, summed over all its splits.
    weight
        Number of its splits.
    coefficient
        Of a linear booster, the mean of the classes' absolute ones where there are several; None
        for a category of several encoded columns.
    """

    rank: int
    column: str
    shap: float | None
    gain: float | None
    total_gain: float | None
    cover: float | None
    total_cover: float | None
    weight: float | None
    coefficient: float | None


Scores = tuple[Score, ...]
SCORE_FIELDS = tuple(field.name for field in fields(Score))


@dataclass(frozen=True)
class Importance:
    """Scores of the raw and of the encoded columns, the 10,000 most important ones first.

    Attributes
    ----------
    columns, encoded
        The scores.
    shap_rows, shap_method
        Rows that were explained, and how; 0 and None without SHAP.
    shap_missing
        Why there is no SHAP; None where there is.
    """

    columns: Scores
    encoded: Scores
    shap_rows: int
    shap_method: str | None
    shap_missing: str | None

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON's types."""
        return asdict(self)


def score_columns(
    booster: xgboost.Booster, X: Matrix, schema: Schema, *, threads: int = 0
) -> Importance:
    """Score every column of a booster.

    Parameters
    ----------
    booster
        Of any kind; one that has no SHAP values is scored without.
    X, schema
        float32 (n, schema.width), held-out rows by `sample_rows`; what their columns are.
    threads
        Of XGBoost; 0 for its own choice.

    Raises
    ------
    ValueError
        The booster was not trained on the schema's columns.
    """
    if booster.num_features() != schema.width:
        raise ValueError(
            f"the booster has {booster.num_features()} columns, the schema {schema.width}"
        )
    widths = np.asarray([column.width for column in schema.columns], dtype=np.intp)
    kept = np.flatnonzero(widths)  # a category that training never saw takes no column
    starts = (np.cumsum(widths) - widths)[kept]
    shap, reason = _explained(booster, X, starts, threads)
    raw = np.zeros(len(widths))
    if shap is not None:
        raw[kept] = shap.grouped
    parts = _parts(booster)

    def summed(values: Vector) -> Vector:
        whole = np.zeros(len(widths))
        whole[kept] = np.add.reduceat(values, starts)
        return whole

    sums = {name: summed(values) for name, values in parts.items()}
    if "coefficient" in sums:
        sums["coefficient"][widths != 1] = np.nan  # those of several codes have no sum
    return Importance(
        columns=_ranked(schema.names, sums, raw if shap else None),
        encoded=_ranked(schema.encoded_names, parts, shap.encoded if shap else None),
        shap_rows=shap.rows if shap else 0,
        shap_method=shap.method if shap else None,
        shap_missing=reason,
    )


def _explained(
    booster: xgboost.Booster, X: Matrix, starts: NDArray[np.intp], threads: int
) -> tuple[Contributions | None, str | None]:
    try:
        return contributions(booster, X, starts, threads=threads), None
    except (xgboost.core.XGBoostError, ValueError) as error:
        # XGBoost puts the time and its own source line first, a stack trace after.
        reason = next(iter(str(error).split(": ", 2)[-1].splitlines()), "no reason given")
        log.warning("feature importance comes without SHAP: %s", reason)
        return None, reason


def _parts(booster: xgboost.Booster) -> dict[str, Vector]:
    if read_anatomy(read_config(booster)).kind == "gblinear":
        # XGBoost calls its coefficients weight, and has no other figure of it.
        return {"coefficient": _scores(booster, "weight")}
    return {kind: _scores(booster, kind) for kind in ("total_gain", "total_cover", "weight")}


def _scores(booster: xgboost.Booster, kind: str) -> Vector:
    names = booster.feature_names or [f"f{place}" for place in range(booster.num_features())]
    places = {name: place for place, name in enumerate(names)}
    scores = np.zeros(len(names))
    for name, score in booster.get_score(importance_type=kind).items():
        # One coefficient a class where there are several.
        scores[places[name]] = np.abs(score).mean() if isinstance(score, list) else score
    return scores


def _ranked(names: Sequence[str], parts: dict[str, Vector], shap: Vector | None) -> Scores:
    leading = shap if shap is not None else np.nan_to_num(np.abs(next(iter(parts.values()))))
    order = np.argsort(-leading, kind="stable")[:MOST_LISTED]

    def of(kind: str, place: int) -> float | None:
        value = float(parts[kind][place]) if kind in parts else math.nan
        return value if math.isfinite(value) else None

    scores = []
    for rank, place in enumerate(order, start=1):
        weight, coefficient = of("weight", place), of("coefficient", place)
        total_gain, total_cover = of("total_gain", place), of("total_cover", place)
        scores.append(
            Score(
                rank=rank,
                column=names[place],
                shap=None if shap is None else float(shap[place]),
                gain=_mean(total_gain, weight),
                total_gain=total_gain,
                cover=_mean(total_cover, weight),
                total_cover=total_cover,
                weight=weight,
                coefficient=coefficient,
            )
        )
    return tuple(scores)


def _mean(total: float | None, count: float | None) -> float | None:
    if total is None or count is None:
        return None
    return total / count if count else 0.0
