"""Hyperparameters as old jobs, tuning jobs and hand-written requests send them."""

from __future__ import annotations

from pathlib import Path

import pytest

from .conftest import Train
from .drive import CHURN, failure_of, lay_job, model_bytes, stock_booster

pytestmark = pytest.mark.container
FILES = {"train/churn.csv": "".join(CHURN.read_text().splitlines(keepends=True)[:1001])}
# What templates for XGBoost 0.90 to 1.5 hold, in JSON of every kind.
OLD = {
    "label": "Churn?",
    "objective": '"binary:logistic"',
    "tree_method": "gpu_hist",
    "predictor": "gpu_predictor",
    "sketch_eps": "0.03",
    "dsplit": "row",
    "silent": 1,
    "num_round": 6,
    "eta": 0.2,
    "max_depth": "4",
    "subsample": 0.9,
    "_tuning_objective_metric": "validation:auc",
    "sagemaker_region": '"eu-west-1"',
}
# What they mean today.
NEW = {
    "label": "Churn?",
    "objective": "binary:logistic",
    "tree_method": "hist",
    "verbosity": "0",
    "num_round": "6",
    "eta": "0.2",
    "max_depth": "4",
    "subsample": "0.9",
    "eval_metric": "auc",
}


def test_a_job_of_earlier_versions_names_trains(train: Train, tmp_path: Path) -> None:
    """Each is told in the log, and means what it meant; the tuned metric is printed every round."""
    opt_ml = lay_job(tmp_path / "ml", FILES, **OLD)

    done = train(opt_ml)

    assert done.returncode == 0, done.stderr
    warnings = [line for line in done.stderr.splitlines() if line.startswith("WARNING ")]
    for name in ("gpu_hist", "predictor", "sketch_eps", "dsplit", "silent"):
        assert any(name in line for line in warnings), name
    lines = done.stdout.splitlines()
    assert len(lines) == 6
    assert all("\tvalidation-auc:" in line for line in lines)
    modern = lay_job(tmp_path / "modern", FILES, **NEW)
    assert train(modern).returncode == 0
    assert model_bytes(opt_ml)["xgboost-model"] == model_bytes(modern)["xgboost-model"]


def test_old_updaters_are_taken_as_the_tree_method_they_were(train: Train, tmp_path: Path) -> None:
    """XGBoost itself trains no tree at all on some of these lists, or fails."""
    opt_ml = lay_job(
        tmp_path / "ml", FILES, label="Churn?", num_round=3, updater="grow_colmaker,prune"
    )

    done = train(opt_ml)

    assert done.returncode == 0, done.stderr
    assert "grow_colmaker" in done.stderr
    assert len(stock_booster(opt_ml / "model").get_dump()) == 3


@pytest.mark.parametrize(
    ("wrong", "causes"),
    [
        ({"max_dept": "5", "num_rounds": 3}, ("'max_dept'", "'max_depth'", "'num_rounds'")),
        ({"_tuning_objective_metric": "train:auc"}, ("_tuning_objective_metric", "validation:")),
    ],
    ids=["unknown", "tuned on the rows it learns"],
)
def test_what_cannot_be_meant_is_refused_before_data_is_read(
    train: Train, tmp_path: Path, wrong: dict[str, object], causes: tuple[str, ...]
) -> None:
    """All of it at once, with the nearest known name; there is no data here to be read."""
    opt_ml = lay_job(tmp_path / "ml", {}, **wrong)

    failure = failure_of(opt_ml, train(opt_ml))

    for cause in causes:
        assert cause in failure
