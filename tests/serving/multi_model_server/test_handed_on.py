"""Workers that Java starts get what the first process made ready, by files."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
import xgboost

from churn_daal.serving.loading import provide
from churn_daal.serving.multi_model_server.handed_on import hand_on, handed_on

from ..hooks.test_packages import lay_wheel


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a folder that of temporary files, as the server does."""
    own = tmp_path / "own"
    own.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(own))
    return own


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

    hand_on(made)

    assert handed_on() == made
    assert made.model is not None
    assert [member.onedal is not None for member in made.model.members] == [True] * (1 + ensemble)


def test_code_finds_its_packages_in_another_process(tmp_path: Path, folder: Path) -> None:
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

    hand_on(made)

    assert made.packages is not None
    assert made.packages.parent == folder
    assert _said_by_a_worker(code.parent, folder) == "loaded from the wheel"


def _said_by_a_worker(model: Path, folder: Path) -> str:
    program = (
        "import sys, tempfile; from pathlib import Path;"
        "from churn_daal.serving.loading import load_service;"
        "from churn_daal.serving.multi_model_server.handed_on import handed_on;"
        "from churn_daal.serving.request import Request;"
        "tempfile.tempdir = sys.argv[2];"
        "service = load_service(Path(sys.argv[1]), threads=1, provision=handed_on());"
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
