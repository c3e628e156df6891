"""Rows that contradict themselves end the job by name, and answers keep the order of the files."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from churn_daal import training
from churn_daal.contract.paths import SageMakerPaths
from churn_daal.contract.signals import StopSignal
from churn_daal.errors import UserError

LayJob = Callable[..., SageMakerPaths]
RANKS = {"objective": "rank:ndcg", "label": "y", "group": "q", "num_round": 2}
TIMES = {
    "objective": "survival:aft",
    "label_lower_bound": "lo",
    "label_upper_bound": "up",
    "num_round": 2,
}


@pytest.mark.parametrize(
    ("text", "hp", "message"),
    [
        ("lo,up,x\n1,2,3\n3,2,4\n", TIMES, r"row 3, column 2 \('up'\): a survival time from 3 to"),
        (
            "y,q,w,x\n1,a,1,2\n0,b,1,3\n0,a,2,3\n",
            RANKS | {"weight": "w"},
            r"row 4, column 3 \('w'\): weight 2, but the first row of query 'a' has 1",
        ),
        (
            "y,q,x\n1,a,2\n0,NA,3\n0,a,3\n",
            RANKS,
            r"row 3, column 2 \('q'\): the query of the row is missing",
        ),
    ],
)
def test_contradicting_rows_are_named(
    tmp_path: Path, lay_job: LayJob, text: str, hp: dict[str, object], message: str
) -> None:
    """XGBoost takes them without a word."""
    with pytest.raises(UserError, match=message):
        training.run(lay_job(tmp_path, text, **hp), StopSignal())


def test_predictions_stand_in_the_order_of_the_rows(tmp_path: Path, lay_job: LayJob) -> None:
    """Also where the rows of a group do not stand side by side."""
    y = np.arange(60)
    text = "y,q,x\n" + "".join(f"{k},{k % 7},{k * 2}\n" for k in y)
    paths = lay_job(
        tmp_path, text, label="y", group="q", _kfold=3, num_round=2, objective="reg:squarederror"
    )

    training.run(paths, StopSignal())

    lines = (paths.output_data / "predictions.csv").read_text().splitlines()
    assert [float(line.split(",")[0]) for line in lines] == y.tolist()


def test_a_model_of_columns_does_not_go_on_with_libsvm(
    tmp_path: Path, lay_job: LayJob, churn_model: Path
) -> None:
    """Its categories have no place there."""
    paths = lay_job(tmp_path, objective="binary:logistic", num_round=2)
    (paths.channel("train") / "t.libsvm").write_text("1 1:2\n0 1:3\n" * 9)
    paths.channel("model").parent.mkdir(parents=True, exist_ok=True)
    paths.channel("model").symlink_to(churn_model)
    described = {"train": {"ContentType": "text/libsvm"}, "model": {}}
    (paths.config / "inputdataconfig.json").write_text(json.dumps(described))

    with pytest.raises(UserError, match=r"column .* libsvm holds numbers alone"):
        training.run(paths, StopSignal())
