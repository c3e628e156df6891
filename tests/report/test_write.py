"""The report is complete and reproducible, and never costs the model."""

from __future__ import annotations

import csv
import json
import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from churn_daal.report import Report, write

FILES = {
    "calibration.json",
    "constraints.json",
    "data_quality.json",
    "evals.json",
    "feature_importance.csv",
    "feature_importance.json",
    "feature_importance_encoded.csv",
    "metrics.json",
    "predictions.csv",
    "statistics.json",
}


def names(folder: Path) -> set[str]:
    """Return what is in a folder."""
    return {path.name for path in folder.iterdir()}


def test_every_file_is_written_and_is_strict(tmp_path: Path, report: Report) -> None:
    """All files are there, none half, and each JSON is read by a strict reader."""
    written = write(tmp_path / "output" / "data", report)

    assert set(written) == names(tmp_path / "output" / "data") == FILES
    for path in (tmp_path / "output" / "data").glob("*.json"):
        json.loads(path.read_text(encoding="utf-8"), parse_constant=pytest.fail)


def test_every_file_is_documented() -> None:
    """docs/output.md names each file."""
    page = (Path(__file__).parents[2] / "docs" / "output.md").read_text(encoding="utf-8")

    assert [name for name in FILES if f"`{name}`" not in page] == []


def test_two_runs_give_equal_bytes(tmp_path: Path, make_report: Callable[[], Report]) -> None:
    """The same job leaves the same files: no time, no host, no order of a set."""
    for run in ("one", "other"):
        write(tmp_path / run, make_report())

    for name in FILES:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "other" / name).read_bytes()


def test_odd_names_keep_their_column(tmp_path: Path, report: Report, odd_name: str) -> None:
    """A name with comma, quotes and line break is one cell of the importance, as of the JSON."""
    write(tmp_path, report)

    with (tmp_path / "feature_importance.csv").open(newline="") as file:
        table = list(csv.DictReader(file))
    assert {row["column"] for row in table} == {"minutes", odd_name, "calls"}
    assert [row["rank"] for row in table] == ["1", "2", "3"]
    read = json.loads((tmp_path / "feature_importance.json").read_text())
    assert [entry["column"] for entry in read["columns"]] == [row["column"] for row in table]


def test_what_there_is_not_is_left_out(tmp_path: Path, report: Report) -> None:
    """Without folds, calibration and gathered data their files are not there."""
    figures = replace(report.figures, calibration=None)
    written = write(tmp_path, replace(report, figures=figures, quality=None, out_of_fold=None))

    assert set(written) == {name for name in FILES if "importance" in name} | {
        "metrics.json",
        "evals.json",
    }


@pytest.mark.parametrize("place", ["data", "data/deeper"])
def test_a_folder_that_cannot_be_made_is_one_warning(
    tmp_path: Path, report: Report, place: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A file in place of the folder costs the report, one line of the log, and no more."""
    (tmp_path / "data").write_text("in the way")

    assert write(tmp_path / place, report) == ()
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert "the model is whole" in record.getMessage()
    assert (tmp_path / "data").read_text() == "in the way"


def test_a_full_disk_costs_the_files_it_has_no_room_for(
    tmp_path: Path, report: Report, caplog: pytest.LogCaptureFixture
) -> None:
    """A file that finds no space is named in a warning; the others are written."""
    (tmp_path / ".statistics.json.partial").symlink_to("/dev/full")

    assert set(write(tmp_path, report)) == names(tmp_path) == FILES - {"statistics.json"}
    (record,) = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert "statistics.json is not written: No space left on device" in record.getMessage()


def test_a_fault_of_ours_costs_its_file_alone(
    tmp_path: Path, report: Report, caplog: pytest.LogCaptureFixture
) -> None:
    """A document that cannot be made is logged with its traceback, and nothing is raised."""
    figures = replace(report.figures, calibration={"bins": object()})

    assert set(write(tmp_path, replace(report, figures=figures))) == FILES - {"calibration.json"}
    assert "by a fault of this program" in caplog.text
    assert "Traceback" in caplog.text
