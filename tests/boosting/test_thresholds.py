"""The threshold chosen on held-out rows: the best there is, and safe in float32 and JSON."""

from __future__ import annotations

import json
import logging

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from churn_daal.boosting.metrics import held_out_metrics
from churn_daal.boosting.thresholds import choose_threshold

F32 = np.float32
Y = np.array([0, 0, 1, 0, 1, 1], F32)
P = np.array([0.1, 0.2, 0.3, 0.4, 0.6, 0.8], F32)


NEARLY = float(np.nextafter(F32(1), F32(0)))


def positive(p: np.ndarray, threshold: float) -> np.ndarray:
    """Answer as serving does, by a threshold that went through JSON."""
    return p.astype(F32) >= F32(json.loads(json.dumps(threshold)))


def cost(y: np.ndarray, answer: np.ndarray, weight: np.ndarray, ratio: float) -> float:
    """Return the cost of answers by its definition."""
    missed, alarms = (y == 1) & ~answer, (y == 0) & answer
    return float((ratio * weight[missed].sum() + weight[alarms].sum()) / weight.sum())


def test_the_best_f1_by_hand() -> None:
    """From 0.3 on, all three positives are found with one false alarm."""
    found = choose_threshold(Y, P, rule="f1")

    assert found.value == pytest.approx(0.25, abs=0.03)
    assert found.figure == pytest.approx(6 / 7)
    assert found.default_figure == pytest.approx(4 / 5)


@pytest.mark.parametrize(
    ("ratio", "missed", "alarms"), [(10, 0, 1), (0.5, 1, 0), (1, 1, 0), (0.001, 1, 0)]
)
def test_the_cost_ratio_moves_the_threshold(ratio: float, missed: int, alarms: int) -> None:
    """Dear misses lower it, dear false alarms raise it; a tie is the fewer alarms."""
    found = choose_threshold(Y, P, rule="cost", cost_ratio=ratio)

    answer = positive(P, found.value)
    assert (int((~answer & (Y == 1)).sum()), int((answer & (Y == 0)).sum())) == (missed, alarms)
    assert found.figure == pytest.approx((ratio * missed + alarms) / 6)


def test_weights_count() -> None:
    """A false alarm that weighs much is avoided."""
    weight = np.array([1, 1, 1, 9, 1, 1], F32)

    found = choose_threshold(Y, P, weight, rule="f1")

    assert positive(P, found.value).sum() == 2
    assert found.figure == pytest.approx(metrics.f1_score(Y, P >= 0.6, sample_weight=weight))


@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(
        st.tuples(
            st.sampled_from([0.0, 1.0]),
            st.one_of(
                st.sampled_from(
                    [0.0, 0.5, 1.0, 0.3, float(np.nextafter(F32(0.3), F32(1))), 1e-30, NEARLY]
                ),
                st.floats(0, 1, width=32),
            ),
            st.sampled_from([0.0, 1.0, 2.5]),
        ),
        min_size=1,
        max_size=12,
    ),
    ratio=st.sampled_from([0.2, 1.0, 7.0]),
)
def test_no_threshold_is_better(rows: list[tuple[float, float, float]], ratio: float) -> None:
    """Tried against every probability, what lies between them and the ends of the range."""
    y, p, weight = (np.array(column, F32) for column in zip(*rows, strict=True))
    tried = np.unique(np.concatenate([p, np.nextafter(p, F32(1)), F32([1e-38, 0.5])]))
    tried = [float(t) for t in tried if 0 < t < 1]
    exact = weight.astype(float)
    if not exact[y == 1].sum() or not exact[y == 0].sum():
        assert choose_threshold(y, p, weight, rule="f1").value == 0.5
        return

    for rule in ("f1", "cost"):
        found = choose_threshold(y, p, weight, rule=rule, cost_ratio=ratio)

        def figure(t: float, rule: str = rule) -> float:
            answer = positive(p, t)
            if rule == "cost":
                return -cost(y, answer, exact, ratio)
            return float(metrics.f1_score(y, answer, sample_weight=exact, zero_division=0))

        assert 0 < found.value < 1
        assert figure(found.value) >= max(map(figure, tried)) - 1e-12
        assert abs(found.figure) == pytest.approx(abs(figure(found.value)))
        assert abs(found.default_figure) == pytest.approx(abs(figure(0.5)))


