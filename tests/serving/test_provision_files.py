"""Workers that inherit nothing get what the first process made ready, by files."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import xgboost

from churn_daal.serving.loading import provide
from churn_daal.serving.provision_files import read_provision, write_provision

from .hooks.test_packages import lay_wheel


def lay_boosters(model: Path) -> Path:
    """Lay two boosters of another toolkit, which are converted, and answer together."""
    X = np.arange(40, dtype=np.float32).reshape(20, 2)
    model.mkdir()
    for rounds in (2, 5):
        booster = xgboost.train({"max_depth": 2}, xgboost.DMatrix(X, X[:, 0]), rounds)
        booster.save_model(model / f"xgboost-model-{rounds}.ubj")
    return model


@pytest.mark.parametrize("ensemble", [True, False])
def test_a_model_from_elsewhere_is_converted_once(tmp_path: Path, ensemble: bool) -> None:
    """And the setting for several of them comes along."""
    made = provide(lay_boosters(tmp_path / "model"), ensemble=ensemble)

    write_provision(tmp_path, made)

    assert read_provision(tmp_path) == made
    assert made.model is not None
    assert [member.onedal is not None for member in made.model.members] == [True] * (1 + ensemble)


def test_code_finds_its_packages_in_another_process(tmp_path: Path) -> None:
    """It has a `model_fn`: nothing else in the model's folder is looked at."""
    code = tmp_path / "model" / "code"
    lay_wheel(code / "wheelhouse")
    (code / "requirements.txt").write_text("told-apart")
    (code / "inference.py").write_text(
        "import told_apart\n"
        "def model_fn(model_dir): return 'loaded'\n"
        "def transform_fn(model, data, kind, accept): return f'{model} {told_apart.WORD}'\n"
    )
    made = provide(code.parent)
    assert made.packages is not None
    try:
        write_provision(tmp_path, made)

        assert said_by_a_worker(code.parent, tmp_path) == "loaded from the wheel"
        assert read_provision(tmp_path) == made
    finally:
        shutil.rmtree(made.packages)


def said_by_a_worker(model: Path, folder: Path) -> str:
    """Have another process read the files, load the model and answer a request."""
    program = (
        "import sys; from pathlib import Path;"
        "from churn_daal.serving.loading import load_service;"
        "from churn_daal.serving.provision_files import read_provision;"
        "from churn_daal.serving.request import Request;"
        "model, folder = map(Path, sys.argv[1:]);"
        "service = load_service(model, threads=1, provision=read_provision(folder));"
        "print(bytes(service.answer(Request(memoryview(b''))).body).decode(), end='')"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(model), str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
