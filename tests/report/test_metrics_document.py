"""metrics.json is easy to pick a figure from."""

from __future__ import annotations

import re

import numpy as np
import pytest

from churn_daal.report import Report
from churn_daal.report.metrics_document import describe_history, describe_metrics, flat_metrics


def test_flat_names_are_one_step_of_a_path() -> None:
    """Each number is under channel_metric; what is no finite number is left out."""
    flat = flat_metrics(
        {
            "validation": {
                "rows": 5,
                "task": "binary",
                "ndcg@5-": np.float32(0.5),
                "auc": None,
                "f1": float("nan"),
                "passed": True,
                "confusion_matrix": [[1, 0], [0, 1]],
            },
            "out_of_fold": {"auc": 0.75},
        }
    )

    assert flat == {"validation_rows": 5, "validation_ndcg_5_": 0.5, "out_of_fold_auc": 0.75}
    assert all(re.fullmatch("[A-Za-z0-9_]+", name) for name in flat)


def test_the_model_is_described_beside_its_figures(report: Report) -> None:
    """Threshold, how it was chosen, engine, parity and the round are told."""
    document = describe_metrics(report.figures)

    assert document["threshold"] == {"value": 0.4, "chosen_by": "f1", "chosen_on": "validation"}
    assert document["engine"] == {"name": "onedal", "reason": None}
    assert (document["best_iteration"], document["parity"]) == (7, {"passed": True})
    assert document["classes"] == ["no", "yes"]
    assert document["metrics"]["validation_auc"] == 0.9
    assert document["channels"]["validation"]["rows"] == 150


@pytest.mark.parametrize("rounds", [0, 3])
def test_every_round_is_told(rounds: int) -> None:
    """Each data set's metrics have one score a round; a job without rounds has none."""
    history = {"train": {"rmse": [0.5] * rounds}, "validation": {"rmse": [0.6] * rounds}}

    assert describe_history(history, 6, 5) == {
        "rounds": rounds,
        "earlier_rounds": 5,
        "best_iteration": 6,
        "scores": history,
    }
