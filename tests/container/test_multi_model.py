"""`docker run --env SAGEMAKER_MULTI_MODEL=true IMAGE serve`, models mounted read-only."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import xgboost

import churn_daal
from churn_daal import artifact

from .conftest import Start, Train
from .drive import AS_CALLER, Container, lay_opt_ml, mount, poll, started
from .multi_model_cases import CASES, ROW, Endpoint, case_name, fresh, lay_models, loaded

pytestmark = pytest.mark.container
MODELS = "/opt/ml/models"
MODE = ("--publish", "127.0.0.1::8080", "--env", "SAGEMAKER_MULTI_MODEL=true")


def serve_options(models: Path, *options: str) -> tuple[str, ...]:
    """Return the options of a server over a folder of models, on a read-only root."""
    return (
        *(*AS_CALLER, *MODE, *mount(models, MODELS, readonly=True)),
        *("--read-only", "--tmpfs", "/tmp", *options),  # noqa: S108 - the container's own
    )


def endpoint(container: Container, scores: dict[str, float]) -> Endpoint:
    """Wait for a server and return its address."""
    poll(container.answers_ping, "an answer to /ping", container.logs)
    return Endpoint(f"http://127.0.0.1:{container.port()}", MODELS, scores)


def score(model: Path) -> float:
    """Return what stock XGBoost makes of the cases' row."""
    cells = [[cell] for cell in ROW.decode().strip().split(",")]
    booster = xgboost.Booster(model_file=bytearray((model / "xgboost-model").read_bytes()))
    matrix = artifact.load(model).encoder.from_text(cells)
    return float(booster.predict(xgboost.DMatrix(matrix))[0])


@pytest.fixture(scope="module")
def models(
    model: Path, second_model: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, float]]:
    """Return a folder of models as the platform lays it, and what they answer."""
    scores = {"first": score(model), "second": score(second_model)}
    return lay_models(tmp_path_factory.mktemp("models"), model, second_model), scores


@pytest.fixture(scope="module")
def server(image: str, models: tuple[Path, dict[str, float]]) -> Iterator[Endpoint]:
    """Run one server of several workers for all cases."""
    folder, scores = models
    options = serve_options(folder, "--env", "SAGEMAKER_MODEL_SERVER_WORKERS=3")
    with started(image, "serve", options) as container:
        yield endpoint(container, scores)


@pytest.mark.parametrize("case", CASES, ids=case_name)
def test_case(server: Endpoint, case: Callable[[Endpoint], None]) -> None:
    """Each is a claim in multi_model_cases.py."""
    case(server)


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of one model of some megabytes, saved by the toolkit from a booster."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(20_000, 10))
    y = (rng.random(20_000) < 0.5).astype(int)
    settings = {"objective": "binary:logistic", "max_depth": 9, "min_child_weight": 0.1}
    booster = xgboost.train(settings, xgboost.DMatrix(X, y), 150)
    base = tmp_path_factory.mktemp("wide")
    churn_daal.save(booster, base / "wide" / "model")
    return base


def test_a_full_memory_is_507_and_evicting_makes_room(start: Start, wide: Path) -> None:
    """What SageMaker does: it loads until 507, unloads another model, and tries again.

    Nobody is killed for memory, and what is loaded answers all the while.
    """
    size = sum(path.stat().st_size for path in wide.rglob("*") if path.is_file())
    limit = ("--memory", "420m", "--memory-swap", "420m")
    workers = ("--env", "SAGEMAKER_MODEL_SERVER_WORKERS=2")
    container = start("serve", *serve_options(wide, *limit, *workers))
    server = endpoint(container, {})
    row = b",".join([b"0.5"] * 10) + b"\n"
    names: list[str] = []
    while (reply := server.load(name := fresh(), "wide")).status == 200:
        names.append(name)
        assert len(names) < 420 * 2**20 / size

    assert reply.status == 507, reply.body
    assert b"there is no memory for model" in reply.body
    assert len(names) >= 3
    for _ in range(3):
        assert server.load(name, "wide").status == 507
        assert server.invoke(name, row).status == 404
        assert {server.invoke(there, row).status for there in names} == {200}
    for there in names[:2]:
        assert server.unload(there).status == 200
    assert server.load(name, "wide").status == 200
    assert {server.invoke(there, row).status for there in [*names[2:], name] * 4} == {200}
    assert container.running()
    assert "SIGKILL" not in container.logs()


def test_a_model_that_only_xgboost_can_serve_is_loaded_beside_the_others(
    server: Endpoint, start: Start, train: Train, tmp_path: Path
) -> None:
    """Its library is loaded with the first such model, not with the server."""
    assert server.ask("GET", "/ping").status == 200
    opt_ml = lay_opt_ml(tmp_path / "ml", objective="multi:softprob", num_class="2", num_round="5")
    done = train(opt_ml)
    assert done.returncode == 0, done.stderr
    assert artifact.audit(opt_ml / "model").engine.name == "xgboost"
    shutil.copytree(opt_ml / "model", tmp_path / "models" / "two" / "model")
    started_ = start("serve", *serve_options(tmp_path / "models"))
    own = endpoint(started_, {})

    with loaded(own, "two") as name:
        for _ in range(10):
            assert own.invoke(name).status == 200
