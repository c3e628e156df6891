"""The bundled example: 5,000 telephone customers (see NOTICE.md), so nothing is downloaded."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path


def churn_csv() -> Path:
    """Return the path of the churn data: a header, 19 features, the label `Churn?`."""
    return Path(str(files(__name__) / "churn.csv"))
