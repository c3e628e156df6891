"""Where what a run makes and keeps lies: environments of peers, trained models, logs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
APPS: Final = Path(__file__).parent / "apps"
PINS: Final = ROOT / "bench" / "peers"


class BenchError(Exception):
    """What keeps a run, or one peer of it, from being measured."""


def home() -> Path:
    """Return `BENCH_HOME`, by default a folder of the user's cache, outside this repository."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = Path(os.environ.get("BENCH_HOME") or cache / "churn_daal_bench")
    folder.mkdir(parents=True, exist_ok=True)
    return folder.resolve()
