"""The arrows between modules point one way, and imports stay light."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import churn_daal

ROOT = Path(churn_daal.__file__).parent
# What each part of the package may import of the package.
MAY_IMPORT = {
    "errors": set(),
    "data": set(),
    "settings": {"errors"},
    "contract": {"contract", "errors", "settings"},
    "tabular": {"tabular", "errors"},
    "engine": {"engine", "errors"},
    "artifact": {"artifact", "engine", "tabular", "errors"},
    "boosting": {"boosting", "contract", "errors", "settings"},
    "serving": {"serving", "artifact", "engine", "tabular", "errors", "settings"},
    "training": {
        *("artifact", "boosting", "contract", "engine", "tabular", "errors", "settings"),
    },
}


def imports(path: Path) -> set[str]:
    """Return every module a file imports, inside functions too."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


@pytest.mark.parametrize("path", sorted(ROOT.rglob("*.py")), ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_follow_the_arrows(path: Path) -> None:
    """Container -> training, serving -> artifact -> engine, tabular -> errors; never back."""
    part = path.relative_to(ROOT).parts[0].removesuffix(".py")
    if part == "__init__":
        assert not {name for name in imports(path) if not name.startswith("__future__")}
        return
    own = {name.split(".")[1] for name in imports(path) if name.startswith("churn_daal.")}

    assert own - {"__version__"} <= MAY_IMPORT[part]


@pytest.mark.parametrize(("module", "owner"), [("daal4py", "engine"), ("flask", "serving")])
def test_libraries_have_one_owner(module: str, owner: str) -> None:
    """Only engine imports daal4py, only serving imports Flask."""
    users = {
        path.relative_to(ROOT).parts[0]
        for path in ROOT.rglob("*.py")
        if any(name.split(".")[0] == module for name in imports(path))
    }

    assert users == {owner}


def reads_environment(path: Path) -> bool:
    """Tell whether a module uses os.environ or os.getenv, however it imports them."""
    nodes = list(ast.walk(ast.parse(path.read_text())))
    used = {
        f"{node.value.id}.{node.attr}"
        for node in nodes
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
    }
    return not {"os.environ", "os.getenv"}.isdisjoint(used | imports(path))


def test_only_settings_reads_the_environment() -> None:
    """No other module looks at os.environ or os.getenv."""
    readers = {path.name for path in ROOT.rglob("*.py") if reads_environment(path)}

    assert readers == {"settings.py"}


@pytest.mark.parametrize(
    ("statement", "absent"),
    [
        ("import churn_daal", ("numpy", "flask", "xgboost", "pyarrow")),
        (
            "import churn_daal.serving.server",
            (
                "xgboost",
                "sklearn",
                "scipy",
                "pyarrow",
                "churn_daal.boosting",
                "churn_daal.training",
            ),
        ),
    ],
)
def test_imports_stay_light(statement: str, absent: tuple[str, ...]) -> None:
    """The package costs nothing to import; the server loads no training library."""
    program = f"import sys; {statement}; print(*[m for m in {absent!r} if m in sys.modules])"
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert result.stdout.strip() == ""
