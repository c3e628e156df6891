"""The one place where daal4py's native module is loaded.

`import daal4py` takes more than a second, as its `__init__` imports scikit-learn and scipy. Its
extension module alone has all that prediction needs and loads in hundredths of a second.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import threading
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from types import ModuleType

PACKAGE = "daal4py"
EXTENSION = "daal4py._daal4py"
_loading = threading.Lock()
# What the process was told last.
_threads: list[int] = []


def extension() -> ModuleType:
    """Return daal4py's extension module, without the package around it where that is possible.

    Raises
    ------
    ImportError
        daal4py (the scikit-learn-intelex package) is not installed or its libraries are missing.
    """
    with _loading:
        try:
            return sys.modules.get(EXTENSION) or _load_alone()
        except ImportError:
            return importlib.import_module(EXTENSION)


def _load_alone() -> ModuleType:
    package = importlib.util.find_spec(PACKAGE)
    folders = (package.submodule_search_locations if package else None) or []
    leaf = EXTENSION.rpartition(".")[2]
    for path in (Path(folder, leaf + end) for folder in folders for end in EXTENSION_SUFFIXES):
        # The dotted name would make Cython import the package first, which is what this avoids.
        spec = importlib.util.spec_from_file_location(leaf, path) if path.is_file() else None
        if spec is not None and spec.loader is not None:
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
            # So that a later `import daal4py` finds this module and does not load it twice.
            return sys.modules.setdefault(EXTENSION, module)
    raise ImportError(f"no extension module {EXTENSION} found in {folders}")


def run_version() -> str:
    """Return oneDAL's run-time version, such as `20260200`."""
    return str(extension()._get__daal_run_version__()).split("_", 1)[0]  # noqa: SLF001


def set_threads(n: int) -> None:
    """Set how many threads oneDAL may use for one call, for the whole process.

    Call it before predictions run in other threads, and after a fork rather than before it. The
    same number again does nothing, so that models can be loaded while others answer.

    Raises
    ------
    ValueError
        n is less than 1.
    """
    if n < 1:
        raise ValueError(f"threads must be 1 or more, got {n}")
    module = extension()
    with _loading:
        if _threads != [n]:
            module.daalinit(n)
            _threads[:] = [n]
