"""A small real job whose report many tests look into."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import xgboost

from churn_daal.engine.objectives import objective_named
from churn_daal.report import Report
from churn_daal.report.channel_quality import Cells, ChannelQuality
from churn_daal.report.metrics_document import Figures, Threshold
from churn_daal.report.predictions import Predictions
from churn_daal.tabular.labels import Labels
from churn_daal.tabular.schema import Column, Schema

ODD_NAME = 'plan, "old"\nand new'
TEXTS = ["red", "green", "", "blue"]
LABELS = Labels("churn", ("no", "yes"))
SCHEMA = Schema(
    (
        Column("minutes", "number"),
        Column(ODD_NAME, "category", "onehot", ("blue", "green", "red")),
        Column("calls", "number"),
    )
)
Rows = tuple[list[Cells], np.ndarray, np.ndarray]


def draw_rows(count: int, seed: int) -> Rows:
    """Draw raw cells, labels, and the same rows encoded; a row in ten lacks its minutes."""
    rng = np.random.default_rng(seed)
    minutes = rng.normal(100, 20, count).astype(np.float32)
    minutes[rng.random(count) < 0.1] = np.nan
    codes = rng.integers(0, 4, count).astype(np.int32)
    calls = rng.exponential(5, count).astype(np.float32)
    texts = np.asarray(TEXTS)[codes]
    margin = (
        (np.nan_to_num(minutes, nan=100) - 100) / 10 + (texts == "red") + rng.normal(size=count)
    )
    y = (margin > 0.5).astype(np.float32)
    onehot = [(texts == category).astype(np.float32) for category in ("blue", "green", "red")]
    X = np.column_stack([minutes, *onehot, calls]).astype(np.float32)
    return [minutes, (codes, TEXTS), calls], y, X


def gather(rows: Rows, *, batch: int = 100, seek_leaks: bool = False) -> ChannelQuality:
    """Gather the quality of rows, some at a time."""
    cells, y, _ = rows
    quality = ChannelQuality(SCHEMA.columns, LABELS, "binary", seek_leaks=seek_leaks)
    for first in range(0, len(y), batch):
        part = slice(first, first + batch)
        quality.add(
            [(c[0][part], c[1]) if isinstance(c, tuple) else c[part] for c in cells], y[part]
        )
    return quality


def make_report() -> Report:
    """Train a small model and gather all there is to tell of it."""
    train, held = draw_rows(400, 1), draw_rows(150, 2)
    matrices = [xgboost.DMatrix(X, y) for _, y, X in (train, held)]
    history: dict[str, dict[str, list[float]]] = {}
    booster = xgboost.train(
        {"objective": "binary:logistic", "max_depth": 3, "nthread": 1},
        *(matrices[0], 8),
        evals=list(zip(matrices, ("train", "validation"), strict=True)),
        evals_result=history,
        verbose_eval=False,
    )
    response = booster.predict(matrices[1])
    return Report(
        figures=Figures(
            channels={
                "validation": {"rows": 150, "task": "binary", "auc": 0.9, "f1": float("nan")}
            },
            objective="binary:logistic",
            classes=LABELS.classes,
            engine="onedal",
            engine_reason=None,
            parity={"passed": True},
            best_iteration=7,
            threshold=Threshold(0.4, "f1", "validation"),
            calibration={"bins": []},
        ),
        history=history,
        booster=booster,
        schema=SCHEMA,
        explained=held[2],
        quality={"train": gather(train, seek_leaks=True), "validation": gather(held)},
        out_of_fold=Predictions(
            objective_named("binary:logistic"), held[1], response, LABELS.classes, 0.4
        ),
        threads=1,
    )


@pytest.fixture(scope="session", name="draw")
def _draw() -> Callable[..., Rows]:
    return draw_rows


@pytest.fixture(scope="session", name="gather")
def _gather() -> Callable[..., ChannelQuality]:
    return gather


@pytest.fixture(scope="session", name="make_report")
def _make_report() -> Callable[[], Report]:
    return make_report


@pytest.fixture(scope="session")
def report() -> Report:
    """Return the report of a small job."""
    return make_report()


@pytest.fixture(scope="session")
def odd_name() -> str:
    """Return a column name with a comma, quotes and a line break."""
    return ODD_NAME
