"""metrics.json: the figures of every set of rows, and what the model that gave them is."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

_NOT_IN_A_PATH = re.compile(r"[^A-Za-z0-9_]")


@dataclass(frozen=True)
class Threshold:
    """The probability from which a binary answer is the positive class.

    Attributes
    ----------
    value
        From 0 to 1.
    chosen_by
        `default`, `given`, `f1` or `cost`.
    chosen_on
        The rows it was chosen on, such as `validation`; None where it was not chosen.
    details
        What else is to be told, such as the cost ratio and the figure reached.
    """

    value: float
    chosen_by: str
    chosen_on: str | None = None
    details: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Figures:
    """What a job measured.

    Attributes
    ----------
    channels
        Figures by the rows they are of: `train`, `validation`, `test`, `out_of_fold`. Numbers,
        and what is to be shown beside them, such as `rows`, `task` and `confusion_matrix`.
    objective
        XGBoost's name.
    classes
        As they stood in the data, in the order of the confusion matrix; empty for numbers.
    engine, engine_reason
        What will serve, `onedal` or `xgboost`, and why not oneDAL.
    parity
        What the gate between the engines measured; None where there was nothing to compare.
    best_iteration
        Round, from 0, of the model that was saved; the rounds of an earlier model count.
    stopped
        Whether a signal ended training early.
    threshold
        None where answers are no probabilities of two classes.
    calibration
        The calibration table (calibration.json); None where there is none.
    earlier_rounds
        Rounds of the model that training went on from, which have no scores here.
    """

    channels: Mapping[str, Mapping[str, Any]]
    objective: str
    classes: tuple[str | int | float, ...]
    engine: str
    engine_reason: str | None
    parity: Mapping[str, Any] | None
    best_iteration: int
    stopped: bool = False
    threshold: Threshold | None = None
    calibration: Mapping[str, Any] | None = None
    earlier_rounds: int = 0


def describe_metrics(figures: Figures) -> dict[str, Any]:
    """Return the document."""
    threshold = figures.threshold
    return {
        "metrics": flat_metrics(figures.channels),
        "objective": figures.objective,
        "classes": list(figures.classes),
        "best_iteration": figures.best_iteration,
        "stopped": figures.stopped,
        "threshold": None
        if threshold is None
        else {
            "value": threshold.value,
            "chosen_by": threshold.chosen_by,
            "chosen_on": threshold.chosen_on,
            **(threshold.details or {}),
        },
        "engine": {"name": figures.engine, "reason": figures.engine_reason},
        "parity": figures.parity,
        "channels": figures.channels,
    }


def flat_metrics(channels: Mapping[str, Mapping[str, Any]]) -> dict[str, float]:
    """Return every finite number under one name such as `validation_auc`.

    The names are letters, digits and underscores, so that they are one step of a JSON path
    without quotes: `ndcg@5` of `validation` is `validation_ndcg_5`.
    """
    flat = {}
    for channel, figures in channels.items():
        for name, value in figures.items():
            number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
            if number and math.isfinite(value):
                flat[_NOT_IN_A_PATH.sub("_", f"{channel}_{name}")] = value
    return flat


def describe_history(
    history: Mapping[str, Mapping[str, list[float]]], best_iteration: int, earlier_rounds: int = 0
) -> dict[str, Any]:
    """Return evals.json: each metric's score of each round of this job, by data set."""
    lengths = [len(scores) for metrics in history.values() for scores in metrics.values()]
    return {
        "rounds": max(lengths, default=0),
        "earlier_rounds": earlier_rounds,
        "best_iteration": best_iteration,
        "scores": {name: dict(metrics) for name, metrics in history.items()},
    }
