"""Early stopping keeps the best model, whatever the booster and the metric."""

from __future__ import annotations

import logging

import numpy as np
import pytest
import xgboost
from numpy.typing import NDArray

from .runs import F32, HELD, TRAIN, labelled, run


@pytest.mark.parametrize(
    ("metric", "best"), [("logloss", np.argmin), ("auc", np.argmax), ("ndcg@5", np.argmax)]
)
def test_early_stopping_keeps_the_best_round(metric: str, best: object) -> None:
    """The saved trees end with the best round of the last listed metric on validation rows."""
    raw = {"num_round": "60", "early_stopping_rounds": "4", "eval_metric": f"error,{metric}"}

    fitted = run(raw | {"eta": "0.9", "max_depth": "6"})

    scores = fitted.history["validation"][metric]
    assert fitted.best_iteration == best(scores)  # type: ignore[operator]
    assert fitted.booster.num_boosted_rounds() == fitted.best_iteration + 1
    assert len(scores) == fitted.best_iteration + 1 + 4 < 60
    assert not fitted.stopped


def test_early_stopping_agrees_with_xgboosts_own() -> None:
    """On trees, the model and its notes equal those of the library's callback."""
    theirs = xgboost.train(
        {"objective": "binary:logistic", "eta": 0.9, "nthread": 1},
        train := xgboost.QuantileDMatrix(TRAIN.X, TRAIN.y),
        60,
        evals=[(xgboost.QuantileDMatrix(HELD.X, HELD.y, ref=train), "validation")],
        callbacks=[xgboost.callback.EarlyStopping(rounds=5, save_best=True)],
        verbose_eval=False,
    )
    raw = {"num_round": "60", "early_stopping_rounds": "5", "eta": "0.9", "max_depth": "6"}

    ours = run(raw).booster

    np.testing.assert_array_equal(ours.inplace_predict(HELD.X), theirs.inplace_predict(HELD.X))
    assert ours.attributes() == theirs.attributes()


def test_early_stopping_needs_no_named_metric() -> None:
    """Defect X6 of AWS's image: without eval_metric the objective's own metric decides."""
    fitted = run({"num_round": "80", "early_stopping_rounds": "3", "eta": "0.9"})

    assert fitted.booster.num_boosted_rounds() < 80
    assert fitted.best_iteration == np.argmin(fitted.history["validation"]["logloss"])


def test_rounds_of_a_forest_are_cut_whole() -> None:
    """With several trees a round the best model has all trees of its rounds."""
    raw = {"num_round": "40", "early_stopping_rounds": "3", "num_parallel_tree": "3"}

    fitted = run(raw | {"eta": "0.9", "subsample": "0.5"})

    assert fitted.booster.num_boosted_rounds() == fitted.best_iteration + 1
    assert len(fitted.booster.get_dump()) == 3 * (fitted.best_iteration + 1)


@pytest.mark.parametrize(
    "raw",
    [{"booster": "dart", "rate_drop": "0.5", "one_drop": "1"}, {"booster": "gblinear"}],
    ids=["dart", "gblinear"],
)
def test_a_booster_whose_past_changes_is_kept_as_it_was(raw: dict[str, str]) -> None:
    """The saved model scores on the validation rows what the best round scored."""
    fitted = run(raw | {"num_round": "40", "early_stopping_rounds": "3", "eta": "0.9"})

    scores = fitted.history["validation"]["logloss"]
    assert len(scores) == fitted.best_iteration + 4
    p = fitted.booster.predict(xgboost.DMatrix(HELD.X)).astype(float)
    again = -np.log(np.where(HELD.y == 1, p, 1 - p)).mean()
    assert again == pytest.approx(min(scores), rel=1e-5)


def test_a_score_that_cannot_be_had_does_not_stop_training(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The AUC of one class is undefined: all rounds run, and one line says why."""
    one_class = labelled(HELD, np.zeros(60, F32))
    with caplog.at_level(logging.WARNING):
        fitted = run({"early_stopping_rounds": "2", "eval_metric": "auc"}, held=one_class)

    assert fitted.booster.num_boosted_rounds() == 5
    assert fitted.best_iteration == 4
    assert caplog.text.count("validation-auc cannot be computed on these rows") == 1


def test_the_named_metric_decides() -> None:
    """A decisive metric rules over the last listed one; an unknown one leaves it the last."""
    raw = {"num_round": "60", "early_stopping_rounds": "4", "eta": "0.9", "max_depth": "6"}

    named = run(raw | {"eval_metric": "logloss,auc"}, decisive="logloss")
    unknown = run(raw | {"eval_metric": "logloss,auc"}, decisive="f1")

    assert named.best_iteration == np.argmin(named.history["validation"]["logloss"])
    assert unknown.best_iteration == np.argmax(unknown.history["validation"]["auc"])


def test_a_custom_metric_can_decide() -> None:
    """It is printed after XGBoost's own, gets answers and not margins, and stops training."""
    seen: list[float] = []

    def mean_answer(answers: NDArray[np.float32], _data: xgboost.DMatrix) -> tuple[str, float]:
        seen.extend((float(answers.min()), float(answers.max())))
        return "mean", float(len(seen))

    lines: list[str] = []
    raw = {"num_round": "60", "early_stopping_rounds": "2", "eval_metric": "logloss"}
    fitted = run(raw, custom_metric=mean_answer, decisive="mean", write=lines.append)

    assert 0 < min(seen) < max(seen) < 1
    assert [item.partition(":")[0] for item in lines[0].split("\t")[1:]] == [
        *("train-logloss", "train-mean", "validation-logloss", "validation-mean")
    ]
    assert (len(lines), fitted.best_iteration) == (3, 0)
