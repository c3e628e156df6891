"""What cross-validation shows: an answer to every row by models that did not train on it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from churn_daal.boosting.folds import Fold

Scores = Mapping[str, Mapping[str, float]]
Figure = dict[str, float | int | None]


def scores_at(
    history: Mapping[str, Mapping[str, Sequence[float]]], index: int
) -> dict[str, dict[str, float]]:
    """Return one round's scores by data set and metric, out of those of all rounds."""
    return {
        data: {metric: values[index] for metric, values in by_metric.items()}
        for data, by_metric in history.items()
    }


class OutOfFold:
    """Gathers the folds of a cross-validation.

    Parameters
    ----------
    rows
        Number of rows that are divided into folds.
    """

    def __init__(self, rows: int) -> None:
        self._sum: NDArray[np.float64] | None = None
        self._answers = np.zeros(rows, np.int64)
        self._scores: list[Scores] = []

    def add(self, fold: Fold, response: NDArray[np.float32], scores: Scores) -> None:
        """Take note of one fold.

        Parameters
        ----------
        fold
            The rows that were held out.
        response
            Answers to them, in their order: (m,), or class probabilities (m, K).
        scores
            By data set and metric, those of the round whose model answered (`scores_at`):
            `scores["validation"]["auc"]`. `validation` are the rows held out.
        """
        if len(response) != len(fold.held_rows):
            raise ValueError(f"{len(response)} answers to {len(fold.held_rows)} rows held out")
        # One host of several may have none of the rows held out, and answers of any shape then.
        if len(response):
            if self._sum is None:
                self._sum = np.zeros((len(self._answers), *response.shape[1:]))
            self._sum[fold.held_rows] += response
            self._answers[fold.held_rows] += 1
        self._scores.append(scores)

    def response(self) -> NDArray[np.float32]:
        """Return the mean answer to each row over the repeats: (n,), or (n, K); (0,) of no row.

        Raises
        ------
        ValueError
            A row has no answer, or not as many as the others.
        """
        if not len(self._answers):
            return np.zeros(0, np.float32)
        if self._sum is None or len(np.unique(self._answers)) != 1:
            raise ValueError("some rows were not held out as often as others")
        count = self._answers.reshape(-1, *[1] * (self._sum.ndim - 1))
        return np.asarray(self._sum / count, np.float32)

    def figures(self) -> dict[str, dict[str, Figure]]:
        """Return mean and spread over the folds, by data set and metric, ready for JSON.

        `mean`; `std`, the standard deviation with the number of folds as divisor, as XGBoost's
        `cv` has it; and `folds`, how many gave the metric. A fold without it (the AUC of one
        class) is left out; where none has it, mean and std are None.
        """
        names: dict[str, dict[str, list[float]]] = {}
        for scores in self._scores:
            for data, by_metric in scores.items():
                for metric, value in by_metric.items():
                    known = names.setdefault(data, {}).setdefault(metric, [])
                    if math.isfinite(value):
                        known.append(value)
        return {
            data: {metric: _spread(values) for metric, values in by_metric.items()}
            for data, by_metric in names.items()
        }

    def metric_lines(self, rounds: int) -> list[str]:
        """Return the lines for stdout that end a cross-validation, for metric filters to catch.

        Two for each metric, with no other metric in the line, which a greedy filter would swallow:

        - `[oof]<TAB>cv-auc:0.91234<TAB>cv-auc-std:0.01000`, mean and spread over the folds under
          names of their own;
        - `[100]<TAB>train-auc:0.99000<TAB>validation-auc:0.91234`, the means in the form of a
          round's line. SageMaker takes a metric's last value, so a tuner that watches
          `validation:auc` optimises the figure of all folds. No such line may follow.

        Parameters
        ----------
        rounds
            The number in the brackets.
        """
        figures = self.figures()
        own, as_round = [], []
        for metric, figure in figures.get("validation", {}).items():
            mean, std = _decimal(figure["mean"]), _decimal(figure["std"])
            own.append(f"[oof]\tcv-{metric}:{mean}\tcv-{metric}-std:{std}")
            both = (
                f"\t{data}-{metric}:{_decimal(by_metric[metric]['mean'])}"
                for data, by_metric in figures.items()
                if metric in by_metric
            )
            as_round.append(f"[{rounds}]{''.join(both)}")
        return own + as_round


def _spread(values: list[float]) -> Figure:
    if not values:
        return {"mean": None, "std": None, "folds": 0}
    return {"mean": float(np.mean(values)), "std": float(np.std(values)), "folds": len(values)}


def _decimal(value: float | None) -> str:
    """Write five decimals as XGBoost does, and more where they would hide a small number."""
    if value is None:
        return "nan"
    small = -math.floor(math.log10(abs(value))) if value else 0
    return f"{value:.{max(5, small + 3)}f}"
