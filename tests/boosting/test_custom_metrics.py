"""AWS's own metrics, each round: scikit-learn's figures of the same rows and weights (X2, X16)."""

from __future__ import annotations

import multiprocessing
import warnings
from collections.abc import Callable
from multiprocessing.queues import Queue
from typing import Any

import numpy as np
import pytest
import xgboost
from numpy.typing import ArrayLike
from sklearn import metrics
from xgboost import collective
from xgboost.tracker import RabitTracker

from churn_daal.boosting import custom_metrics
from churn_daal.boosting.custom_metrics import CustomMetrics
from churn_daal.boosting.metric_names import CLASS_METRICS, POSITIVE_CLASS_METRICS

F32 = np.float32
MACRO: dict[str, Any] = {"average": "macro", "zero_division": 0.0}
MICRO: dict[str, Any] = {"average": "micro"}
OWN: dict[str, Any] = {"zero_division": np.nan}
REFERENCE: dict[str, tuple[Callable[..., float], dict[str, Any]]] = {
    "accuracy": (metrics.accuracy_score, {}),
    "balanced_accuracy": (metrics.balanced_accuracy_score, {}),
    "f1": (metrics.f1_score, MACRO),
    "f1_binary": (metrics.f1_score, OWN),
    "f1_macro": (metrics.f1_score, MACRO),
    "precision": (metrics.precision_score, OWN),
    "precision_macro": (metrics.precision_score, MACRO),
    "precision_micro": (metrics.precision_score, MICRO),
    "recall": (metrics.recall_score, OWN),
    "recall_macro": (metrics.recall_score, MACRO),
    "recall_micro": (metrics.recall_score, MICRO),
    "mse": (metrics.mean_squared_error, {}),
    "r2": (metrics.r2_score, {}),
}
BINARY = tuple(REFERENCE)
MULTI = tuple(sorted(CLASS_METRICS - POSITIVE_CLASS_METRICS))


