"""docs/hyperparameters.md shows what the code does."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from churn_daal.boosting.hyperparameters.page import document
from churn_daal.boosting.hyperparameters.table import HYPERPARAMETERS

PAGE = Path(__file__).parents[3] / "docs" / "hyperparameters.md"


def test_the_page_holds_the_table() -> None:
    """The page's table is the one the code prints, with every name in it."""
    _, _, rest = PAGE.read_text(encoding="utf-8").partition("<!-- hyperparameters: begin -->\n")
    shown, found, _ = rest.partition("<!-- hyperparameters: end -->")

    assert found
    assert shown == document()
    assert all(f"`{name}`" in shown for row in HYPERPARAMETERS for name in (row.name, *row.aliases))


def test_the_module_prints_the_table() -> None:
    """The command in the page writes the page's table."""
    done = subprocess.run(
        [sys.executable, "-m", "churn_daal.boosting.hyperparameters"],
        capture_output=True,
        check=True,
        timeout=120,
    )

    assert done.stdout.decode("utf-8") == document()
