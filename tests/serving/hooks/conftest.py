"""Model folders with inference code, and clients of them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import xgboost
from flask.testing import FlaskClient

from churn_daal.serving.app import create_app
from churn_daal.serving.loading import load_service
from churn_daal.settings import ServeSettings

X = np.random.default_rng(5).normal(size=(300, 3)).astype(np.float32)
BOOSTER = xgboost.train(
    {"objective": "binary:logistic", "max_depth": 3},
    xgboost.DMatrix(X, X[:, 0] > 0.3, feature_names=["a", "b", "c"]),
    5,
)
Lay = Callable[..., Path]
Serve = Callable[..., FlaskClient]


@pytest.fixture(autouse=True)
def _python_as_it_was() -> Iterator[None]:
    """Forget what a test imported, and from where."""
    path, modules = list(sys.path), set(sys.modules)
    yield
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        if getattr(sys.modules[name], "__file__", None) and "pytest-" in str(
            sys.modules[name].__file__
        ):
            del sys.modules[name]


@pytest.fixture
def lay(tmp_path: Path) -> Lay:
    """Return the function that lays a stock model with files in its folder `code`."""

    def lay_files(code: str | None = None, *, booster: bool = True, **files: str) -> Path:
        folder = tmp_path / "a model"
        (folder / "code").mkdir(parents=True)
        if booster:
            (folder / "xgboost-model").write_bytes(BOOSTER.save_raw("ubj"))
        if code is not None:
            (folder / "code" / "inference.py").write_text(code)
        for name, text in files.items():
            (folder / "code" / f"{name}.py").write_text(text)
        return folder

    return lay_files


@pytest.fixture
def serve(lay: Lay) -> Serve:
    """Return the function that lays a model with code and gives a client of it."""

    def client(code: str, **options: object) -> FlaskClient:
        folder = lay(code, **options)
        return create_app(load_service(folder, threads=1), ServeSettings(folder)).test_client()

    return client
