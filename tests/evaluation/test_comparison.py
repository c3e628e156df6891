"""A difference is told from chance, and equal models from better ones."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics

from churn_daal.errors import UserError
from churn_daal.evaluation import Answered, compare


def answers(skill: float, *, rows: int = 2_000, seed: int = 1, ties: bool = False) -> Answered:
    """Return answers to rows that are the same for every skill."""
    truth = np.random.default_rng(0).random(rows) < 0.3
    noise = np.random.default_rng(seed).normal(size=rows)
    chance = 1 / (1 + np.exp(-(skill * (2 * truth - 1) + noise)))
    chance = np.round(chance, 1) if ties else chance
    return Answered(truth, chance, chance >= 0.5)


@pytest.mark.parametrize("ties", [False, True])
def test_figures_are_scikit_learns(ties: bool) -> None:
    """Probabilities that are equal included."""
    first, second = answers(0.5, ties=ties), answers(1.0, seed=2, ties=ties)

    found = compare(first, second, samples=100)

    for each, figures in zip((first, second), found.figures, strict=True):
        assert figures["auc"] == pytest.approx(metrics.roc_auc_score(each.truth, each.probability))
        assert figures["f1"] == pytest.approx(metrics.f1_score(each.truth, each.positive))
        assert figures["accuracy"] == (each.truth == each.positive).mean()
    assert found.agreement == (first.positive == second.positive).mean()


def test_a_better_model_is_told_from_chance() -> None:
    """Its interval lies above 0 for every figure."""
    found = compare(answers(0.5), answers(1.2, seed=2))

    assert all(
        d["low"] > 0 and d["low"] < d["value"] < d["high"] for d in found.differences.values()
    )


def test_a_model_is_as_good_as_itself() -> None:
    """The draws are paired: no difference in any sample."""
    found = compare(answers(0.8), answers(0.8))

    assert found.agreement == 1.0
    assert all(set(d.values()) == {0.0} for d in found.differences.values())


def test_intervals_hold_what_they_promise() -> None:
    """Of 200 pairs of equally skilled models about one in twenty misses 0, five deviations wide."""
    missed = 0
    for seed in range(200):
        found = compare(
            answers(0.8, rows=400, seed=2 * seed),
            answers(0.8, rows=400, seed=2 * seed + 1),
            samples=200,
        )
        missed += not found.differences["auc"]["low"] <= 0 <= found.differences["auc"]["high"]

    assert 0 < missed < 200 * 0.05 + 5 * np.sqrt(200 * 0.05 * 0.95)


def test_the_bootstrap_is_scikit_learns_on_drawn_rows() -> None:
    """Counting rows as often as they are drawn is the same as laying them out."""
    first, second = answers(0.5, rows=300, ties=True), answers(1.0, rows=300, seed=2, ties=True)
    rng = np.random.default_rng(3)
    drawn = []
    for _ in range(100):
        own = rng.integers(300, size=300)
        one, other = (
            metrics.roc_auc_score(e.truth[own], e.probability[own]) for e in (first, second)
        )
        drawn.append(other - one)

    found = compare(first, second, samples=100, seed=3).differences["auc"]

    low, high = np.percentile(drawn, (2.5, 97.5))
    assert (found["low"], found["high"]) == pytest.approx((low, high))


def test_other_questions_are_refused() -> None:
    """Rows of one class, too few samples, labels that mean something else."""
    one = answers(0.5)
    turned = Answered(~one.truth, one.probability, one.positive)
    alike = Answered(np.ones(5, bool), np.linspace(0, 1, 5), np.ones(5, bool))

    with pytest.raises(UserError, match="their positive classes differ"):
        compare(one, turned)
    with pytest.raises(UserError, match="all 5 rows are of one class"):
        compare(alike, alike)
    with pytest.raises(UserError, match="samples is 10; an interval needs 100"):
        compare(one, one, samples=10)
