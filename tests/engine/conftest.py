"""Tiny real boosters of every objective, on rows that repeat values so that splits are met."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import xgboost

WIDTH = 6
ROWS = 240
CLASSES = 3
ROUNDS = 6


def make_rows(seed: int = 0, rows: int = ROWS) -> np.ndarray:
    """Return rows whose first columns repeat values, a tenth of all cells missing."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(rows, WIDTH)).astype(np.float32)
    X[:, :3] = np.round(X[:, :3], 1)
    X[rng.random(X.shape) < 0.1] = np.nan
    return X


def train(
    objective: str, *, X: np.ndarray, rounds: int = ROUNDS, **params: object
) -> xgboost.Booster:
    """Train a tiny booster of an objective, on labels it takes."""
    signal = np.nan_to_num(X) @ np.linspace(-1, 1.5, WIDTH).astype(np.float32)
    matrix = xgboost.DMatrix(X)
    if objective.startswith("multi:"):
        params.setdefault("num_class", CLASSES)
        edges = np.quantile(signal, np.linspace(0, 1, params["num_class"] + 1)[1:-1])
        matrix.set_label(np.digitize(signal, edges))
    elif objective.startswith(("binary:", "rank:")) or objective == "reg:logistic":
        matrix.set_label(signal > 0)
    elif objective == "survival:aft":
        matrix.set_float_info("label_lower_bound", np.exp(signal / 4))
        matrix.set_float_info("label_upper_bound", np.exp(signal / 4) * 1.5)
    else:
        matrix.set_label(np.exp(signal / 4))
    if objective.startswith("rank:"):
        matrix.set_group([20] * (len(X) // 20))
    alphas = {"reg:quantileerror": "quantile_alpha", "reg:expectileerror": "expectile_alpha"}
    if objective in alphas:
        params.setdefault(alphas[objective], 0.4)
    settings = {"objective": objective, "max_depth": 4, "nthread": 1, "seed": 1} | params
    if "booster" in params:
        # XGBoost warns of the old boosters' end, and that a linear one ignores max_depth.
        settings["verbosity"] = 0
    return xgboost.train(settings, matrix, rounds)


def with_edited_trees(
    booster: xgboost.Booster, edit: Callable[[list[dict[str, Any]]], None]
) -> xgboost.Booster:
    """Return another booster whose trees were changed in XGBoost's own JSON."""
    model = json.loads(bytes(booster.save_raw("json")))
    edit(model["learner"]["gradient_booster"]["model"]["trees"])
    edited = xgboost.Booster()
    edited.load_model(bytearray(json.dumps(model).encode()))
    return edited


@pytest.fixture(scope="session")
def rows() -> np.ndarray:
    """Give every test the same rows, read only."""
    X = make_rows()
    X.setflags(write=False)
    return X


@pytest.fixture(scope="session")
def grow(rows: np.ndarray) -> Callable[..., xgboost.Booster]:
    """Train a booster of an objective on `rows`."""

    def grown(objective: str, **options: object) -> xgboost.Booster:
        try:
            return train(objective, X=options.pop("X", rows), **options)
        except xgboost.core.XGBoostError as error:
            # The one objective of the table that the older of the two releases lacks.
            if objective == "reg:expectileerror" and "Unknown objective" in str(error):
                pytest.skip(f"XGBoost {xgboost.__version__} has no {objective}")
            raise

    return grown


@pytest.fixture(scope="session")
def logistic(grow: Callable[..., xgboost.Booster]) -> xgboost.Booster:
    """Give a binary booster."""
    return grow("binary:logistic")


@pytest.fixture(scope="session")
def multi(grow: Callable[..., xgboost.Booster]) -> xgboost.Booster:
    """Give a booster of three classes."""
    return grow("multi:softprob")


@pytest.fixture(scope="session")
def edit_trees() -> Callable[..., xgboost.Booster]:
    """Give the function that changes a copy of a booster's trees."""
    return with_edited_trees
