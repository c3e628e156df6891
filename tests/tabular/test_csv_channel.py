"""CSV files become columns, and every fault names its file and row."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from churn_daal.errors import UserError
from churn_daal.tabular.aligned import AlignedReader
from churn_daal.tabular.batch import Reader
from churn_daal.tabular.csv_channel import CsvReader
from churn_daal.tabular.reading import read_table
from churn_daal.tabular.table import Table


def write(folder: Path, **files: str | bytes) -> list[Path]:
    """Write files `name.csv` and return them sorted."""
    for name, text in files.items():
        (folder / f"{name}.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
    return sorted(folder.glob("*.csv"))


def read(reader: Reader) -> Table:
    """Read every column as text."""
    every = range(reader.width)
    return read_table(reader, features=(), keep=every, text=every)


def read_csv(files: list[Path], **options: str) -> Table:
    """Read CSV files, every column as text."""
    return read(CsvReader(files, **options))  # type: ignore[arg-type]


def texts(table: Table) -> list[list[str]]:
    """Return a table's columns."""
    return [[table.cell(p, row) for row in range(table.rows)] for p in range(table.reader.width)]


def test_cells_come_untouched(tmp_path: Path) -> None:
    """Quotes, delimiters and line breaks inside quotes, empty cells."""
    table = read_csv(write(tmp_path, t='n;t\n1;"a;b"\n;"c\nd"\n'), delimiter=";")

    assert texts(table) == [["1", ""], ["a;b", "c\nd"]]


def test_a_single_line_needs_no_line_break(tmp_path: Path) -> None:
    """Arrow takes neither that nor a line longer than its blocks; both are CSV."""
    long = "x" * 1_100_000 + ",1\n"

    assert read_csv(write(tmp_path, t="1,2")).rows == 1
    assert read_csv(write(tmp_path, t=long * 2)).rows == 2


def test_a_long_cell_does_not_hide_a_fault(tmp_path: Path) -> None:
    """The walk that names a row reads cells beyond the csv module's own limit."""
    table = read_csv(write(tmp_path, t=f"n,t\n1,{'x' * 200_000}\n2,y\n"))

    assert str(table.fault("bad", index=1, position=0)) == "t.csv: row 3, column 1 ('n'): bad"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2\n3\n", "t.csv: row 3: 1 values, but the first row has 2"),
        ("a,b\n1,2\n\n3,4,5\n", "t.csv: row 4: 3 values, but the first row has 2"),
        (b"a,b\n1,2\n3,\xff\n", "t.csv: row 3: not UTF-8 text; save the file as UTF-8"),
        ("a,a\nx,1\n", "t.csv: row 1: the header has the name 'a' twice"),
        ('a,b\n1,2\n3,"4\n', "t.csv: row 3: unexpected end of data; mend the quoting"),
        ("a,b\n", "t.csv: a header but no data rows"),
        ("a,b", "t.csv: a header but no data rows"),
        ("\n\n", "t.csv: only empty lines"),
    ],
)
def test_a_broken_file_names_its_row(tmp_path: Path, text: str | bytes, message: str) -> None:
    """The row is the file's line, empty lines counted."""
    with pytest.raises(UserError, match=re.escape(message)):
        read_csv(write(tmp_path, t=text), header="present" if text != "\n\n" else "auto")


def test_faults_name_file_and_line(tmp_path: Path) -> None:
    """A cell of the whole table is traced to its place in its file, whatever that file's order."""
    table = read_csv(write(tmp_path, a="n,m\n1,2\n", b="m,n\n\n3,4\n5,6\n"))

    error = table.fault("bad", index=2, position=1)

    assert str(error) == "b.csv: row 4, column 1 ('m'): bad"


def test_files_with_other_orders_are_put_in_order(tmp_path: Path) -> None:
    """Columns are matched by their headers."""
    table = read_csv(write(tmp_path, a="n,m\n1,2\n", b="m,n\n4,3\n"))

    assert texts(table) == [["1", "3"], ["2", "4"]]


@pytest.mark.parametrize("second", ["n,x\n3,4\n", "3,4\n", "n\n3\n"])
def test_files_with_other_columns_are_refused(tmp_path: Path, second: str) -> None:
    """Every file of a channel needs the same columns."""
    with pytest.raises(UserError, match=r"b\.csv.*same columns"):
        read_csv(write(tmp_path, a="n,m\n1,2\n", b=second))


def test_channels_are_aligned(tmp_path: Path) -> None:
    """A validation channel may have the columns in another order, but no others."""
    (tmp_path / "v").mkdir()
    (tmp_path / "w").mkdir()
    train = CsvReader(write(tmp_path, a="n,m\n1,2\n"))
    other = CsvReader(write(tmp_path / "v", v="m,n\n4,3\n"))

    assert texts(read(AlignedReader(other, train))) == [["3"], ["4"]]
    with pytest.raises(UserError, match=r"w\.csv.*same columns"):
        AlignedReader(CsvReader(write(tmp_path / "w", w="m\n4\n")), train)


def test_quotes_within_cells_cost_one_walk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half of the blocks look as if a quote were not closed, and each walk reads the whole file."""
    walks = []

    def walk(*place: object) -> None:
        walks.append(place)

    monkeypatch.setattr("churn_daal.tabular.csv_channel.find_fault", walk)
    path = tmp_path / "t.csv"
    path.write_text("y,t\n" + '1,5" pipe\n' * 200)
    reader = CsvReader([path], header="present", block_bytes=32)

    assert sum(batch.rows for batch in reader.batches((0, 1), {1})) == 200
    assert len(walks) == 1
