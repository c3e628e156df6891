"""What is made ready once follows the settings, in every server."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import xgboost

from churn_daal.serving.loading import provide_by
from churn_daal.settings import ServeSettings


def test_the_ensembles_setting_is_heeded(tmp_path: Path) -> None:
    """Two boosters answer together, or the first alone."""
    X = np.arange(40, dtype=np.float32).reshape(20, 2)
    booster = xgboost.train({}, xgboost.DMatrix(X, X[:, 0]), 2)
    for number in range(2):
        booster.save_model(tmp_path / f"xgboost-model-{number}.ubj")

    counts = []
    for ensemble in (True, False):
        model = provide_by(ServeSettings(tmp_path, ensemble=ensemble), tmp_path).model
        assert model is not None
        counts.append(len(model.members))

    assert counts == [2, 1]
