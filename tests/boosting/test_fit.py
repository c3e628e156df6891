"""Training with the real XGBoost: its lines, its model, the same bytes again."""

from __future__ import annotations

import logging
import re

import numpy as np
import pytest
import xgboost

from churn_daal.boosting.dataset import Dataset
from churn_daal.boosting.fit import fit
from churn_daal.boosting.hyperparameters import parse
from churn_daal.contract.signals import StopSignal

from .runs import F32, HELD, TRAIN, rows, run


@pytest.mark.parametrize("metrics", ["logloss", "auc,error@0.4,logloss", "ndcg@5-,aucpr"])
def test_the_lines_are_xgboosts_to_the_byte(
    capfd: pytest.CaptureFixture[str], metrics: str
) -> None:
    """What SageMaker's metric filters read is what `xgboost.train` itself prints (T16)."""
    fitted = run({"eval_metric": metrics})
    ours = capfd.readouterr().out
    train = xgboost.QuantileDMatrix(TRAIN.X, TRAIN.y)
    held = xgboost.QuantileDMatrix(HELD.X, HELD.y, ref=train)
    xgboost.train(
        {
            "max_depth": 3,
            "objective": "binary:logistic",
            "eval_metric": metrics.split(","),
            "nthread": 1,
        },
        train,
        5,
        evals=[(train, "train"), (held, "validation")],
        verbose_eval=True,
    )
    theirs = capfd.readouterr().out

    assert ours.encode() == theirs.encode()
    assert ours.count("\n") == 5
    assert re.match(r"\[0\]\ttrain-\S+:[01]\.\d{5}\t", ours)
    assert len(fitted.history["validation"][metrics.rsplit(",", maxsplit=1)[-1]]) == 5


def test_another_writer_gets_the_lines(capfd: pytest.CaptureFixture[str]) -> None:
    """A caller that draws a progress bar takes the lines in place of stdout."""
    lines: list[str] = []
    hp = parse({"num_round": "3"})

    fit(TRAIN, HELD, hp, objective="binary:logistic", stop=StopSignal(), write=lines.append)

    assert [line.split("\t")[0] for line in lines] == ["[0]", "[1]", "[2]"]
    assert capfd.readouterr().out == ""


@pytest.mark.parametrize("method", ["auto", "hist", "approx", "exact"])
def test_the_same_seed_gives_the_same_bytes(method: str) -> None:
    """Two runs of a job that draws rows and columns save one model."""
    raw = {"tree_method": method, "subsample": "0.6", "colsample_bytree": "0.7", "seed": "9"}

    first, again = (run(raw).booster.save_raw("ubj") for _ in range(2))

    assert first == again
    assert first != run(raw | {"seed": "10"}).booster.save_raw("ubj")


def test_the_booster_is_xgboosts_own() -> None:
    """Fitting through this module changes nothing in the answers, missing values included."""
    raw = {"eta": "0.2", "lambda": "3", "max_bin": "16"}
    rows_ = xgboost.QuantileDMatrix(TRAIN.X, TRAIN.y, max_bin=16)
    direct = xgboost.train(
        {"max_depth": 3, "eta": 0.2, "lambda": 3, "max_bin": 16, "objective": "binary:logistic"},
        rows_,
        5,
    )

    booster = run(raw).booster

    np.testing.assert_array_equal(booster.inplace_predict(HELD.X), direct.inplace_predict(HELD.X))
    assert booster.feature_names is None


def test_weights_are_used() -> None:
    """A row of weight 2 counts as the row given twice."""
    weight = np.where(np.arange(120) < 40, F32(2), F32(1))
    twice = TRAIN.take(np.concatenate([np.arange(120), np.arange(40)]))
    raw = {"tree_method": "exact", "base_score": "0.5"}

    weighted = run(raw, train=Dataset(TRAIN.X, TRAIN.y, weight)).booster.inplace_predict(HELD.X)

    np.testing.assert_allclose(
        weighted, run(raw, train=twice).booster.inplace_predict(HELD.X), rtol=1e-5
    )
    assert not np.allclose(weighted, run(raw).booster.inplace_predict(HELD.X), rtol=1e-3)


def test_classes_are_fitted() -> None:
    """The caller decides the objective and the number of classes."""
    fitted = run(
        objective="multi:softprob", num_class=3, train=rows(120, 1, 3), held=rows(60, 2, 3)
    )

    assert fitted.booster.predict(xgboost.DMatrix(HELD.X)).shape == (60, 3)
    assert list(fitted.history["validation"]) == ["mlogloss"]


def test_verbosity_does_not_outlive_the_job(caplog: pytest.LogCaptureFixture) -> None:
    """XGBoost's level is set for the run alone, and 0 silences its warnings."""
    before = xgboost.get_config()["verbosity"]
    with caplog.at_level(logging.WARNING):
        run({"verbosity": "0", "huber_slope": "2"})
        quiet = caplog.text
        run({"huber_slope": "2"})

    assert xgboost.get_config()["verbosity"] == before
    assert quiet == ""
    assert 'XGBoost: Parameters: { "huber_slope" } are not used.' in caplog.text


def test_stdout_is_for_metrics_in_the_callers_thread_too(
    capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """As on several hosts: what XGBoost tells at verbosity 2 is logged, not printed."""
    with caplog.at_level(logging.INFO):
        run({"verbosity": "2"}, patience=None)

    lines = capfd.readouterr().out.splitlines()
    assert len(lines) == 5
    assert all(line.startswith("[") and "\ttrain-logloss:" in line for line in lines)
    assert "XGBoost: " in caplog.text
