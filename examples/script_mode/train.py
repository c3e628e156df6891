"""A training script of one's own: other features, one's own loop, the image's serving.

SageMaker's script mode runs it with the hyperparameters as arguments and the job's folders in
`SM_*` variables. `churn_daal.save` at the end does what the image's own training does with its
booster: oneDAL conversion, parity gate, manifest.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
from pathlib import Path

import numpy as np
import pyarrow.csv
import xgboost

import churn_daal

LABEL = "Churn?"
PERIODS = ("Day", "Eve", "Night", "Intl")
COUNTS = ("Account Length", "VMail Message", "CustServ Calls")


class StopWhenAsked(xgboost.callback.TrainingCallback):
    """End training after the round that runs when SIGTERM comes, so that a model is saved."""

    def __init__(self) -> None:
        self.asked = False
        signal.signal(signal.SIGTERM, self._on_signal)

    def _on_signal(self, *_: object) -> None:
        self.asked = True

    def after_iteration(self, *_: object) -> bool:
        """Tell XGBoost whether to stop."""
        return self.asked


def features(table: pyarrow.Table) -> tuple[np.ndarray, list[str]]:
    """Return a float32 matrix and its columns' names: what was paid and said, not by whom."""
    column = {name: table[name].to_numpy() for name in table.column_names}
    made = {name: column[name] for name in COUNTS}
    made["Int'l Plan"] = column["Int'l Plan"] == "yes"
    for period in PERIODS:
        calls = np.maximum(column[f"{period} Calls"], 1)
        made[f"{period} Mins per Call"] = column[f"{period} Mins"] / calls
    made["Total Charge"] = sum(column[f"{period} Charge"] for period in PERIODS)
    return np.column_stack(list(made.values())).astype(np.float32), list(made)


def main() -> None:
    """Train on the files of the channel `train`, hold out a fifth, save."""
    logging.basicConfig(level=logging.INFO)
    parser = argparse.ArgumentParser()
    parser.add_argument("--num-round", type=int, default=60)
    parser.add_argument("--max-depth", type=int, default=4)
    parser.add_argument("--train", type=Path, default=os.environ.get("SM_CHANNEL_TRAIN"))
    arguments = parser.parse_args()

    parts = [pyarrow.csv.read_csv(file) for file in sorted(arguments.train.glob("*.csv"))]
    table = pyarrow.concat_tables(parts)
    X, names = features(table)
    y = (table[LABEL].to_numpy() == "True.").astype(np.float32)
    held = np.random.default_rng(0).random(len(y)) < 0.2

    params = {"objective": "binary:logistic", "max_depth": arguments.max_depth, "eta": 0.2}
    train, validation = (
        xgboost.DMatrix(X[rows], y[rows], feature_names=names) for rows in (~held, held)
    )
    booster = xgboost.train(
        params,
        train,
        arguments.num_round,
        evals=[(train, "train"), (validation, "validation")],
        callbacks=[StopWhenAsked()],
    )
    churn_daal.save(
        booster, X=X[held], y=y[held], label=LABEL, classes=["stays", "churns"], threshold=0.4
    )


if __name__ == "__main__":
    main()
