"""The functions of a user's inference code: imported, checked, and called as they ask to be."""

from __future__ import annotations

import hashlib
import importlib.util
import inspect
import logging
import sys
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from churn_daal.errors import UserError
from churn_daal.serving.hooks import modules
from churn_daal.serving.hooks.context import Context
from churn_daal.serving.hooks.program import Program

log = logging.getLogger(__name__)
# What each is called with, before the optional context; as sagemaker-inference has it.
ARGUMENTS: Final[Mapping[str, tuple[str, ...]]] = {
    "pre_model_fn": ("model_dir",),
    "model_fn": ("model_dir",),
    "model_warmup_fn": ("model_dir", "model"),
    "input_fn": ("body", "content_type"),
    "predict_fn": ("data", "model"),
    "output_fn": ("prediction", "accept"),
    "transform_fn": ("model", "data", "content_type", "accept"),
}
_POSITIONAL: Final = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


@dataclass(frozen=True)
class Hook:
    """One of the user's functions.

    Attributes
    ----------
    function
        The function.
    context
        How it takes the context: as one more argument, by name, or not at all.
    """

    function: Callable[..., Any]
    context: str | None

    def __call__(self, context: Context, *arguments: object) -> Any:  # noqa: ANN401 - the user's
        """Call it."""
        if self.context == "position":
            return self.function(*arguments, context)
        if self.context == "name":
            return self.function(*arguments, context=context)
        return self.function(*arguments)


def load_functions(program: Program) -> dict[str, Hook]:
    """Import inference code and take its functions; `modules.leave` is due in the end.

    Raises
    ------
    UserError
        It cannot be imported, a package of it is not that of an earlier model, a function takes
        other arguments, or `transform_fn` stands beside one of the three it replaces. The file and
        line are named.
    """
    with modules.IMPORTING:
        modules.enter(program)
        module = _imported(program)
    hooks = {
        name: _hook(program, name, getattr(module, name))
        for name in ARGUMENTS
        if hasattr(module, name)
    }
    beside = [name for name in ("input_fn", "predict_fn", "output_fn") if name in hooks]
    if "transform_fn" in hooks and beside:
        raise UserError(
            f"{program.path} has transform_fn and {', '.join(beside)}; transform_fn does the work "
            "of all three, so keep one or the other"
        )
    if not hooks:
        log.warning("%s has none of %s: %s", program.path, ", ".join(ARGUMENTS), _near(module))
    return hooks


def failure(program: Program, what: str, error: BaseException) -> UserError:
    """Return the one line on a fault of the user's code while the server starts."""
    log.error("%s", "".join(traceback.format_exception(error)).rstrip())
    return UserError(f"{what} failed: {type(error).__name__}: {error}{_place(program, error)}")


def _imported(program: Program) -> ModuleType:
    name = program.name
    if getattr(sys.modules.get(name), "__file__", str(program.path)) != str(program.path):
        # Several models' code in one process: each is itself, whatever it is called.
        name = f"{name}_{hashlib.sha256(str(program.path).encode()).hexdigest()[:12]}"
    spec = importlib.util.spec_from_file_location(name, program.path)
    if spec is None or spec.loader is None:
        raise UserError(f"{program.path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        what = f"the import of {program.path}"
        raise failure(program, what, error) from error
    return module


def _hook(program: Program, name: str, function: object) -> Hook:
    wanted = ARGUMENTS[name]
    call = f"{name}({', '.join(wanted)})"
    if not callable(function):
        raise UserError(f"{program.path}: {name} is {function!r:.60}; expected a function {call}")
    if inspect.iscoroutinefunction(function):
        raise UserError(f"{program.path}: {name} is async; expected a plain function {call}")
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return Hook(function, None)  # a builtin tells nothing of its arguments
    parameters = signature.parameters.values()
    if sum(parameter.kind in _POSITIONAL for parameter in parameters) == len(wanted) + 1:
        return Hook(function, "position")
    named = any(p.name == "context" and p.kind is p.KEYWORD_ONLY for p in parameters)
    try:
        signature.bind(*wanted, **({"context": None} if named else {}))
    except TypeError:
        raise UserError(
            f"{program.path}: {name} is defined as {name}{signature}; it is called as {call}, with "
            "one more argument, context, if it has room for that. Give it these arguments"
        ) from None
    return Hook(function, "name" if named else None)


def _near(module: ModuleType) -> str:
    found = [name for name, value in vars(module).items() if inspect.isfunction(value)]
    for name in ARGUMENTS:
        near = get_close_matches(name, found, n=1, cutoff=0.75)
        if near:
            return f"is {near[0]} meant to be {name}?"
    return "the model is served as without it"


def _place(program: Program, error: BaseException) -> str:
    """Return where in the user's code it came from."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [f for f in frames if Path(f.filename).is_relative_to(program.folder)]
    if not own:
        return ""
    file = Path(own[-1].filename).relative_to(program.folder)
    return f" ({file}, line {own[-1].lineno})"
