"""Out-of-fold answers and figures, and the lines a tuner reads them from."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from sklearn import metrics

from churn_daal.boosting.dataset import Dataset
from churn_daal.boosting.fit import fit
from churn_daal.boosting.folds import Fold, folds
from churn_daal.boosting.hyperparameters import parse
from churn_daal.boosting.out_of_fold import OutOfFold, scores_at
from churn_daal.contract.signals import StopSignal
from churn_daal.engine import objective_named
from churn_daal.report.predictions import Predictions

F32 = np.float32
HALVES = (Fold(0, 0, np.array([2, 3]), np.array([0, 1])), Fold(0, 1, np.arange(2), np.arange(2, 4)))
SECOND = (
    Fold(1, 0, np.array([1, 2]), np.array([0, 3])),
    Fold(1, 1, np.array([0, 3]), np.arange(1, 3)),
)
# The expression AWS's image gives a tuner for `validation:auc`; CloudWatch shows a TAB as #011.
AWS = r".*\[[0-9]+\].*#011validation-auc:(\S+)"
OWN = r"\[oof\].*cv-auc:([0-9.]+)"


def gathered(*answers: list, scores: tuple[dict, ...] = ({}, {}, {}, {})) -> OutOfFold:
    """Return four rows with one answer to each half, over one repeat or two."""
    found = OutOfFold(4)
    for fold, answer, score in zip((*HALVES, *SECOND), answers, scores, strict=False):
        found.add(fold, np.array(answer, F32), score)
    return found


def written(found: OutOfFold, objective: str, *classes: int) -> list[tuple[object, ...]]:
    """Return the lines of predictions.csv, without the label they start with."""
    answers = Predictions(objective_named(objective), np.zeros(4, F32), found.response(), classes)
    return [row[1:] for row in answers.rows()]


def test_answers_are_means_over_repeats() -> None:
    """Row 0 is answered 0.2 and 0.6, which makes 0.4 and the negative class."""
    found = gathered([0.2, 0.9], [0.4, 0.6], [0.6, 0.2], [0.7, 0.8])

    assert found.response() == pytest.approx([0.4, 0.8, 0.6, 0.4])
    assert [row[-1] for row in written(found, "binary:logistic", 0, 1)] == [0, 1, 1, 0]


def test_of_several_classes_the_likeliest_mean_is_answered() -> None:
    """With its probability, as AWS's predictions.csv has it."""
    found = gathered([[0.1, 0.7, 0.2], [0.5, 0.3, 0.2]], [[0, 0, 1], [0.4, 0.5, 0.1]])

    rows = written(found, "multi:softmax", 0, 1, 2)

    assert [row[-1] for row in rows] == [1, 0, 2, 1]
    assert [float(str(row[0])) for row in rows] == pytest.approx([0.7, 0.5, 1.0, 0.5])


def test_margins_are_answers_by_their_probability() -> None:
    """A mean margin above 0 is the positive class."""
    found = gathered([-2, 0.1], [0.3, -0.1])

    assert [row[-1] for row in written(found, "binary:logitraw", 0, 1)] == [0, 1, 1, 0]


def test_values_are_their_own_prediction() -> None:
    """Regression has no probability column."""
    rows = written(gathered([10, 20], [30, 40]), "reg:squarederror")

    assert [tuple(float(str(cell)) for cell in row) for row in rows] == [(10,), (20,), (30,), (40,)]


@pytest.mark.parametrize("answers", [(), ([1, 1],), ([1, 1], [1, 1], [1, 1])])
def test_a_row_without_its_answers_is_an_error(answers: tuple[list, ...]) -> None:
    """A mean of fewer repeats, or of none, is not given as if it were whole."""
    with pytest.raises(ValueError, match="not held out as often"):
        gathered(*answers).response()


def test_answers_to_other_rows_are_an_error() -> None:
    """Two rows were held out, and three answered."""
    with pytest.raises(ValueError, match="3 answers to 2 rows"):
        gathered([1, 1, 1])


