"""Small real jobs that many tests start from."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

from churn_daal import training
from churn_daal.contract.paths import SageMakerPaths
from churn_daal.contract.signals import StopSignal
from churn_daal.data import churn_csv

# No test is about time, and the machine may be busy.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

LayJob = Callable[..., SageMakerPaths]


def lay_job(base: Path, text: str | None = None, **hyperparameters: object) -> SageMakerPaths:
    """Lay the files of a job with one CSV in its train channel, as SageMaker does."""
    paths = SageMakerPaths(base)
    for folder in (paths.config, paths.channel("train"), paths.model, paths.output_data):
        folder.mkdir(parents=True, exist_ok=True)
    strings = {name: str(value) for name, value in hyperparameters.items()}
    paths.hyperparameters.write_text(json.dumps(strings))
    if text is not None:
        (paths.channel("train") / "train.csv").write_text(text, encoding="utf-8")
    return paths


@pytest.fixture(name="lay_job", scope="session")
def _lay_job() -> LayJob:
    return lay_job


@pytest.fixture(scope="session")
def churn_head() -> str:
    """Return the churn data's header and first 1,200 rows: text, yes/no and number columns."""
    return "".join(churn_csv().read_text().splitlines(keepends=True)[:1201])


@pytest.fixture(scope="session")
def churn_model(tmp_path_factory: pytest.TempPathFactory, churn_head: str) -> Path:
    """Return a model folder trained on those rows."""
    return train(
        tmp_path_factory.mktemp("churn"), churn_head, label="Churn?", num_round=20, max_depth=3
    )


@pytest.fixture(scope="session")
def train_model() -> Callable[..., Path]:
    """Return the function that trains a model and gives its folder."""
    return train


def train(base: Path, text: str, **hyperparameters: object) -> Path:
    """Run one job in this process."""
    paths = lay_job(base, text, **hyperparameters)
    training.run(paths, StopSignal())
    return paths.model
