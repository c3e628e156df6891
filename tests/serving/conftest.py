"""A loaded model and a client of its app, without a socket."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from churn_daal import artifact
from churn_daal.artifact import Model
from churn_daal.serving.app import create_app
from churn_daal.serving.invocation import ModelService
from churn_daal.settings import ServeSettings

LIMIT = 20_000


@pytest.fixture(scope="session")
def churn(churn_model: Path) -> Model:
    """Return the churn model, loaded."""
    return artifact.load(churn_model)


@pytest.fixture
def client(churn: Model) -> FlaskClient:
    """Return a client of an app with a small body limit."""
    settings = ServeSettings(model_dir=Path("unused"), max_content_length=LIMIT)
    return create_app(ModelService(churn), settings).test_client()


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory, train_model: Callable[..., Path]) -> Model:
    """Return a model of a number, a category and a yes-or-no column, header and all."""
    text = "y,n,c,b\n" + "".join(
        f"{'stay' if k % 3 else 'go'},{k % 5},{'uvw'[k % 3]},{'yes' if k % 2 else 'no'}\n"
        for k in range(60)
    )
    return artifact.load(train_model(tmp_path_factory.mktemp("small"), text, num_round=4))
