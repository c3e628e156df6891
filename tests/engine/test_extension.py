"""daal4py's native module loads alone, and gets on with the package around it."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from churn_daal.engine.extension import extension, run_version, set_threads


def run(code: str, *args: str) -> str:
    """Run code in a fresh interpreter, which must succeed."""
    done = subprocess.run(
        [sys.executable, "-c", code, *args],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_loads_without_the_package() -> None:
    """Loading the native module brings in neither daal4py's package, scikit-learn nor scipy."""
    code = """
import sys
from churn_daal.engine.extension import extension
module = extension()
assert module.gbt_regression_model and module is extension()
heavy = {"daal4py", "sklearn", "scipy", "xgboost"} & set(sys.modules)
assert not heavy, heavy
"""
    run(code)


def test_the_package_may_follow() -> None:
    """`import daal4py` after the lone load finds the same classes, and its converter works."""
    code = """
import numpy as np, xgboost
from churn_daal.engine.extension import extension
module = extension()
from churn_daal.engine import convert
X = np.arange(40, dtype=np.float32).reshape(20, 2)
booster = xgboost.train({"objective": "reg:squarederror"}, xgboost.DMatrix(X, X[:, 0]), 3)
engine = convert(booster)
import daal4py
assert daal4py.gbt_regression_model is module.gbt_regression_model
assert isinstance(engine._model, module.gbt_regression_model)
assert np.allclose(engine.predict(X), booster.inplace_predict(X), atol=1e-4)
"""
    run(code)


def test_the_package_may_come_first() -> None:
    """A process that has imported daal4py already gets that module, not a second one."""
    code = """
import daal4py
from churn_daal.engine.extension import extension
assert extension().gbt_regression_model is daal4py.gbt_regression_model
"""
    run(code)


def test_falls_back_to_the_ordinary_import() -> None:
    """Where the native module is not beside the package, the ordinary import serves."""
    code = """
import sys
from churn_daal.engine import extension as loader
loader.EXTENSION_SUFFIXES = [".nowhere"]
module = loader.extension()
assert module is sys.modules["daal4py._daal4py"] and "daal4py" in sys.modules
assert module.gbt_regression_model()
"""
    run(code)


def test_many_threads_load_it_once() -> None:
    """Threads that load at the same time get one module."""
    code = """
import threading
from concurrent.futures import ThreadPoolExecutor
from churn_daal.engine.extension import extension
start = threading.Barrier(8)
def load(_):
    start.wait()
    return extension()
with ThreadPoolExecutor(8) as pool:
    assert len(set(map(id, pool.map(load, range(8))))) == 1
"""
    run(code)


def test_run_version_is_a_number() -> None:
    """The version is the bare run-time number, as the manifest compares it."""
    assert run_version().isdigit()


def test_set_threads() -> None:
    """The thread count reaches oneDAL, and may be set from another thread."""
    before = extension().num_threads()
    try:
        set_threads(1)
        assert extension().num_threads() == 1
        with ThreadPoolExecutor(1) as pool:
            pool.submit(set_threads, 2).result()
        assert extension().num_threads() == 2
    finally:
        set_threads(before)


@pytest.mark.parametrize("n", [0, -1])
def test_set_threads_refuses_none(n: int) -> None:
    """No threads is a mistake, not a default."""
    with pytest.raises(ValueError, match=f"must be 1 or more, got {n}"):
        set_threads(n)
