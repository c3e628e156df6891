"""Training with the real XGBoost: its lines, its best model, its refusals, the same bytes."""

from __future__ import annotations

import logging
import re
import subprocess
import sys

import numpy as np
import pytest
import xgboost
from numpy.typing import NDArray

from churn_daal.boosting.dataset import Dataset
from churn_daal.boosting.fit import Fitted, fit
from churn_daal.boosting.hyperparameters import parse
from churn_daal.contract.signals import StopSignal
from churn_daal.errors import UserError

F32 = np.float32


def rows(n: int, seed: int, classes: int = 2) -> Dataset:
    """Return n rows of 4 columns, a tenth missing, and noisy labels of so many classes."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 4)).astype(F32)
    score = X[:, 0] + 0.5 * X[:, 1] + rng.normal(size=n)
    cuts = np.quantile(score, np.arange(1, classes) / classes)
    X[rng.random(X.shape) < 0.1] = np.nan
    return Dataset(X, np.digitize(score, cuts).astype(F32))


TRAIN, HELD = rows(120, 1), rows(60, 2)


def run(
    raw: dict[str, str] | None = None,
    *,
    objective: str = "binary:logistic",
    train: Dataset = TRAIN,
    held: Dataset = HELD,
    num_class: int | None = None,
    stop: StopSignal | None = None,
) -> Fitted:
    """Fit with hyperparameters as text; 5 rounds and one thread unless they say otherwise."""
    hp = parse({"num_round": "5", "nthread": "1", "max_depth": "3"} | (raw or {}))
    stop = stop or StopSignal()
    return fit(train, held, hp, objective=objective, num_class=num_class, stop=stop)


def labelled(data: Dataset, y: NDArray[np.float32]) -> Dataset:
    """Return the same rows with other labels."""
    return Dataset(data.X, y)


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
    linear = raw["booster"] == "gblinear"
    raw = raw | {"num_round": "40", "early_stopping_rounds": "3", "eta": "0.9"}
    if linear:
        raw = {name: text for name, text in raw.items() if name != "max_depth"}

    fitted = run(raw)

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


def test_a_request_to_stop_ends_after_the_round() -> None:
    """A job told to stop before its first round still has a model of one round."""
    stop = StopSignal()
    stop.request()

    fitted = run({"num_round": "50"}, stop=stop)

    assert fitted.stopped
    assert fitted.booster.num_boosted_rounds() == 1
    assert fitted.best_iteration == 0


def test_a_request_to_stop_keeps_the_best_model() -> None:
    """Stopped on the way down, the model is that of the best round so far."""
    stop = StopSignal()
    lines: list[str] = []

    def write(line: str) -> None:
        lines.append(line)
        if len(lines) == 30:
            stop.request()

    raw = {"num_round": "200", "early_stopping_rounds": "150", "eta": "0.9", "nthread": "1"}
    fitted = fit(TRAIN, HELD, parse(raw), objective="binary:logistic", stop=stop, write=write)

    assert (len(lines), fitted.stopped) == (30, True)
    assert fitted.best_iteration == np.argmin(fitted.history["validation"]["logloss"]) < 29
    assert fitted.booster.num_boosted_rounds() == fitted.best_iteration + 1


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


INF = Dataset(np.where(np.isnan(TRAIN.X), F32(np.inf), TRAIN.X), TRAIN.y)
CONTINUOUS = labelled(TRAIN, np.linspace(-3, 9, 120, dtype=F32))


@pytest.mark.parametrize(
    ("raw", "objective", "train", "message"),
    [
        ({}, "binary:logistic", labelled(TRAIN, TRAIN.y * 2), r"label must be in \(0, 1\)"),
        ({}, "count:poisson", labelled(TRAIN, TRAIN.y - 1), "label must be non-negative"),
        ({}, "reg:gamma", TRAIN, "label must be positive for gamma"),
        ({}, "binary:logistic", INF, "Input data contains `inf`"),
        ({"tree_method": "exact"}, "binary:logistic", INF, "Input data contains `inf`"),
        ({}, "reg:squarederror", labelled(TRAIN, TRAIN.y * F32(np.nan)), "Label contains NaN"),
        (
            {},
            "binary:logistic",
            Dataset(TRAIN.X, TRAIN.y, np.where(np.arange(120) == 5, F32(-1), F32(1))),
            "Weights must be positive values",
        ),
        (
            {"monotone_constraints": "(1,0,0,0,1)"},
            "binary:logistic",
            TRAIN,
            "monotone constraint should be less or equal to the number of features",
        ),
        ({"eval_metric": "auc"}, "reg:squarederror", CONTINUOUS, "'auc' .* a metric of classes"),
        (
            {"eval_metric": "map"},
            "reg:squarederror",
            CONTINUOUS,
            r"map can only be used with binary labels\. Check eval_metric against the labels",
        ),
        ({"eval_metric": "mlogloss"}, "binary:logistic", TRAIN, "lists 'mlogloss' with objective"),
        ({"base_score": "2"}, "binary:logistic", TRAIN, "base_score is 2; .* from 0 to 1"),
        (
            {},
            "binary:logistic",
            Dataset(TRAIN.X, TRAIN.y, np.zeros(120, F32)),
            "weights of the train rows sum to 0; expected more than 0",
        ),
        ({}, "binary:logistic", Dataset(TRAIN.X[:0], TRAIN.y[:0]), "there are no train rows"),
    ],
)
def test_bad_input_is_the_users_to_mend(
    raw: dict[str, str], objective: str, train: Dataset, message: str
) -> None:
    """XGBoost's reason comes as one line, without its stack trace."""
    with pytest.raises(UserError, match=message) as caught:
        run(raw, objective=objective, train=train)

    text = str(caught.value)
    assert "\n" not in text
    assert "Stack trace" not in text
    assert "/workspace" not in text


def test_a_label_beyond_the_classes_is_the_users() -> None:
    """Four classes of labels for two classes of model are refused with XGBoost's reason."""
    with pytest.raises(UserError, match=r"label must be discrete values .* Check the labels"):
        run(objective="multi:softprob", num_class=2, train=rows(120, 1, 4))


def test_sigterm_in_the_middle_leaves_a_model() -> None:
    """A process that is told to stop ends its round, and has a model of the rounds it printed."""
    code = (
        "import numpy as np\n"
        "from churn_daal.boosting.dataset import Dataset\n"
        "from churn_daal.boosting.fit import fit\n"
        "from churn_daal.boosting.hyperparameters import parse\n"
        "from churn_daal.contract.signals import StopSignal\n"
        "X = np.arange(40, dtype=np.float32).reshape(20, 2)\n"
        "data = Dataset(X, (np.arange(20) % 3 == 0).astype(np.float32))\n"
        "with StopSignal() as stop:\n"
        "    hp = parse({'num_round': '2000000000', 'nthread': '1'})\n"
        "    fitted = fit(data, data, hp, objective='binary:logistic', stop=stop)\n"
        "print('rounds', fitted.booster.num_boosted_rounds(), fitted.stopped)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        process.terminate()
        out, err = process.communicate(timeout=60)

    assert first.startswith("[0]\ttrain-logloss:"), err
    *_, last_round, summary = (first + out).splitlines()
    assert process.returncode == 0, err
    assert summary == f"rounds {int(last_round[1 : last_round.index(']')]) + 1} True"


def test_validation_rows_are_asked_for() -> None:
    """An empty validation set is named as such."""
    with pytest.raises(UserError, match="there are no validation rows"):
        run(held=Dataset(HELD.X[:0], HELD.y[:0]))
