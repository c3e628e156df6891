"""What jobs of earlier versions send is taken with its modern meaning and a note."""

from __future__ import annotations

import warnings
from collections import Counter
from typing import Any

import numpy as np
import pytest
import xgboost

from churn_daal.boosting.hyperparameters import Hyperparameters, parse
from churn_daal.boosting.hyperparameters.legacy import LEGACY_ROWS, OLD_VALUES
from churn_daal.boosting.hyperparameters.table import HYPERPARAMETERS, ROWS
from churn_daal.boosting.hyperparameters.updaters import GROWERS
from churn_daal.errors import UserError


def fitted(params: dict[str, Any]) -> xgboost.Booster:
    """Return three rounds on half of 200 rows, drawn anew for each."""
    rng = np.random.default_rng(3)
    X = rng.normal(size=(200, 4)).astype(np.float32)
    rows = xgboost.DMatrix(X, label=X[:, 0] + rng.normal(size=200), nthread=1)
    with warnings.catch_warnings():
        # XGBoost says at every list of updaters that it may be a wrong one.
        warnings.simplefilter("ignore")
        return xgboost.train({"nthread": 1, "subsample": 0.5} | params, rows, 3)


@pytest.mark.parametrize(
    ("name", "text", "booster", "note"),
    [
        ("predictor", "gpu_predictor", {}, "predictor: without effect: XGBoost chooses by itself"),
        ("dsplit", "row", {}, "dsplit: without effect: several machines share the rows"),
        ("sketch_eps", "0.03", {"max_bin": 34}, "sketch_eps 0.03: an old way to say max_bin 34"),
        ("sketch_eps", "0.9", {"max_bin": 2}, "sketch_eps 0.9: an old way to say max_bin 2"),
        ("sketch_eps", "1e-30", {"max_bin": 65536}, "an old way to say max_bin 65536"),
        ("prob_buffer_row", "1.5", {}, "prob_buffer_row: without effect: XGBoost has it no more"),
        ("lambda_bias", "0.5", {}, "lambda_bias: without effect"),
        ("deterministic_histogram", "true", {}, "deterministic_histogram: without effect"),
        ("gpu_id", "-1", {}, "gpu_id: without effect: training runs on the CPU"),
        ("use_dask_gpu_training", "false", {}, "use_dask_gpu_training: without effect"),
        ("enable_categorical", "true", {}, "enable_categorical: without effect: text is encoded"),
        (
            "save_model_on_termination",
            "true",
            {},
            "save_model_on_termination: without effect: a job that is stopped always saves",
        ),
        (
            "num_pairsample",
            "4",
            {"lambdarank_pair_method": "mean", "lambdarank_num_pair_per_sample": 4},
            "num_pairsample: an old name of lambdarank_num_pair_per_sample",
        ),
        ("tree_method", "gpu_hist", {"tree_method": "hist"}, "gpu_hist: training runs on the CPU"),
        ("device", "cuda", {"device": "cpu"}, "device cuda: training runs on the CPU"),
        ("device", "gpu:1", {"device": "cpu"}, "device gpu:1: training runs on the CPU"),
        (
            "objective",
            "reg:linear",
            {"objective": "reg:squarederror"},
            "objective reg:linear is the old name of reg:squarederror",
        ),
    ],
)
def test_an_old_job_trains_as_it_would_today(
    name: str, text: str, booster: dict[str, Any], note: str
) -> None:
    """XGBoost gets today's parameter or none, and the log says what became of the old one."""
    hp = parse({name: text})

    assert hp.booster == {"seed": 0} | booster
    (said,) = hp.notes
    assert note in said


def test_what_is_given_by_todays_name_has_precedence() -> None:
    """An old name beside the new one does not change it."""
    hp = parse({"max_bin": "64", "sketch_eps": "0.1", "verbosity": "2", "silent": "1"})

    assert (hp.booster["max_bin"], hp.verbosity) == (64, 2)
    assert [note.partition(":")[0] for note in hp.notes] == ["sketch_eps", "silent"]


@pytest.mark.parametrize(("text", "verbosity"), [("1", 0), ("0", 1)])
def test_silent_is_verbosity(text: str, verbosity: int) -> None:
    """Silence asked for is given, and its absence is the default."""
    assert parse({"silent": text}).verbosity == verbosity


def test_a_sketch_means_nothing_to_hist() -> None:
    """Only the approximate method ever read sketch_eps."""
    hp = parse({"sketch_eps": "0.1", "tree_method": "hist"})

    assert "max_bin" not in hp.booster
    assert hp.notes == ("sketch_eps: without effect on tree_method hist",)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("predictor", "cpu", "'cpu'; expected one of auto, cpu_predictor, gpu_predictor"),
        ("sketch_eps", "1", "expected a number above 0 and below 1"),
        ("dsplit", "rows", "expected one of row, col"),
        ("prob_buffer_row", "1", "expected a number above 1"),
        ("lambda_bias", "2", "expected a number from 0 to 1"),
        ("save_model_on_termination", "yes", "expected 0, 1, true or false"),
        ("tree_method", "gpu_fast", "expected one of auto, hist, approx, exact"),
    ],
)
def test_an_old_name_has_its_old_range(name: str, text: str, message: str) -> None:
    """A value that AWS's table refuses is refused here, whether it has an effect or not."""
    with pytest.raises(UserError, match=message):
        parse({name: text})


