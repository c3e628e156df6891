"""The package's face is light, and so is a server on oneDAL."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import xgboost

from churn_daal.engine import build, engine_versions

SERVE = """
import sys, numpy as np
import churn_daal.engine as engines
heavy = {"daal4py", "daal4py._daal4py", "sklearn", "scipy", "xgboost", "pandas", "pyarrow"}
assert not heavy & set(sys.modules), "import"
data, rows = open(sys.argv[1], "rb").read(), np.load(sys.argv[2])
engine = engines.load_onedal(
    data, objective=sys.argv[3], n_features=rows.shape[1], n_classes=int(sys.argv[4])
)
np.save(sys.argv[5], engine.predict(rows))
versions = engines.engine_versions()
assert not (heavy - {"daal4py._daal4py"}) & set(sys.modules), "serving"
"""


def test_serving_stays_light(
    logistic: xgboost.Booster, multi: xgboost.Booster, rows: np.ndarray, tmp_path: Path
) -> None:
    """Another process loads the bytes and predicts without scikit-learn, scipy or xgboost."""
    for booster, name, classes in ((logistic, "binary:logistic", 2), (multi, "multi:softprob", 3)):
        built = build(booster, rows, seed=0)
        assert built.onedal is not None
        model, matrix, answers = (tmp_path / part for part in ("model", "rows.npy", "out.npy"))
        model.write_bytes(built.onedal)
        np.save(matrix, rows)
        command = [sys.executable, "-c", SERVE, model, matrix, name, str(classes), answers]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == 0, done.stderr
        expected = booster.predict(xgboost.DMatrix(rows))
        np.testing.assert_allclose(np.load(answers), expected, atol=1e-6)


def test_engine_versions() -> None:
    """The versions name the xgboost in use without importing it."""
    versions = engine_versions()
    assert versions["xgboost"] == xgboost.__version__
    assert versions["onedal"].isdigit()
    assert versions["scikit-learn-intelex"].count(".") == 2