def reference(name: str, y: np.ndarray, answer: np.ndarray, weight: np.ndarray | None) -> float:
    """Return scikit-learn's figure."""
    figure, options = REFERENCE[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return float(figure(y, answer, sample_weight=weight, **options))


def rows(k: int, *, weighted: bool, n: int = 700) -> tuple[np.ndarray, np.ndarray, Any]:
    """Return features, unbalanced labels and weights, some of them zero."""
    draw = np.random.default_rng(5)
    X = draw.normal(size=(n, 4)).astype(F32)
    noisy = X[:, 0] + 0.6 * draw.normal(size=n)
    y = np.digitize(noisy, np.linspace(0.3, 1.2, k - 1)).astype(F32)
    weight = draw.choice([0.0, 0.3, 1.0, 7.0], n).astype(F32) if weighted else None
    return X, y, weight


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("quantised", [False, True])
@pytest.mark.parametrize(
    ("objective", "k", "names"),
    [
        ("binary:logistic", 2, BINARY),
        ("binary:logitraw", 2, BINARY),
        ("binary:hinge", 2, BINARY),
        ("reg:logistic", 2, BINARY),
        ("multi:softprob", 4, MULTI),
        ("multi:softmax", 4, MULTI),
        ("reg:squarederror", 0, ("mse", "r2")),
        ("count:poisson", 0, ("mse", "r2")),
    ],
)
def test_every_round_equals_scikit_learn(
    objective: str, k: int, names: tuple[str, ...], *, weighted: bool, quantised: bool
) -> None:
    """On held rows, by what the booster answers, as XGBoost calls it (X2: recall was always 1)."""
    X, y, weight = rows(k or 6, weighted=weighted)
    params: dict[str, Any] = {"objective": objective, "nthread": 1, "max_depth": 2, "eta": 0.4}
    if objective.startswith("multi:"):
        params["num_class"] = k
    train = xgboost.QuantileDMatrix(X[:300], y[:300], nthread=1)
    kind = {"ref": train} if quantised else {}
    held = (xgboost.QuantileDMatrix if quantised else xgboost.DMatrix)(
        X[300:], y[300:], weight=None if weight is None else weight[300:], nthread=1, **kind
    )
    history: dict[str, dict[str, list[float]]] = {}
    custom = CustomMetrics(names, objective=objective, num_class=k)

    booster = xgboost.train(
        params, train, 3, evals=[(held, "held")], custom_metric=custom,
        evals_result=history, verbose_eval=False,
    )  # fmt: skip

    answer = booster.predict(held)
    if objective == "binary:logitraw":
        answer = 1 / (1 + np.exp(-answer.astype(float)))
    chosen = answer.argmax(axis=1) if answer.ndim == 2 else answer
    if k == 2:
        chosen = answer >= 0.5
    assert len(np.unique(chosen)) > 1, "a test of one answer shows nothing"
    for name in names:
        given = answer if name in {"mse", "r2"} else chosen
        expected = reference(name, y[300:], given, None if weight is None else weight[300:])
        assert history["held"][name][-1] == pytest.approx(expected, abs=1e-6), name


def score(
    objective: str,
    y: ArrayLike,
    answer: ArrayLike,
    weight: np.ndarray | None = None,
    *,
    num_class: int = 2,
    threshold: float = 0.5,
) -> dict[str, float]:
    """Return all figures of a kind of objective for given answers."""
    names = MULTI if objective.startswith("multi:") else BINARY
    label = np.asarray(y, F32)
    data = xgboost.DMatrix(np.zeros((len(label), 1), F32), label, weight=weight, nthread=1)
    return dict(
        CustomMetrics(names, objective, num_class, threshold)(np.asarray(answer, F32), data)
    )


@pytest.mark.parametrize("weighted", [False, True])
def test_a_class_nobody_has_or_answers_counts_as_in_scikit_learn(*, weighted: bool) -> None:
    """Class 3 never occurs and is left out; 2 is answered, never true and without weight."""
    y, answer = np.array([0, 0, 1, 1, 1], F32), np.array([1, 2, 1, 1, 1], F32)
    weight = np.array([1, 0, 2, 0.5, 3], F32) if weighted else None

    found = score("multi:softmax", y, answer, weight, num_class=4)

    for name in MULTI:
        assert found[name] == pytest.approx(reference(name, y, answer, weight), abs=1e-12), name


def test_no_positive_answer_is_undefined_alone_and_zero_in_a_mean() -> None:
    """A precision of nothing is NaN, as null in metrics.json; precision_macro halves by it."""
    found = score("binary:logistic", [0, 1, 1, 0], [0.1, 0.2, 0.1, 0.4])

    assert np.isnan(found["precision"])
    assert (found["recall"], found["f1_binary"]) == (0.0, 0.0)
    assert found["precision_macro"] == 0.25


def test_no_positive_row_is_undefined() -> None:
    """Neither recall nor R2 exists for rows of one label."""
    found = score("binary:logistic", [0, 0, 0], [0.1, 0.2, 0.1])

    assert {n for n, v in found.items() if np.isnan(v)} == {
        "precision",
        "recall",
        "f1_binary",
        "r2",
    }
    assert found["balanced_accuracy"] == 1.0


@pytest.mark.parametrize("weight", [None, np.zeros(0, F32)])
def test_no_rows_are_undefined(weight: np.ndarray | None) -> None:
    """A host without rows alone has no figures, and does not fail."""
    found = score("binary:logistic", [], [], weight)

    assert all(np.isnan(value) for value in found.values())


def test_the_threshold_is_a_probability_for_margins_too() -> None:
    """A probability equal to the threshold is positive, as in serving."""
    p = np.array([0.2, 0.35, 0.8], F32)

    assert score("binary:logistic", [0, 1, 1], p, threshold=0.35)["accuracy"] == 1.0
    margin = np.log(0.36 / 0.64) * np.array([2, 1, -1], F32)
    assert score("binary:logitraw", [0, 1, 1], margin, threshold=0.35)["accuracy"] == 1.0


def test_labels_that_are_shares_count_as_the_nearer_class() -> None:
    """As in metrics.json; the squared error takes them as they are."""
    found = score("binary:logistic", [0.4, 0.5, 0.9], [0.4, 0.6, 0.9])

    assert found["accuracy"] == found["f1"] == 1.0
    assert found["mse"] == pytest.approx(0.01 / 3, rel=1e-5)


@pytest.mark.parametrize("label", [0.1, 123.456, 1e8])
def test_equal_labels_have_no_r2(label: float) -> None:
    """The rounding of a weighted mean does not make a spread where there is none."""
    weight = np.random.default_rng(0).random(999).astype(F32)

    found = score("reg:squarederror", np.full(999, label), np.zeros(999), weight)

    assert np.isnan(found["r2"])


def test_an_error_too_small_to_be_seen_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    """XGBoost keeps six decimals: early stopping would see no improvement below them."""
    custom = CustomMetrics(("mse",), "reg:squarederror")
    data = xgboost.DMatrix(np.zeros((2, 1), F32), F32([1e-4, 2e-4]), nthread=1)

    for _ in range(2):
        custom(np.zeros(2, F32), data)

    assert [m[:37] for m in caplog.messages] == ["mse is 2.5e-08, and only six decimals"]


def test_blocks_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut into blocks of seven, the rows give what they give at once."""
    _, y, weight = rows(4, weighted=True)
    answer = np.random.default_rng(1).random((len(y), 4)).astype(F32)
    whole = score("multi:softprob", y, answer, weight, num_class=4)
    values = score("reg:logistic", y > 1, answer[:, 0], weight)

    monkeypatch.setattr(custom_metrics, "_BLOCK", 7)

    assert score("multi:softprob", y, answer, weight, num_class=4) == pytest.approx(whole)
    assert score("reg:logistic", y > 1, answer[:, 0], weight) == pytest.approx(values)


def worker(tracker: dict[str, Any], part: slice, results: Queue[Any]) -> None:
    """Train on some of the rows, as one host of several does, and hand over the last scores."""
    X, y, weight = rows(2, weighted=True)
    history: dict[str, dict[str, list[float]]] = {}
    with collective.CommunicatorContext(**tracker):
        data = xgboost.DMatrix(X[part], y[part], weight=weight[part], nthread=1)
        booster = xgboost.train(
            {"objective": "binary:logistic", "nthread": 1}, data, 2, evals=[(data, "train")],
            custom_metric=CustomMetrics(BINARY, "binary:logistic"),
            evals_result=history, verbose_eval=False,
        )  # fmt: skip
    results.put((history["train"], bytes(booster.save_raw("json"))))


def test_two_hosts_score_all_rows() -> None:
    """Each host of a distributed job gets the figures of every host's rows, not a mean of means."""
    tracker = RabitTracker(n_workers=2, host_ip="127.0.0.1")
    tracker.start()
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    parts = (slice(0, 60), slice(60, 700))
    hosts = [
        context.Process(target=worker, args=(tracker.worker_args(), part, results))
        for part in parts
    ]
    for host in hosts:
        host.start()
    (first, model), (second, _) = (results.get(timeout=60) for _ in hosts)
    for host in hosts:
        host.join(timeout=60)
    tracker.wait_for(timeout=60)

    X, y, weight = rows(2, weighted=True)
    p = xgboost.Booster(model_file=bytearray(model)).predict(xgboost.DMatrix(X, nthread=1))
    assert first == second
    for name in BINARY:
        given = p if name in {"mse", "r2"} else p >= 0.5
        assert first[name][-1] == pytest.approx(reference(name, y, given, weight), abs=1e-6), name
