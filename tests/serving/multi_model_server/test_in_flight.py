"""The end waits for answers in the making, in whatever process."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from churn_daal.serving.multi_model_server.in_flight import in_flight, wait_until_quiet


def test_an_answer_in_the_making_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process holds the lock: it is not quiet; when that one is done, it is."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    wait = "import sys; sys.path.insert(0, '');"
    wait += "from churn_daal.serving.multi_model_server.in_flight import wait_until_quiet as w;"
    wait += f"from pathlib import Path; print(w(Path({str(tmp_path)!r}), 0.7))"
    with in_flight(), in_flight():
        done = subprocess.run(
            [sys.executable, "-c", wait], capture_output=True, text=True, check=True
        )
        assert done.stdout == "False\n"

    assert wait_until_quiet(tmp_path, 20)
