"""Metrics AWS's image computes wrongly, through a job's own lines and files (X2, X16)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import xgboost
from sklearn import metrics

from .jobs import Job, RunJob, csv_text

RNG = np.random.default_rng(12)
X = RNG.normal(size=(500, 3)).round(3)
NOISY = X[:, 0] + 0.7 * RNG.normal(size=500)
WEIGHT = RNG.choice([0.25, 1.0, 6.0], 500)
TUNED: dict[str, tuple[Callable[..., float], dict[str, Any]]] = {
    "accuracy": (metrics.accuracy_score, {}),
    "balanced_accuracy": (metrics.balanced_accuracy_score, {}),
    "f1": (metrics.f1_score, {"average": "macro"}),
    "f1_binary": (metrics.f1_score, {}),
    "precision": (metrics.precision_score, {}),
    "recall": (metrics.recall_score, {}),
}
OF_CLASSES = ("accuracy", "balanced_accuracy", "f1")
ERRORS: dict[str, Callable[..., float]] = {
    "mae": metrics.mean_absolute_error,
    "mse": metrics.mean_squared_error,
    "rmse": metrics.root_mean_squared_error,
    "r2": metrics.r2_score,
}


def of_rows(y: np.ndarray, part: slice) -> str:
    """Return some rows, weights second, as AWS's `csv_weights` has them."""
    return csv_text(y[part], WEIGHT[part], *X[part].T)


def assert_lines_say(job: Job, expected: dict[str, float]) -> None:
    """Hold the last round's line to its five decimals, the file of scores to 1e-6."""
    printed = job.last_printed()
    for name, figure in expected.items():
        # XGBoost rounds them to six decimals before it prints five.
        assert printed[f"validation-{name}"] == pytest.approx(figure, abs=5.6e-6), name
        assert job.scores(name)[-1] == pytest.approx(figure, abs=1e-6), name


@pytest.mark.parametrize(
    ("objective", "names"),
    [
        ("binary:logistic", tuple(TUNED)),
        ("binary:logitraw", tuple(TUNED)),
        ("binary:hinge", tuple(TUNED)),
        ("multi:softmax", OF_CLASSES),
        ("multi:softprob", OF_CLASSES),
    ],
)
def test_x2_tuning_metrics_are_scikit_learns(
    run: RunJob, objective: str, names: tuple[str, ...]
) -> None:
    """X2: what a tuner reads is what the answers are worth; AWS's recall is always 1."""
    classes = 3 if objective.startswith("multi:") else 2
    y = np.digitize(NOISY, [0.5, 1.2][: classes - 1])

    job = run(
        of_rows(y, slice(0, 300)),
        of_rows(y, slice(300, 500)),
        csv_weights=1,
        header="absent",
        objective=objective,
        eval_metric=",".join(names),
        **({"num_class": 3} if classes == 3 else {}),
    )

    answer = job.booster.predict(xgboost.DMatrix(X[300:].astype(np.float32)))
    if objective == "binary:logitraw":
        answer = 1 / (1 + np.exp(-answer))
    chosen = answer.argmax(axis=1) if answer.ndim == 2 else answer
    chosen = chosen >= 0.5 if classes == 2 else chosen
    expected = {
        name: TUNED[name][0](y[300:], chosen, sample_weight=WEIGHT[300:], **TUNED[name][1])
        for name in names
    }
    assert_lines_say(job, expected)
    if "recall" in names:
        assert 0.2 < expected["recall"] < 0.9


def test_x16_errors_are_weighted(run: RunJob) -> None:
    """X16: mae, mse, rmse and r2 of weighted rows are scikit-learn's with sample_weight."""
    y = NOISY.round(3)

    job = run(
        of_rows(y, slice(0, 300)),
        of_rows(y, slice(300, 500)),
        csv_weights=1,
        header="absent",
        objective="reg:squarederror",
        eval_metric=",".join(ERRORS),
    )

    answer = job.booster.predict(xgboost.DMatrix(X[300:].astype(np.float32)))
    weighted, plain = (
        {
            name: float(figure(y[300:], answer, sample_weight=weight))
            for name, figure in ERRORS.items()
        }
        for weight in (WEIGHT[300:], None)
    )
    assert_lines_say(job, weighted)
    for name in ERRORS:
        assert abs(weighted[name] - plain[name]) > 1e-3, f"{name}: the weights change nothing"
