"""Columns that contradict each other within a row or a query are named."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from churn_daal.errors import UserError
from churn_daal.tabular.csv_channel import CsvReader
from churn_daal.tabular.reading import read_table
from churn_daal.tabular.row_checks import refuse_crossed_bounds, refuse_uneven_weights
from churn_daal.tabular.table import Table

LOWER, UPPER, FEATURE = range(3)
QUERY, WEIGHT = range(2)


def table(folder: Path, csv: str, **kept: object) -> Table:
    """Read a table whose last column is the feature."""
    (folder / "t.csv").write_text(csv)
    reader = CsvReader([folder / "t.csv"], header="present")
    return read_table(reader, features=(2,), keep=(0, 1), **kept)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("row", "shown"), [("3,2,1", "from 3 to 2"), ("0,0,1", "from 0 to 0"), ("2,0,1", "from 2 to 0")]
)
def test_a_survival_time_that_ends_too_early_is_named(tmp_path: Path, row: str, shown: str) -> None:
    """Before it begins, or at 0."""
    read = table(tmp_path, f"lo,up,x\n1,1,1\n0,2,1\n{row}\n", numbers={0, 1})
    message = f"t.csv: row 4, column 2 ('up'): a survival time {shown}; expected an upper bound"

    with pytest.raises(UserError, match=re.escape(message)):
        refuse_crossed_bounds(read, UPPER, read.kept[LOWER], read.kept[UPPER])


def test_sound_survival_times_pass(tmp_path: Path) -> None:
    """Exact ones, ones known from one side, and ones without an end."""
    read = table(tmp_path, "lo,up,x\n1,1,1\n0,2,1\n3,4,1\n", numbers={0, 1})
    upper = np.array([1, 2, np.inf], np.float32)

    refuse_crossed_bounds(read, UPPER, read.kept[LOWER], upper)


def test_uneven_weights_name_the_query_as_it_was_written(tmp_path: Path) -> None:
    """Its rows need not stand side by side."""
    read = table(tmp_path, "q,w,x\nred,1,1\n7,2,1\nred,1,1\n7,3,1\n", text={0}, numbers={1})
    message = (
        "t.csv: row 5, column 2 ('w'): weight 3, but the first row of query '7' has 2; in ranking"
    )

    with pytest.raises(UserError, match=re.escape(message)):
        refuse_uneven_weights(
            read, WEIGHT, QUERY, read.kept[QUERY].astype(np.int64), read.kept[WEIGHT]
        )


def test_even_weights_pass(tmp_path: Path) -> None:
    """Queries may differ from each other."""
    read = table(tmp_path, "q,w,x\na,1,1\nb,2,1\na,1,1\n", text={0}, numbers={1})

    refuse_uneven_weights(read, WEIGHT, QUERY, read.kept[QUERY].astype(np.int64), read.kept[WEIGHT])
