"""A job that cannot succeed says why, first thing, in the failure file and by its exit code."""

from __future__ import annotations

from pathlib import Path

import pytest

from .conftest import Train
from .drive import CHURN, lay_opt_ml

pytestmark = pytest.mark.container


def test_a_hyperparameter_out_of_range_is_named_with_its_range(
    train: Train, tmp_path: Path
) -> None:
    """The cause comes first, since SageMaker shows 1,024 characters; no model is left."""
    opt_ml = lay_opt_ml(tmp_path / "ml", subsample="1.5")

    done = train(opt_ml)

    assert done.returncode == 1
    assert "UserError: " in done.stderr
    assert "Traceback" not in done.stderr
    failure = (opt_ml / "output/failure").read_text()
    assert failure.startswith("UserError: ")
    assert "subsample" in failure
    assert "1.5" in failure
    assert not any((opt_ml / "model").iterdir())


def test_a_ragged_row_is_named_by_file_and_row(train: Train, tmp_path: Path) -> None:
    """A row that lost a cell would shift the rest into the wrong columns: it is refused."""
    lines = CHURN.read_text(encoding="utf-8").splitlines(keepends=True)[:200]
    lines[120] = lines[120].replace(",", "", 1)
    opt_ml = lay_opt_ml(tmp_path / "ml", data="".join(lines))

    done = train(opt_ml)

    assert done.returncode == 1
    failure = (opt_ml / "output/failure").read_text()
    assert failure.startswith("UserError: ")
    assert "churn.csv" in failure
    assert "row 121" in failure
    assert len(failure) <= 1024
