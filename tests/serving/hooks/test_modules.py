"""Several models' code in one process: each has its own modules, and leaves none behind."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from churn_daal.errors import UserError
from churn_daal.serving.loading import Provision, forget, load_service, provide
from churn_daal.serving.request import Request

from .test_packages import compiled_module, lay_wheel

REQUEST = Request(memoryview(b"1"))
CODE = """\
import told_apart
def model_fn(model_dir): return 1
def transform_fn(model, data, content_type, accept): return told_apart.WORD
"""
LayCode = Callable[..., Path]


@pytest.fixture
def lay_code(tmp_path: Path) -> LayCode:
    """Return the function that lays a model of code alone, with a wheel of some version."""

    def lay_files(name: str, version: str, code: str = CODE) -> Path:
        folder = tmp_path / name / "code"
        folder.mkdir(parents=True)
        (folder / "inference.py").write_text(code)
        (folder / "requirements.txt").write_text("told-apart\n")
        lay_wheel(folder / "wheelhouse", version=version, word=version)
        return tmp_path / name

    return lay_files


def lay_compiled(folder: Path, version: str) -> None:
    """Lay a package with a compiled module in a folder."""
    package = folder / "told_apart"
    package.mkdir(parents=True)
    shutil.copy(compiled_module(), package)
    (package / "__init__.py").write_text(f"from . import _speedups\nWORD = {version!r}\n")


def said(model_dir: Path, provision: Provision | None = None) -> str:
    """Return what a model's code answers."""
    service = load_service(model_dir, threads=1, provision=provision)
    return bytes(service.answer(REQUEST).body).decode()


def installed(model_dir: Path, place: Path) -> Provision:
    """Make a model ready, its packages in a folder that goes with the test."""
    return provide(model_dir, place=place)


def test_models_share_a_requirement(lay_code: LayCode, tmp_path: Path) -> None:
    """What was installed for an earlier model is not taken for a package of the server."""
    for name in ("one", "two"):
        folder = lay_code(name, "1.0")
        assert said(folder, installed(folder, tmp_path)) == "1.0"


def test_each_model_has_its_own_version(lay_code: LayCode, tmp_path: Path) -> None:
    """Of a package in Python; what a model has imported it keeps."""
    one, two = lay_code("one", "1.0"), lay_code("two", "2.0")
    first = load_service(one, threads=1, provision=installed(one, tmp_path))

    assert said(two, installed(two, tmp_path)) == "2.0"
    assert bytes(first.answer(REQUEST).body) == b"1.0"


def test_each_model_has_its_own_library_folder(lay_code: LayCode) -> None:
    """Packages in code/lib are a model's own as well."""
    for version in ("1.0", "2.0"):
        folder = lay_code(version, version)
        (folder / "code" / "requirements.txt").unlink()
        (folder / "code" / "lib").mkdir()
        (folder / "code" / "lib" / "told_apart.py").write_text(f"WORD = {version!r}\n")

        assert said(folder) == version


def test_compiled_packages_are_one_for_all(lay_code: LayCode) -> None:
    """Python cannot import them twice: the same is shared, another is refused."""
    for name, version in (("one", "1.0"), ("two", "1.0"), ("three", "2.0")):
        folder = lay_code(name, version)
        (folder / "code" / "requirements.txt").unlink()
        lay_compiled(folder / "code" / "lib", version)
    base = folder.parent

    assert said(base / "one") == "1.0"
    first = sys.modules["told_apart"]
    assert said(base / "two") == "1.0"
    assert said(base / "one") == "1.0"  # once more, as after an unload
    assert sys.modules["told_apart"] is first
    shutil.rmtree(base / "two")
    shutil.copytree(base / "three", base / "two")
    for name in ("three", "two"):
        with pytest.raises(UserError, match=r"another told_apart to this server.*Give all models"):
            load_service(base / name, threads=1)


def test_nothing_of_a_model_stays_in_the_process(lay_code: LayCode, tmp_path: Path) -> None:
    """Neither modules nor folders to search, after an unload as after a load that fails."""
    folder = lay_code("one", "1.0")
    provision = installed(folder, tmp_path)
    before = set(sys.modules), list(sys.path)

    service = load_service(folder, threads=1, provision=provision)
    assert {"inference", "told_apart"} <= sys.modules.keys()
    del service
    forget(provision)
    assert (set(sys.modules), list(sys.path)) == before

    (folder / "code" / "inference.py").write_text("import told_apart\nraise OSError\n")
    with pytest.raises(UserError):
        load_service(folder, threads=1, provision=provision)
    assert (set(sys.modules), list(sys.path)) == before
    assert not [name for name in sys.path_importer_cache if name.startswith(str(tmp_path))]


def test_a_folder_stays_as_long_as_a_model_has_it(lay_code: LayCode, tmp_path: Path) -> None:
    """One folder may be loaded under two names: what it imports late is still found."""
    code = CODE.replace("return told_apart.WORD", "import late; return late.WORD")
    folder = lay_code("one", "1.0", code)
    (folder / "code" / "late.py").write_text("WORD = 'late'\n")
    provision = installed(folder, tmp_path)
    services = [load_service(folder, threads=1, provision=provision) for _ in range(2)]

    forget(provision)
    assert bytes(services[1].answer(REQUEST).body) == b"late"
    forget(provision)
    assert str(folder / "code") not in sys.path
