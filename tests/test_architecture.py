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
    "held_out": {"errors"},
    "settings": {"errors", "machine", "variables"},
    "variables": {"errors"},
    "pipeline_commands": set(),
    "commands": {"evaluation", "errors", "machine"},
    "wheelhouse": set(),
    "machine": set(),
    "contract": {"contract", "errors", "settings"},
    "tabular": {"tabular", "errors"},
    "engine": {"engine", "errors"},
    "artifact": {"artifact", "engine", "tabular", "errors"},
    "boosting": {"boosting", "contract", "errors", "machine", "settings"},
    "cluster": {"cluster", "contract", "errors"},
    "script_mode": {"script_mode", "contract", "errors", "settings", "wheelhouse"},
    "saving": {*("artifact", "boosting", "engine", "held_out", "tabular", "errors", "settings")},
    "serving": {
        *(
            "serving",
            "artifact",
            "engine",
            "tabular",
            "errors",
            "machine",
            "settings",
            "wheelhouse",
        ),
    },
    "monitoring": {"monitoring", "artifact", "report", "serving", "tabular", "errors"},
    "report": {"report", "engine", "tabular", "errors"},
    "partition": {"partition", "tabular", "errors"},
    "evaluation": {"evaluation", "artifact", "boosting", "report", "tabular", "errors"},
    "training": {
        *("training", "artifact", "boosting", "cluster", "contract", "engine", "report"),
        *("tabular", "errors", "machine", "settings"),
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
        # What it has to offer is loaded on first use.
        tops = [ast.unparse(node) for node in ast.parse(path.read_text()).body]
        loaded = [line.split()[1] for line in tops if line.startswith(("import ", "from "))]
        assert loaded == ["__future__", "typing"]
        return
    own = {name.split(".")[1] for name in imports(path) if name.startswith("churn_daal.")}

    assert own - {"__version__"} <= MAY_IMPORT[part]


@pytest.mark.parametrize(
    ("module", "owner"),
    [("daal4py", "engine"), ("flask", "serving"), ("sagemaker_training", "script_mode")],
)
def test_libraries_have_one_owner(module: str, owner: str) -> None:
    """Only engine imports daal4py, only serving Flask, only script mode AWS's toolkit."""
    users = {
        path.relative_to(ROOT).parts[0]
        for path in ROOT.rglob("*.py")
        if any(name.split(".")[0] == module for name in imports(path))
    }

    assert users == {owner}


def test_only_the_java_server_loads_what_its_image_alone_has() -> None:
    """sagemaker-inference is in the image of `--target mms`, and in no other."""
    users = {
        path.parent.name
        for path in ROOT.rglob("*.py")
        if any(name.split(".")[0] in {"sagemaker_inference", "mms"} for name in imports(path))
    }

    assert users == {"multi_model_server"}
    assert "multi_model_server" not in "".join(
        name for path in (ROOT / "serving").glob("*.py") for name in imports(path)
    )


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
        ("import churn_daal.script_mode", ("numpy", "xgboost", "sagemaker_training", "boto3")),
        ("import churn_daal.training", ("churn_daal.script_mode", "sagemaker_training", "boto3")),
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
    """The package costs nothing to import; nothing loads what only another part needs."""
    program = f"import sys; {statement}; print(*[m for m in {absent!r} if m in sys.modules])"
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert result.stdout.strip() == ""
