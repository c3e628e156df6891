"""What is wrong with inference code is told in one line, before anything is served."""

from __future__ import annotations

from pathlib import Path

import pytest

from churn_daal.errors import ArtifactError, UserError
from churn_daal.serving.loading import load_service
from churn_daal.serving.request import Request

from .conftest import Lay


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("def predict_fn(:\n", r"inference.py, line 1: .*this is Python 3"),
        ("\nimport not_there\n", r"ModuleNotFoundError: .*not_there.* \(inference.py, line 2\)"),
        ("import sys\nsys.exit(1)\n", r"SystemExit: 1 \(inference.py, line 2\)"),
        (
            "def predict_fn(data): pass\n",
            r"predict_fn\(data\); it is called as predict_fn\(",
        ),
        ("def input_fn(a, b, c, d): pass\n", r"called as input_fn\(body, content_type\)"),
        ("def transform_fn(model, *, x): pass\n", "Give it these arguments"),
        ("async def predict_fn(data, model): pass\n", "is async; expected a plain function"),
        ("predict_fn = 3\n", "predict_fn is 3; expected a function"),
        (
            "def transform_fn(a, b, c, d): pass\ndef output_fn(a, b): pass\n",
            "has transform_fn and output_fn; transform_fn does the work of all three",
        ),
        (
            "def model_fn(model_dir):\n    open(model_dir + '/absent')\n",
            r"model_fn of .* failed: FileNotFoundError: .*\(inference.py, line 2\)",
        ),
        (
            "def model_fn(model_dir): return 1\ndef input_fn(a, b): return a\n",
            "model_fn returned a int, which has no method predict; add a predict_fn",
        ),
    ],
)
def test_a_fault_is_named_with_its_place(lay: Lay, code: str, message: str) -> None:
    """File, line, what was expected."""
    with pytest.raises(UserError, match=message):
        load_service(lay(code), threads=1)


def test_nothing_to_decode_by(lay: Lay) -> None:
    """A model that tells no columns needs an input_fn."""
    folder = lay("def model_fn(d): return 1\ndef predict_fn(d, m): return d\n", booster=False)

    with pytest.raises(UserError, match=r"nothing tells its columns .*add an input_fn"):
        load_service(folder, threads=1)


def test_code_without_a_model(lay: Lay) -> None:
    """Without model_fn the folder has to have one of ours or of XGBoost's."""
    with pytest.raises(ArtifactError, match="no booster in UBJ or JSON"):
        load_service(lay("def predict_fn(d, m): return d\n", booster=False), threads=1)


def test_a_module_beside_it_is_found(lay: Lay) -> None:
    """And what is vendored in code/lib."""
    folder = lay("import mine, vendored\ndef model_fn(d): return mine.Model()\n", mine=MINE)
    (folder / "code" / "lib").mkdir()
    (folder / "code" / "lib" / "vendored.py").touch()

    assert load_service(folder, threads=1).ready()


MINE = "class Model:\n    def predict(self, data): return [1]\n"


def test_two_models_code_in_one_process(tmp_path: Path, lay: Lay) -> None:
    """Each answers by its own, though both files are called inference.py."""
    one = lay("def transform_fn(m, d, c, a): return 'one'\n")
    two = tmp_path / "two"
    one.rename(two)
    (two / "code" / "inference.py").write_text("def transform_fn(m, d, c, a): return 'two'\n")
    one = lay("def transform_fn(m, d, c, a): return 'one'\n")

    services = [load_service(folder, threads=1) for folder in (one, two, one)]

    assert [s.answer(REQUEST).body for s in services] == [b"one", b"two", b"one"]


REQUEST = Request(memoryview(b"1"))


def test_a_model_imports_its_own_modules(tmp_path: Path) -> None:
    """Two models of one process may name a module alike, and a new version has the old names."""

    def answer(name: str, factor: int) -> str:
        code = tmp_path / name / "code"
        code.mkdir(parents=True, exist_ok=True)
        (code / "factors.py").write_text(f"FACTOR = {factor}\n")
        (code / "inference.py").write_text(
            "from factors import FACTOR\n"
            "def model_fn(model_dir): return FACTOR\n"
            "def transform_fn(model, data, content_type, accept): return str(model)\n"
        )
        service = load_service(tmp_path / name, threads=1)
        return bytes(service.answer(Request(memoryview(b"1"))).body).decode()

    assert answer("one", 1) == "1"
    assert answer("two", 22) == "22"
    assert answer("one", 333) == "333"