def test_mean_and_spread_over_the_folds() -> None:
    """By hand: 0.8 and 0.9 lie 0.05 around their mean."""
    scores = tuple({"train": {"auc": 1.0}, "validation": {"auc": auc}} for auc in (0.8, 0.9))

    figures = gathered([1, 1], [0, 0], scores=scores).figures()

    assert figures["validation"]["auc"] == pytest.approx({"mean": 0.85, "std": 0.05, "folds": 2})
    assert figures["train"]["auc"] == {"mean": 1.0, "std": 0.0, "folds": 2}


def test_a_fold_without_a_metric_is_left_out_and_counted() -> None:
    """The AUC of one class is no reason to lose the figure; of no fold, it is null."""
    scores = tuple({"validation": {"auc": auc, "f1": np.nan}} for auc in (np.nan, 0.9))

    found = gathered([1, 1], [0, 0], scores=scores)

    assert found.figures()["validation"]["auc"] == {"mean": 0.9, "std": 0.0, "folds": 1}
    assert json.loads(json.dumps(found.figures(), allow_nan=False))["validation"]["f1"] == {
        "mean": None, "std": None, "folds": 0,
    }  # fmt: skip
    assert found.metric_lines(3)[-1] == "[3]\tvalidation-f1:nan"


def test_the_lines_of_a_cross_validation() -> None:
    """One for expressions of its own, and one that a round's expression takes last."""
    scores = tuple(
        {"train": {"auc": 1.0}, "validation": {"auc": auc, "mse": 2e-7}} for auc in (0.8, 0.9)
    )

    lines = gathered([1, 1], [0, 0], scores=scores).metric_lines(100)

    assert lines == [
        "[oof]\tcv-auc:0.85000\tcv-auc-std:0.05000",
        "[oof]\tcv-mse:0.0000002000\tcv-mse-std:0.00000",
        "[100]\ttrain-auc:1.00000\tvalidation-auc:0.85000",
        "[100]\tvalidation-mse:0.0000002000",
    ]


def test_filters_catch_the_figure_of_all_folds() -> None:
    """AWS's expression takes it last, after the rounds of the folds, and ours alone."""
    scores = tuple({"train": {"auc": 1.0}, "validation": {"auc": auc}} for auc in (0.8, 0.9))
    ending = gathered([1, 1], [0, 0], scores=scores).metric_lines(9)

    # CloudWatch shows a TAB as #011.
    shown = ["[8]#011train-auc:1#011validation-auc:0.9", *(s.replace("\t", "#011") for s in ending)]

    assert re.findall(AWS, "\n".join(shown)) == ["0.9", "0.85000"]
    assert re.findall(OWN, "\n".join(shown)) == ["0.85000"]


def test_out_of_fold_figures_do_not_see_what_they_trained_on() -> None:
    """Trees that learn noise by heart score 1 on it, and out of fold no better than chance (X4)."""
    draw = np.random.default_rng(0)
    X, y = draw.normal(size=(300, 5)).astype(F32), (draw.random(300) < 0.5).astype(F32)
    data = Dataset(X, y)
    hp = parse({"num_round": "10", "max_depth": "9", "min_child_weight": "0", "nthread": "1",
                "eta": "1", "lambda": "0", "eval_metric": "auc"})  # fmt: skip
    found = OutOfFold(300)

    with StopSignal() as stop:
        for fold in folds(y, k=3, repeats=2, seed=1, stratify=True):
            train, held = data.take(fold.train_rows), data.take(fold.held_rows)
            fitted = fit(train, held, hp, objective="binary:logistic", stop=stop, write=len)
            scores = scores_at(fitted.history, fitted.best_iteration)
            found.add(fold, fitted.booster.inplace_predict(held.X), scores)

    figures = found.figures()
    assert figures["train"]["auc"]["mean"] > 0.999
    assert figures["validation"]["auc"]["mean"] == pytest.approx(0.5, abs=0.08)
    assert figures["validation"]["auc"]["folds"] == 6
    assert metrics.roc_auc_score(y, found.response()) == pytest.approx(0.5, abs=0.08)
