"""The direction of a metric, by its name."""

from __future__ import annotations

import pytest

from churn_daal.boosting.metric_names import is_maximised


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        ("auc", True), ("aucpr", True), ("ndcg@5", True), ("ndcg@5-", True), ("map-", True),
        ("pre@2", True), ("ams@0.1", True), ("mape", False), ("logloss", False),
        ("error@0.4", False), ("tweedie-nloglik@1.5", False), ("cox-nloglik", False),
    ],
)  # fmt: skip
def test_more_is_better_for_ranking_metrics_alone(metric: str, *, expected: bool) -> None:
    """Parameters and the minus of the ranking metrics do not hide the name."""
    assert is_maximised(metric) is expected