@pytest.mark.parametrize("step", GROWERS)
@pytest.mark.parametrize("after", ["", ",prune", ",sync,prune"])
def test_a_list_of_updaters_is_a_tree_method(step: str, after: str) -> None:
    """Each step that grows trees, with what used to follow it, is the tree method of today."""
    hp = parse({"updater": step + after})

    assert hp.booster == {"seed": 0, "tree_method": GROWERS[step]}
    assert hp.notes == (
        f"updater {step}{after}: an old way to say tree_method {GROWERS[step]}, which is taken",
    )


@pytest.mark.parametrize("updater", ["grow_colmaker,prune", "grow_histmaker"])
def test_the_tree_method_is_the_list(updater: str) -> None:
    """XGBoost itself grows equal trees from the list and from the method it is taken as."""
    hp = parse({"updater": updater})
    listed = fitted({"seed": 0, "updater": updater})

    assert fitted(dict(hp.booster)).get_dump() == listed.get_dump()


def test_a_refresh_is_kept_where_it_changes_leaves() -> None:
    """After sampled rows a refresh weighs all of them, except with hist, which has done so."""
    kept = parse({"updater": "distcol,sync,refresh,prune"}).booster
    left_out = parse({"updater": "grow_quantile_histmaker,refresh"}).booster
    same = fitted({"seed": 0, "updater": "grow_quantile_histmaker,refresh"})

    assert kept == {
        "seed": 0,
        "tree_method": "exact",
        "updater": "grow_colmaker,refresh,prune",
    }
    assert left_out == {"seed": 0, "tree_method": "hist"}
    assert fitted(dict(left_out)).get_dump() == same.get_dump()


def test_updaters_take_the_place_of_the_tree_method() -> None:
    """XGBoost goes by the list where both are given, and so do we, with a word."""
    hp = parse({"updater": "grow_colmaker,prune", "tree_method": "hist"})

    assert hp.booster["tree_method"] == "exact"
    assert hp.notes[0].endswith("tree_method exact, which is taken, in place of hist")


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ({"booster": "gblinear", "updater": "coord_descent"}, "coord_descent"),
        ({"booster": "gblinear", "updater": "gpu_coord_descent"}, "coord_descent"),
        ({"process_type": "update", "updater": "refresh,prune"}, "refresh,prune"),
    ],
)
def test_other_updaters_reach_xgboost(raw: dict[str, str], expected: str) -> None:
    """Linear models and trees that are gone over keep their steps."""
    assert parse(raw).booster["updater"] == expected


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ({"updater": "grow"}, "updater lists 'grow'; expected some of grow_colmaker, distcol"),
        ({"updater": "refresh"}, "expected one step that grows trees, .* and it has 0"),
        ({"updater": "grow_colmaker,grow_histmaker"}, "one step that grows trees, .* it has 2"),
        ({"updater": "shotgun"}, "shotgun goes with booster 'gblinear' only"),
        ({"updater": "prune", "booster": "gblinear"}, "expected shotgun or coord_descent"),
        ({"process_type": "update"}, "needs updater refresh, prune or both, and updater is not"),
        ({"process_type": "update", "updater": "grow_colmaker"}, "and updater is 'grow_colmaker'"),
        ({"process_type": "update", "booster": "gblinear"}, "booster 'gblinear' has none"),
        ({"updater": ","}, "'updater' is ','; expected at least one updater"),
    ],
)
def test_updaters_that_cannot_be_are_refused(raw: dict[str, str], message: str) -> None:
    """AWS's rules hold: one step grows, linear models and updates have steps of their own."""
    with pytest.raises(UserError, match=message):
        parse(raw)


def test_every_legacy_row_says_what_becomes_of_it() -> None:
    """Each row of the legacy table is taken and gives one note that names it."""
    for row in LEGACY_ROWS:
        text = {"choice": row.choices[0] if row.choices else "", "float": "0.5"}.get(row.type, "1")
        text = "2" if row.name == "prob_buffer_row" else text
        (note,) = parse({row.name: text}).notes

        assert note.startswith(row.name)


def test_no_name_stands_for_two_things() -> None:
    """Names and aliases are unique, and old values are none of today's."""
    names = [name for row in HYPERPARAMETERS for name in (row.name, *row.aliases)]

    assert [name for name, count in Counter(names).items() if count > 1] == []
    for name, old in OLD_VALUES.items():
        assert set(old).isdisjoint(ROWS[name].choices)
        assert set(old.values()) <= set(ROWS[name].choices)
    assert {row.name for row in LEGACY_ROWS}.isdisjoint(Hyperparameters.__dataclass_fields__)
