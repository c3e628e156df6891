"""Training that goes on from an earlier model."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest
import xgboost

from churn_daal.boosting.checkpoints import Checkpoints
from churn_daal.boosting.dataset import Dataset
from churn_daal.errors import UserError

from .runs import HELD, TRAIN, rows, run, saved


@pytest.mark.parametrize("form", ["ubj", "json"])
@pytest.mark.parametrize("raw", [{}, {"booster": "dart"}, {"num_parallel_tree": "2"}], ids=str)
def test_more_rounds_than_before(raw: dict[str, str], form: str) -> None:
    """Three rounds after five are the eight of one run, to the bit where nothing is drawn."""
    earlier = bytes(run(raw).booster.save_raw(form))
    lines: list[str] = []

    fitted = run(raw | {"num_round": "3"}, earlier=earlier, write=lines.append)

    assert saved(fitted) == saved(run(raw | {"num_round": "8"}))
    assert (fitted.earlier_rounds, fitted.best_iteration) == (5, 7)
    assert [line[:3] for line in lines] == ["[0]", "[1]", "[2]"]
    assert len(fitted.history["train"]["logloss"]) == 3


@pytest.mark.parametrize("booster", ["gbtree", "dart"])
def test_the_best_round_counts_the_earlier_ones(booster: str) -> None:
    """Early stopping cuts off new trees alone, and scores what it says."""
    raw = {"booster": booster, "eta": "0.9"}
    earlier = saved(run(raw | {"num_round": "2"}))

    fitted = run(raw | {"num_round": "60", "early_stopping_rounds": "4"}, earlier=earlier)

    scores = fitted.history["validation"]["logloss"]
    best = int(np.argmin(scores))
    assert len(scores) == best + 5 < 60
    assert fitted.best_iteration == 2 + best
    assert fitted.booster.num_boosted_rounds() == 2 + best + 1
    assert fitted.booster.attr("best_iteration") == str(2 + best)
    p = fitted.booster.predict(xgboost.DMatrix(HELD.X)).astype(float)
    again = -np.log(np.where(HELD.y == 1, p, 1 - p)).mean()
    assert again == pytest.approx(min(scores), rel=1e-5)


def test_the_earlier_best_round_is_forgotten() -> None:
    """A model that kept its best round goes on without that note, which would hide new trees."""
    raw = {"num_round": "60", "early_stopping_rounds": "4", "eta": "0.9"}
    earlier = run(raw)

    fitted = run({"num_round": "3"}, earlier=saved(earlier))

    assert earlier.booster.attr("best_iteration") is not None
    assert fitted.booster.attributes() == {}
    assert fitted.booster.num_boosted_rounds() == earlier.best_iteration + 1 + 3


def test_a_model_with_names_goes_on() -> None:
    """Its columns go by their number, as everywhere here."""
    booster = run().booster
    booster.feature_names = ["a", "b", "c", "d"]

    fitted = run({"num_round": "3"}, earlier=bytes(booster.save_raw("ubj")))

    assert saved(fitted) == saved(run({"num_round": "8"}))


def test_its_base_score_stays(caplog: pytest.LogCaptureFixture) -> None:
    """Another one would move what the earlier trees answer; it is left out with a warning."""
    with caplog.at_level(logging.WARNING):
        fitted = run({"num_round": "3", "base_score": "0.9"}, earlier=saved(run()))

    assert saved(fitted) == saved(run({"num_round": "8"}))
    assert "base_score: without effect" in caplog.text


def test_a_killed_continuation_goes_on(tmp_path: Path) -> None:
    """Checkpoints of a job that goes on from a model count its own rounds alone."""
    raw = {"subsample": "0.6", "colsample_bytree": "0.6", "early_stopping_rounds": "50"}
    earlier = saved(run({"num_round": "4"}))
    whole = run(raw, earlier=earlier, checkpoints=Checkpoints(tmp_path / "whole", rounds=1))
    (tmp_path / "killed").mkdir()
    source = tmp_path / "whole" / "xgboost-checkpoint.2"
    (tmp_path / "killed" / source.name).write_bytes(source.read_bytes())

    again = run(raw, earlier=earlier, checkpoints=Checkpoints(tmp_path / "killed"))

    assert saved(again) == saved(whole)
    assert (again.earlier_rounds, again.best_iteration) == (4, whole.best_iteration)


def test_another_earlier_model_starts_anew(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A checkpoint of a run from another model is not this run's."""
    run(earlier=saved(run()), checkpoints=Checkpoints(tmp_path))

    with caplog.at_level(logging.WARNING):
        fitted = run(earlier=saved(run({"num_round": "2"})), checkpoints=Checkpoints(tmp_path))

    assert "the earlier model is not the same" in caplog.text
    assert fitted.booster.num_boosted_rounds() == 7


WIDE = Dataset(np.hstack([TRAIN.X, TRAIN.X[:, :1]]), TRAIN.y)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"objective": "reg:squarederror"}, "objective was 'binary:logistic' and is 'reg:"),
        ({"train": WIDE, "held": WIDE}, "columns was 4 and is 5"),
        ({"raw": {"booster": "gblinear"}}, "booster was 'gbtree' and is 'gblinear'"),
        ({"raw": {"num_parallel_tree": "2"}}, "num_parallel_tree was 1 and is 2"),
        ({"earlier": b"{}"}, "the earlier model cannot be read"),
        ({"earlier": saved(run())[:500]}, "the earlier model cannot be read"),
        ({"earlier": b"\x00" * 100}, "the earlier model cannot be read"),
    ],
    ids=str,
)
def test_what_does_not_go_on(change: dict[str, object], message: str) -> None:
    """Each disagreement is named with what was and what is."""
    change = {"earlier": saved(run())} | change
    raw = change.pop("raw", None)

    with pytest.raises(UserError, match=message):
        run(raw, **change)  # type: ignore[arg-type]


def test_other_classes_do_not_go_on() -> None:
    """The number of classes is part of every tree."""
    three, four = rows(120, 1, 3), rows(120, 1, 4)
    earlier = saved(run(objective="multi:softprob", num_class=3, train=three, held=three))

    with pytest.raises(UserError, match="num_class was 3 and is 4"):
        run(objective="multi:softprob", num_class=4, train=four, held=four, earlier=earlier)


REFRESH = {"process_type": "update", "updater": "refresh", "num_round": "5"}


def test_an_update_goes_over_the_earlier_trees(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """No tree is added, the leaves fit the new rows, and there are no checkpoints."""
    earlier = run()
    other = rows(200, 9)

    with caplog.at_level(logging.WARNING):
        fitted = run(
            REFRESH, earlier=saved(earlier), train=other, checkpoints=Checkpoints(tmp_path / "c")
        )

    assert fitted.booster.num_boosted_rounds() == 5
    assert (fitted.earlier_rounds, fitted.best_iteration) == (0, 4)
    loss = fitted.history["train"]["logloss"][-1]
    p = earlier.booster.predict(xgboost.DMatrix(other.X)).astype(float)
    assert loss < -np.log(np.where(other.y == 1, p, 1 - p)).mean()
    assert "the job has no checkpoints: process_type update" in caplog.text


def test_an_update_needs_trees() -> None:
    """Without an earlier model, or with more rounds than it has, the remedy is named."""
    with pytest.raises(UserError, match="the job has none; add a model channel"):
        run(REFRESH)
    with pytest.raises(UserError, match=r"num_round is 6, and .* set num_round to 5 or less"):
        run(REFRESH | {"num_round": "6"}, earlier=saved(run()))
