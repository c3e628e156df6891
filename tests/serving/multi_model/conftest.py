"""Models in folders, and a server of several workers that most tests share."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from churn_daal import artifact

from ...container.multi_model_cases import ROW, lay_models
from .drive import Running, running

WORKERS = 3


def score(model: Path) -> float:
    """Return what a model answers to the row of the cases, without any server."""
    loaded = artifact.load(model)
    cells = [[cell] for cell in ROW.decode().strip().split(",")]
    return float(loaded.predict(loaded.encoder.from_text(cells))[0])


@pytest.fixture(scope="session")
def folders(
    tmp_path_factory: pytest.TempPathFactory,
    churn_model: Path,
    churn_head: str,
    train_model: Callable[..., Path],
) -> tuple[Path, dict[str, float]]:
    """Return the folder of the cases' models, and what they answer."""
    base = tmp_path_factory.mktemp("models")
    second = train_model(
        tmp_path_factory.mktemp("second"), churn_head, label="Churn?", num_round=3, max_depth=2
    )
    scores = {"first": score(churn_model), "second": score(second)}
    return lay_models(base, churn_model, second), scores


@pytest.fixture
def temporary() -> Iterator[Path]:
    """Return a folder for temporary files; pytest's own have paths too long for sockets."""
    with tempfile.TemporaryDirectory(prefix="mm-") as name:
        yield Path(name)


@pytest.fixture(scope="module")
def server(folders: tuple[Path, dict[str, float]]) -> Iterator[Running]:
    """Run a server of several workers for the tests of a module."""
    with (
        tempfile.TemporaryDirectory(prefix="mm-") as name,
        running(Path(name), *folders, workers=WORKERS) as started,
    ):
        yield started
