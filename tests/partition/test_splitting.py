"""Rows come out as they went in, each once, every class in its share."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from churn_daal.data import churn_csv
from churn_daal.errors import UserError
from churn_daal.partition import PARTS, Split, split

ODD = (
    "id,text,y\n"
    '1,"a, ""b""\nc", True.\n'
    + "".join(f"{i},0{i}5,{'True.' if i % 3 else 'False.'}\n" for i in range(2, 40))
    + "40,NA,False.\n41,,True.\n"
)


def rows_of(folder: Path, part: str) -> list[tuple[str, ...]]:
    """Return the rows of a part, whichever of the two forms it has."""
    found: list[tuple[str, ...]] = []
    for path in sorted((folder / part).iterdir()):
        if path.suffix == ".parquet":
            columns = pq.read_table(path).to_pydict()
            found += zip(*columns.values(), strict=True)
        else:
            with path.open(newline="", encoding="utf-8") as file:
                found += [tuple(row) for row in list(csv.reader(file))[1:]]
    return found


def write(folder: Path, text: str, name: str = "raw.csv") -> Path:
    """Write a CSV."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("form", ["parquet", "csv"])
def test_every_cell_is_passed_on_as_it_stood(tmp_path: Path, form: str) -> None:
    """Quotes, line breaks, spaces, zeros in front, missing marks: nothing is read into them."""
    raw = write(tmp_path, ODD)

    rows = split([raw], tmp_path / "out", Split(), label="y", output_format=form)  # type: ignore[arg-type]

    with raw.open(newline="", encoding="utf-8") as file:
        expected = [tuple(row) for row in list(csv.reader(file))[1:]]
    came = [row for part in PARTS for row in rows_of(tmp_path / "out", part)]
    assert Counter(came) == Counter(expected)
    assert sum(rows.values()) == len(expected)


def test_the_churn_data_is_split_by_class(tmp_path: Path) -> None:
    """3 to 1 to 1, and in each part 14.14 % churned, as in all 5,000."""
    rows = split([churn_csv()], tmp_path, Split(), label="Churn?")

    assert rows == {"train": 3000, "validation": 1000, "test": 1000}
    churned = {p: sum(row[-1] == "True." for row in rows_of(tmp_path, p)) for p in PARTS}
    assert churned == {"train": 425, "validation": 141, "test": 141}


def test_a_seed_tells_the_parts(tmp_path: Path) -> None:
    """The same seed gives the same bytes, another one other rows."""
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        split([churn_csv()], tmp_path / name, Split(seed=seed), label="Churn?")

    data = {n: (tmp_path / n / "test" / "test.parquet").read_bytes() for n in "abc"}
    assert data["a"] == data["b"]
    assert data["a"] != data["c"]


def test_csv_comes_out_as_it_went_in(tmp_path: Path) -> None:
    """Line by line, no cell in quotes that stood without."""
    split([churn_csv()], tmp_path, Split(), label="Churn?", output_format="csv")

    head, *lines = churn_csv().read_text().splitlines()
    came = [(tmp_path / p / f"{p}.csv").read_text().splitlines() for p in PARTS]
    assert {part[0] for part in came} == {head}
    assert sorted(line for part in came for line in part[1:]) == sorted(lines)


def test_identifiers_are_left_out(tmp_path: Path) -> None:
    """A column that names the row is in no part."""
    raw = write(tmp_path, ODD)

    split([raw], tmp_path / "out", Split(), label="y", id_columns=["id"])

    assert pq.read_schema(tmp_path / "out" / "train" / "train.parquet").names == ["text", "y"]


def test_several_files_make_one_split(tmp_path: Path) -> None:
    """Files are read in their order; the train part is spread over as many as there are hosts."""
    head, *lines = churn_csv().read_text().splitlines(keepends=True)
    files = [
        write(tmp_path, head + "".join(lines[:2_000]), "0.csv"),
        write(tmp_path, head + "".join(lines[2_000:]), "1.csv"),
    ]

    split(files, tmp_path / "two", Split(), label="Churn?", train_files=3)
    split([churn_csv()], tmp_path / "one", Split(), label="Churn?")

    names = sorted(path.name for path in (tmp_path / "two" / "train").iterdir())
    assert names == ["train-0.parquet", "train-1.parquet", "train-2.parquet"]
    sizes = [len(pq.read_table(tmp_path / "two" / "train" / name)) for name in names]
    assert max(sizes) - min(sizes) <= 2
    for part in PARTS:
        assert Counter(rows_of(tmp_path / "two", part)) == Counter(rows_of(tmp_path / "one", part))


@pytest.mark.parametrize(
    ("text", "label", "named"),
    [
        ("a,y\n1,x\n2,\n3,x\n", "y", r"raw.csv: row 3: the label is missing"),
        ("a,y\n1,x\n2,z\n3,x\n4,x\n", "y", r"class 'z' of 'y' has 1 rows; each of train"),
        ("a,y\n1,x\n2,x\n3,x\n", "churn", r"there is no column 'churn'. Columns: 'a', 'y'"),
        ("a,y\n1,x\n2\n", "y", r"raw.csv: row 3"),
        ("a,y\n", "y", r"a header and no rows"),
        ("a,y\n" + "".join(f"1,{i}\n" for i in range(1_001)), "y", r"more than 1000 different"),
    ],
)
def test_bad_rows_leave_nothing_behind(tmp_path: Path, text: str, label: str, named: str) -> None:
    """The fault is named with its place, and no part is half-written."""
    raw = write(tmp_path, text)

    with pytest.raises(UserError, match=named):
        split([raw], tmp_path / "out", Split(), label=label, header="present")

    assert not [path for path in (tmp_path / "out").rglob("*") if path.is_file()]


def test_a_fault_in_the_second_file_leaves_the_parts_of_before(tmp_path: Path) -> None:
    """What an earlier run wrote stays whole."""
    split([churn_csv()], tmp_path / "out", Split(), label="Churn?")
    before = {p: (tmp_path / "out" / p / f"{p}.parquet").read_bytes() for p in PARTS}
    other = write(tmp_path, "a,b\n1,2\n")

    with pytest.raises(UserError):
        split([churn_csv(), other], tmp_path / "out", Split(), label="Churn?")

    assert {p: (tmp_path / "out" / p / f"{p}.parquet").read_bytes() for p in PARTS} == before
    assert len([path for path in (tmp_path / "out").rglob("*") if path.is_file()]) == 3


def test_numbers_are_split_without_classes(tmp_path: Path) -> None:
    """A label of many numbers is split at random, not by its values."""
    raw = write(tmp_path, "a,y\n" + "".join(f"{i},{i / 7}\n" for i in range(2_000)))

    rows = split([raw], tmp_path, Split(stratify=False), label="y")

    assert rows == {"train": 1200, "validation": 400, "test": 400}
