"""The first process of the image with Java: what it checks, and what it leaves behind."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ..hooks.test_packages import lay_wheel

SERVE = Path(__file__).parents[3] / "container" / "serve_multi_model_server"


@pytest.mark.parametrize(
    ("code", "said"),
    [
        # The user's function loads the model. So Java is next, of which there is none.
        ("def model_fn(model_dir): return 1\n", "multi-model-server or Java is missing"),
        ("", "model has no daal/manifest.json"),
    ],
)
def test_our_model_is_looked_at_unless_the_users_code_loads_one(
    tmp_path: Path, code: str, said: str
) -> None:
    """As in the default image; what was installed for the code goes with the server."""
    base, temporary = tmp_path / "ml", tmp_path / "tmp"
    temporary.mkdir()
    lay_wheel(base / "model" / "code" / "wheelhouse")
    (base / "model" / "code" / "requirements.txt").write_text("told-apart")
    (base / "model" / "code" / "inference.py").write_text(code)
    places = {"SAGEMAKER_BASE_DIR": str(base), "TMPDIR": str(temporary), "PATH": str(tmp_path)}

    done = subprocess.run(
        [sys.executable, str(SERVE)],
        env=os.environ | places,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    *_, last = done.stderr.splitlines()
    assert last.startswith("serve: ")
    assert said in last
    assert ("installing told_apart" in done.stderr.replace("-", "_")) == bool(code)
    assert not list(temporary.iterdir())
