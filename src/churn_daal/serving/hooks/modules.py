"""Whose module is whose, where one process has the inference code of several models.

Python has one table of modules and one list of folders for a whole process. So a model's modules
are taken out of the table when another model's code comes: it keeps those it has imported, and the
next imports its own, whatever they are called. Compiled packages cannot be imported twice: a folder
of packages that has any stays in the table, and a model that brings another version of one of its
packages is refused.
"""

from __future__ import annotations

import hashlib
import importlib
import sys
import threading
from collections import Counter
from collections.abc import Container
from pathlib import Path
from typing import Final

from churn_daal.errors import UserError
from churn_daal.serving.hooks.program import Program

# Held while code is imported: what one model imports, another must not take out meanwhile.
IMPORTING: Final = threading.Lock()
# The interpreter's own tables are this process's memory too. How many models search each folder:
_users: Final[Counter[str]] = Counter()
# Of each folder with compiled packages the digest of every package.
_staying: Final[dict[str, dict[str, str]]] = {}


def enter(program: Program) -> None:
    """Let a model's code import its own modules; `leave` is due in the end, even after a failure.

    The caller holds `IMPORTING` until the code is imported.

    Raises
    ------
    UserError
        The model has another version of a package that this process has beside compiled ones.
    """
    folders = [str(folder) for folder in program.search]
    _users.update(folders)
    for folder in program.search:
        _refuse_second(folder)
    for folder in program.search:
        # What lies beside the code is its own, compiled or not.
        if folder != program.folder and is_compiled(folder):
            _staying[str(folder)] = digests(folder)
    _take_out(_users.keys() - _staying.keys())
    for name in reversed(folders):
        if name in sys.path:
            sys.path.remove(name)
        sys.path.insert(0, name)
    # A folder's files may have changed since it was last looked into.
    importlib.invalidate_caches()


def leave(program: Program) -> None:
    """Forget a model's modules and folders, but for those that other models have too."""
    folders = {str(folder) for folder in program.search}
    with IMPORTING:
        unused = {folder for folder in folders if _users[folder] <= 1}
        _take_out(unused - _staying.keys())
        for folder in unused:
            if folder in sys.path:
                sys.path.remove(folder)
        for name in list(sys.path_importer_cache):
            if _owner(name) in unused:
                sys.path_importer_cache.pop(name, None)
        _users.subtract(folders)
        for folder in unused:
            del _users[folder]


def is_compiled(folder: Path) -> bool:
    """Tell whether a folder of packages has any that Python cannot import twice."""
    return any(folder.rglob("*.so"))


def digests(folder: Path) -> dict[str, str]:
    """Return a digest of each package or module of a folder, by its name in an import."""
    return {name: _digest(paths) for name, paths in _tops(folder).items()}


def _tops(folder: Path) -> dict[str, list[Path]]:
    tops: dict[str, list[Path]] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix != ".dist-info" and path.name != "__pycache__":
            tops.setdefault(path.name.partition(".")[0], []).append(path)
    return tops


def _digest(paths: list[Path]) -> str:
    digest = hashlib.sha256()
    for top in paths:
        for path in [top] if top.is_file() else sorted(top.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                content = hashlib.sha256(path.read_bytes()).digest()
                digest.update(str(path.relative_to(top.parent)).encode() + b"\0" + content)
    return digest.hexdigest()


def _refuse_second(folder: Path) -> None:
    for name, paths in _tops(folder).items():
        file = getattr(sys.modules.get(name), "__file__", None)
        home = _owner(file) if file else None
        if home in _staying and _staying[home].get(name) != _digest(paths):
            raise UserError(
                f"{folder / name}: an earlier model has brought another {name} to this server, "
                f"with compiled packages ({home}), which a process keeps until it ends. Give all "
                "models one version of it, or serve this model by a server of its own"
            )


def _take_out(folders: Container[str]) -> None:
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if file and _owner(file) in folders:
            sys.modules.pop(name, None)


def _owner(file: str) -> str | None:
    """Return the innermost folder that a module comes from: `lib` lies in the code's folder."""
    while file:
        if file in _users or file in _staying:
            return file
        file = file.rpartition("/")[0]
    return None