@pytest.mark.parametrize("seed", range(5))
def test_neighbours_in_float32_are_told_apart(seed: int) -> None:
    """The value survives JSON and rounding to float32, as the answers are rounded."""
    low = np.random.default_rng(seed).random(dtype=F32)
    p = np.array([low, np.nextafter(low, F32(1))], F32)

    found = choose_threshold(np.array([0, 1], F32), p, rule="f1")

    assert found.figure == 1.0
    assert positive(p, found.value).tolist() == [False, True]


def test_what_no_threshold_below_1_divides_stays_together() -> None:
    """A row of 1 and one just below it are positive together."""
    found = choose_threshold(np.array([0, 1], F32), np.array([NEARLY, 1], F32), rule="f1")

    assert found.figure == pytest.approx(2 / 3)
    assert 0 < found.value < 1


def test_the_figure_is_the_one_of_the_metrics() -> None:
    """metrics.json at the threshold gives the F1 it was chosen for."""
    found = choose_threshold(Y, P, rule="f1")

    figures = held_out_metrics("binary:logistic", Y, P, threshold=found.value)

    assert figures["f1_binary"] == pytest.approx(found.figure)


@pytest.mark.parametrize("rule", ["f1", "cost"])
@pytest.mark.parametrize("label", [0, 1])
def test_rows_of_one_class_change_nothing(
    rule: str, label: int, caplog: pytest.LogCaptureFixture
) -> None:
    """The threshold stays, and the log says why."""
    with caplog.at_level(logging.WARNING):
        found = choose_threshold(np.full(6, label, F32), P, rule=rule)

    assert found.value == 0.5
    assert caplog.messages == [
        f"threshold={rule}: the held-out rows are all of one class, so the threshold stays 0.5"
    ]


@pytest.mark.parametrize(("ratio", "all_positive"), [(9, True), (0.1, False)])
def test_equal_probabilities_are_all_positive_or_none(ratio: float, *, all_positive: bool) -> None:
    """A model that knows nothing still answers the cheaper class."""
    same = np.full(6, 0.5, F32)

    found = choose_threshold(Y, same, rule="cost", cost_ratio=ratio)

    assert positive(same, found.value).tolist() == [all_positive] * 6
    assert 0 < found.value < 1


def test_classes_for_probabilities_leave_the_default() -> None:
    """binary:hinge answers 0 and 1, which any threshold divides alike."""
    assert choose_threshold(Y, Y, rule="f1").value == 0.5


@pytest.mark.parametrize("bad", [-0.1, 1.5, np.nan])
def test_margins_are_refused(bad: float) -> None:
    """Margins instead of probabilities would give a threshold that answers nothing."""
    with pytest.raises(ValueError, match=r"a probability is .*; expected 0 to 1"):
        choose_threshold(Y, np.append(P[:-1], F32(bad)), rule="f1")


def test_probabilities_of_other_rows_are_refused() -> None:
    """Columns of several classes are no probabilities of one."""
    with pytest.raises(ValueError, match=r"shapes \(6,\), \(6, 2\) and \(6,\)"):
        choose_threshold(Y, np.column_stack([P, P]), rule="f1")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rule": "f2"}, "rule is 'f2'; expected 'f1' or 'cost'"),
        ({"rule": "cost", "cost_ratio": 0}, "cost_ratio is 0; expected"),
        ({"rule": "cost", "cost_ratio": np.inf}, "cost_ratio is inf; expected a finite"),
    ],
)
def test_unknown_rules_and_costs_are_refused(options: dict, message: str) -> None:
    """A ratio of nothing would call every row positive, or none."""
    with pytest.raises(ValueError, match=message):
        choose_threshold(Y, P, **options)
