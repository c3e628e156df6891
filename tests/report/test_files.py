"""Files appear whole, JSON is strict, CSV can be read back."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from churn_daal.report.files import write_csv, write_json

NAMES = ["plain", "a, b", 'say "hi"', "two\nlines", "ends in\r", " spaced ", "", "naïve 漢"]


def refuse_constant(name: str) -> None:
    """Fail on NaN and the infinities, which Python's reader would let pass."""
    raise ValueError(name)


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf, np.float32("nan")])
def test_numbers_that_json_lacks_are_null(tmp_path: Path, number: float) -> None:
    """NaN and the infinities become null, alone and inside NumPy arrays."""
    write_json(tmp_path / "a.json", {"x": number, "of": np.asarray([number, 1.5])})

    read = json.loads((tmp_path / "a.json").read_text(), parse_constant=refuse_constant)
    assert read == {"x": None, "of": [None, 1.5]}


def test_keys_keep_their_order(tmp_path: Path) -> None:
    """A document is written in the order it was made in."""
    write_json(tmp_path / "a.json", {"z": 1, "a": {"y": 2, "b": 3}})

    assert list(json.loads((tmp_path / "a.json").read_text())) == ["z", "a"]


@pytest.mark.parametrize("name", NAMES)
def test_csv_holds_any_column_name(tmp_path: Path, name: str) -> None:
    """Commas, quotes and line breaks in a name do not shift the columns."""
    write_csv(tmp_path / "a.csv", [[1, name, 0.5]], header=["rank", name, "x"])

    with (tmp_path / "a.csv").open(encoding="utf-8", newline="") as file:
        assert list(csv.reader(file)) == [["rank", name, "x"], ["1", name, "0.5"]]


def test_a_missing_folder_is_made(tmp_path: Path) -> None:
    """The output folder need not be there."""
    write_json(tmp_path / "output" / "data" / "a.json", {})

    assert (tmp_path / "output" / "data" / "a.json").read_text() == "{}\n"


def test_a_full_disk_leaves_the_old_file(tmp_path: Path) -> None:
    """What cannot be written whole does not take the place of what was there."""
    (tmp_path / "a.csv").write_text("old\n")
    (tmp_path / ".a.csv.partial").symlink_to("/dev/full")

    with pytest.raises(OSError, match="No space left"):
        write_csv(tmp_path / "a.csv", [["new"]])

    assert (tmp_path / "a.csv").read_text() == "old\n"
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]


def test_a_fault_midway_leaves_nothing(tmp_path: Path) -> None:
    """Rows that end in an error leave no half of a file."""

    def rows() -> object:
        yield ["1"]
        raise ValueError("no more")

    with pytest.raises(ValueError, match="no more"):
        write_csv(tmp_path / "a.csv", rows())  # type: ignore[arg-type]

    assert list(tmp_path.iterdir()) == []
