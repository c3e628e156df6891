"""Inference code is found where SageMaker and the SDK put it, and nowhere else."""

from __future__ import annotations

from pathlib import Path

import pytest

from churn_daal.errors import UserError
from churn_daal.serving.hooks.program import find_program

CODE = "def model_fn(model_dir): return 1\n"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """Return a model folder with code in it."""
    folder = tmp_path / "model"
    (folder / "code" / "pack").mkdir(parents=True)
    (folder / "code" / "inference.py").write_text(CODE)
    (folder / "code" / "score.py").write_text("def predict_fn(data, model): return data\n")
    (folder / "code" / "pack" / "__init__.py").write_text("from score import model_fn\n")
    return folder


@pytest.mark.parametrize(
    ("program", "file", "loads"),
    [
        ("", "inference.py", True),
        ("inference.py", "inference.py", True),
        ("score.py", "score.py", False),
        ("score", "score.py", False),
        ("pack", "pack/__init__.py", True),
    ],
)
def test_a_file_or_a_module(model: Path, program: str, file: str, loads: bool) -> None:
    """inference.py unless SAGEMAKER_PROGRAM says otherwise; whether it loads the model is read."""
    found = find_program(model, program=program)

    assert found is not None
    assert found.path == model / "code" / file
    assert found.loads_model is loads
    assert found.search[0] == model / "code"


def test_no_code_is_none(tmp_path: Path) -> None:
    """A folder code with other files is nobody's wish for hooks."""
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "train.py").touch()

    assert find_program(tmp_path) is None
    assert find_program(tmp_path / "absent") is None


@pytest.mark.parametrize("form", ["{}", "file://{}"])
def test_a_folder_elsewhere(model: Path, tmp_path: Path, form: str) -> None:
    """SAGEMAKER_SUBMIT_DIRECTORY, as the SDK's local mode gives it."""
    elsewhere = (model / "code").rename(tmp_path / "my code")

    found = find_program(model, submit_directory=form.format(elsewhere))

    assert found is not None
    assert found.path == elsewhere / "inference.py"


def test_a_path_under_opt_ml_follows_the_prefix(model: Path) -> None:
    """What the SDK sets for models that it repacks holds in any folder."""
    found = find_program(model, program="score.py", submit_directory="/opt/ml/model/code")

    assert found is not None
    assert found.path == model / "code" / "score.py"


@pytest.mark.parametrize(
    ("program", "directory", "message"),
    [
        ("inferense.py", "", r"holds no inferense.py \(it holds: .*Did you mean 'inference.py'\?"),
        ("score.py", "s3://bucket/sourcedir.tar.gz", "makes no connection; pack the code into"),
        ("", "/not/there", "is not there; expected a folder"),
        ("", "{model}/code/score.py", "is a file; expected a folder"),
        ("", "{model}", "holds no inference.py"),
    ],
)
def test_what_is_named_and_not_there(
    model: Path, program: str, directory: str, message: str
) -> None:
    """Each is refused with the remedy, rather than served without the code."""
    with pytest.raises(UserError, match=message):
        find_program(model, program=program, submit_directory=directory.format(model=model))
