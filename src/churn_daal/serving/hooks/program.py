"""Where the user's inference code is: found and read by the first process, but not run there."""

from __future__ import annotations

import ast
import sys
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Final

from churn_daal.errors import UserError
from churn_daal.settings import BASE_DIR

CODE_FOLDER: Final = "code"
# Vendored packages, as sagemaker-inference looks for them.
LIBRARIES: Final = "lib"
DEFAULT_PROGRAM: Final = "inference.py"
_LISTED: Final = 8


@dataclass(frozen=True)
class Program:
    """A file of inference code.

    Attributes
    ----------
    path
        The file, or the `__init__.py` of a package.
    folder
        Its top folder, from which it imports.
    search
        Folders in front of Python's own: of the code, of what it vendors, of what was installed.
    loads_model
        Whether it has a `model_fn`, so that ours has not to be ready.
    """

    path: Path
    folder: Path
    search: tuple[Path, ...]
    loads_model: bool

    @property
    def name(self) -> str:
        """The name of its module."""
        return self.path.parent.name if self.path.name == "__init__.py" else self.path.stem


def find_program(
    model_dir: Path, *, program: str = "", submit_directory: str = ""
) -> Program | None:
    """Find the user's inference code.

    Parameters
    ----------
    model_dir
        Its folder `code` is where code is looked for, unless `submit_directory` names another.
    program
        A file or module in that folder (`SAGEMAKER_PROGRAM`); "" for `inference.py`, which need
        not be there.
    submit_directory
        A folder (`SAGEMAKER_SUBMIT_DIRECTORY`), also as a `file://` address; a path under
        `/opt/ml` follows `SAGEMAKER_BASE_DIR`. "" for none.

    Raises
    ------
    UserError
        The folder or the file named is not there, or it is no Python.
    """
    folder = _folder(model_dir, submit_directory)
    path = _file_in(folder, program or DEFAULT_PROGRAM)
    if path is None:
        if not (program or submit_directory):
            return None
        raise _not_there(folder, program, submit_directory)
    search = tuple(place for place in (folder, folder / LIBRARIES) if place.is_dir())
    return Program(path, folder, search, loads_model="model_fn" in _top_names(path))


def _folder(model_dir: Path, submit_directory: str) -> Path:
    if not submit_directory:
        return model_dir / CODE_FOLDER
    name = submit_directory.removeprefix("file://")
    if "://" in name:
        raise UserError(
            f"SAGEMAKER_SUBMIT_DIRECTORY is {submit_directory!r}, and the server makes no "
            "connection; pack the code into the folder 'code' of model.tar.gz and unset the "
            "variable, as the SDK does for models that it repacks"
        )
    path = Path(name)
    if path.is_relative_to(BASE_DIR) and not path.exists():
        # The model folder is `model` under the prefix.
        path = model_dir.parent / path.relative_to(BASE_DIR)
    if not path.is_dir():
        came = "is a file" if path.is_file() else "is not there"
        raise UserError(
            f"SAGEMAKER_SUBMIT_DIRECTORY is {submit_directory!r}, and {path} {came}; expected a "
            "folder with the code. Unset the variable to use the model's folder 'code'"
        )
    return path


def _file_in(folder: Path, program: str) -> Path | None:
    stem = program.removesuffix(".py")
    places = (folder / f"{stem}.py", folder / stem.replace(".", "/") / "__init__.py")
    return next((place for place in places if place.is_file()), None)


def _not_there(folder: Path, program: str, submit_directory: str) -> UserError:
    held = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    near = get_close_matches(program or DEFAULT_PROGRAM, held, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    named = f"SAGEMAKER_PROGRAM is {program!r}" if program else "SAGEMAKER_PROGRAM is not set"
    if submit_directory:
        named += f", SAGEMAKER_SUBMIT_DIRECTORY {submit_directory!r}"
    return UserError(
        f"{named}, but {folder} holds no {program or DEFAULT_PROGRAM} (it holds: "
        f"{', '.join(held[:_LISTED]) or 'nothing'}).{hint} Name a file of that folder, or unset "
        "the variable to serve the model without code of your own"
    )


def _top_names(path: Path) -> set[str]:
    """Return what a module binds at its top, read without running it."""
    try:
        tree = ast.parse(path.read_bytes(), filename=path.name)
    except (SyntaxError, ValueError) as error:
        line = f", line {error.lineno}" if isinstance(error, SyntaxError) else ""
        raise UserError(
            f"{path}{line}: {error.args[0]}; this is Python "
            f"{sys.version_info.major}.{sys.version_info.minor}, mend the code"
        ) from None
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.ImportFrom | ast.Import):
            found |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
    return found
