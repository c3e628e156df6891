"""The figures are scikit-learn's, in the form Model Monitor writes."""

from __future__ import annotations

import json

import numpy as np
import pytest
from sklearn import metrics

from churn_daal.errors import UserError
from churn_daal.report import model_quality


def rows(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return truth and probabilities that have something to do with each other."""
    rng = np.random.default_rng(seed)
    truth = rng.random(count) < 0.3
    chance = np.clip(rng.normal(0.3 + 0.3 * truth, 0.2), 0, 1).astype(np.float32)
    return truth, chance


@pytest.mark.parametrize("threshold", [0.1, 0.39, 0.5, 0.9])
def test_figures_are_scikit_learns(threshold: float) -> None:
    """Each by its own function, over the answers at the model's threshold."""
    truth, chance = rows(1_000)
    positive = chance >= np.float32(threshold)

    found = model_quality.statistics(truth, chance, positive)["binary_classification_metrics"]

    expected = {
        "accuracy": metrics.accuracy_score(truth, positive),
        "auc": metrics.roc_auc_score(truth, chance),
        "precision": metrics.precision_score(truth, positive),
        "recall": metrics.recall_score(truth, positive),
        "true_positive_rate": metrics.recall_score(truth, positive),
        "true_negative_rate": metrics.recall_score(~truth, ~positive),
        "f0_5": metrics.fbeta_score(truth, positive, beta=0.5),
        "f1": metrics.f1_score(truth, positive),
        "f2": metrics.fbeta_score(truth, positive, beta=2),
    }
    assert {name: found[name]["value"] for name in expected} == pytest.approx(expected)
    matrix = metrics.confusion_matrix(truth, positive)
    assert [[found["confusion_matrix"][str(t)][str(a)] for a in (0, 1)] for t in (0, 1)] == (
        matrix.tolist()
    )
    assert found["auc"]["standard_deviation"] > 0


def test_curves_are_of_probabilities_not_of_classes() -> None:
    """A curve over rounded scores has three points; that of probabilities gives the AUC again."""
    truth, chance = rows(1_000)

    found = model_quality.statistics(truth, chance, chance >= 0.5)["binary_classification_metrics"]

    curve = found["receiver_operating_characteristic_curve"]
    area = metrics.auc(curve["false_positive_rates"], curve["true_positive_rates"])
    assert len(curve["false_positive_rates"]) > 100
    assert area == pytest.approx(found["auc"]["value"], abs=1e-9)
    precisions, recalls = found["precision_recall_curve"].values()
    assert len(precisions) == len(recalls) > 900
    assert (precisions[-1], recalls[-1], recalls[0]) == (1.0, 0.0, 1.0)


def test_curves_of_many_rows_are_thinned() -> None:
    """A page has no use for a point a row; the ends stay."""
    truth, chance = rows(50_000)

    found = model_quality.statistics(truth, chance, chance >= 0.5)["binary_classification_metrics"]

    curve = found["receiver_operating_characteristic_curve"]
    assert len(curve["true_positive_rates"]) == model_quality.MOST_POINTS
    assert (curve["true_positive_rates"][0], curve["true_positive_rates"][-1]) == (0.0, 1.0)


def test_few_rows_have_no_deviation() -> None:
    """Below 200 rows it is the text NaN, as Model Monitor has it, and the JSON is strict."""
    truth, chance = rows(150)

    found = model_quality.statistics(truth, chance, chance >= 0.5)

    assert found["binary_classification_metrics"]["auc"]["standard_deviation"] == "NaN"
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_no_positive_answer_is_no_success() -> None:
    """Precision and F1 are 0 then, so that a bar is missed and not skipped."""
    truth, chance = rows(400)

    found = model_quality.statistics(truth, chance, np.zeros(400, dtype=bool))

    figures = found["binary_classification_metrics"]
    assert figures["precision"]["value"] == figures["f1"]["value"] == 0.0


@pytest.mark.parametrize("value", [True, False])
def test_one_class_is_refused(value: bool) -> None:
    """There is no AUC of it, and no number may stand in."""
    with pytest.raises(UserError, match="all 10 rows are of one class"):
        model_quality.statistics(np.full(10, value), np.linspace(0, 1, 10), np.zeros(10, bool))


def test_constraints_bound_each_figure_by_what_was_measured() -> None:
    """A monitor is told which way is worse."""
    truth, chance = rows(1_000)
    document = model_quality.statistics(truth, chance, chance >= 0.5)

    bounds = model_quality.constraints(document)["binary_classification_constraints"]

    measured = document["binary_classification_metrics"]
    assert all(bound["threshold"] == measured[name]["value"] for name, bound in bounds.items())
    assert bounds["auc"]["comparison_operator"] == "LessThanThreshold"
    assert bounds["false_positive_rate"]["comparison_operator"] == "GreaterThanThreshold"
