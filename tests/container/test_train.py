"""`docker run IMAGE train` on raw data with a header, text columns and word labels."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from churn_daal import artifact

pytestmark = pytest.mark.container


def test_model_folder_holds_the_three_files_and_nothing_else(model: Path) -> None:
    """AWS's image takes every top-level file for a model, so one stray file breaks the tarball."""
    files = {str(path.relative_to(model)) for path in model.rglob("*") if path.is_file()}

    assert files == {"xgboost-model", "daal/manifest.json", "daal/onedal.bin"}


def test_manifest_says_onedal_answers_and_how_closely(model: Path) -> None:
    """The real data convert, and the parity gate passed inside the image."""
    manifest = artifact.audit(model)

    assert manifest.engine.name == "onedal"
    assert manifest.parity is not None
    assert manifest.parity["passed"] is True


def test_metric_lines_are_as_xgboost_prints_them(trained: Path) -> None:
    """CloudWatch's regex needs the TAB-separated line, once a round, alone on stdout."""
    rounds = json.loads((trained / "input/config/hyperparameters.json").read_text())["num_round"]
    lines = (trained.parent / "printed").read_text().splitlines()
    line = re.compile(r"\[(\d+)\]\ttrain-logloss:\d+\.\d+\tvalidation-logloss:\d+\.\d+")

    matches = [line.fullmatch(text) for text in lines]

    assert [match and int(match[1]) for match in matches] == list(range(int(rounds)))


def test_nothing_is_reported_as_failed(trained: Path) -> None:
    """A failure file beside a good model would show as the job's reason."""
    assert not (trained / "output/failure").exists()
