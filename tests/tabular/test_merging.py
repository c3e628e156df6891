"""Hosts agree on columns by what each says of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from churn_daal.errors import UserError
from churn_daal.tabular.aligned import AlignedReader
from churn_daal.tabular.csv_channel import CsvReader
from churn_daal.tabular.learn import distinct_cells, learn_schema
from churn_daal.tabular.merging import same_columns, share_texts, text_elsewhere
from churn_daal.tabular.reading import read_table
from churn_daal.tabular.roles import RoleNames, resolve
from churn_daal.tabular.table import Table


def read(path: Path, text: str) -> Table:
    """Read a host's file, its label as text."""
    path.write_text(text)
    reader = CsvReader([path], header="present")
    roles = resolve(RoleNames(), reader)
    return read_table(reader, features=roles.features, keep=(0,), text={0})


def told(tables: list[Table], own: Table, what: Any) -> list[Any]:  # noqa: ANN401
    """Return what every host says: `what` is of this one, the others are asked in turn."""
    said: list[Any] = []
    for table in tables:
        if table is own:
            said.append(what)
        elif what and isinstance(what[0], list):
            columns = [c for _, c in sorted(table.columns.items()) if hasattr(c, "distinct")]
            said.append([[c.distinct, c.counts.tolist()] for c in columns])  # type: ignore[union-attr]
        else:
            said.append([p for p, c in sorted(table.columns.items()) if hasattr(c, "distinct")])
    return said


def test_text_on_another_host_is_named(tmp_path: Path) -> None:
    """The host whose column holds numbers hears of it."""
    one = read(tmp_path / "a.csv", "y,x\n0,1\n1,2\n")
    two = read(tmp_path / "b.csv", "y,x\n0,a\n1,b\n")

    assert text_elsewhere(one, lambda own: told([one, two], one, own)) == {1}
    assert text_elsewhere(two, lambda own: told([one, two], two, own)) == frozenset()


def test_shared_texts_keep_this_hosts_codes(tmp_path: Path) -> None:
    """What others hold comes behind, and counts; every host learns the same categories."""
    one = read(tmp_path / "a.csv", "y,x\nno,b\nno,a\n")
    two = read(tmp_path / "b.csv", "y,x\nyes,c\nno,a\n")
    schemas = []
    before = distinct_cells(one, 0)[1].copy()
    shares = {id(table): told([one, two], table, [[[], []]]) for table in (one, two)}
    shares[id(one)][0] = shares[id(two)][0]
    shares[id(two)][1] = shares[id(one)][1]

    for place, table in enumerate((one, two)):
        share_texts(table, lambda _own, table=table: shares[id(table)], place)
        schemas.append(learn_schema(table, resolve(RoleNames(), table.reader)))

    assert schemas[0] == schemas[1]
    assert schemas[0].columns[0].categories == ("a", "b", "c")
    assert one.columns[1].counts.tolist() == [1, 2, 1]  # type: ignore[union-attr]
    assert one.columns[1].first.tolist() == [0, 1, -1]  # type: ignore[union-attr]
    np.testing.assert_array_equal(distinct_cells(one, 0)[1], before)


def test_the_first_host_with_files_sets_the_columns(tmp_path: Path) -> None:
    """A host without files has them too, and one with another order is put into theirs."""
    (tmp_path / "a.csv").write_text("y,x\n0,1\n")
    (tmp_path / "b.csv").write_text("x,y\n1,0\n")
    one = CsvReader([tmp_path / "a.csv"], header="present")
    two = CsvReader([tmp_path / "b.csv"], header="present")
    said = [None, [one.names, one.width, one.delimiter, []], [two.names, two.width, ",", []]]

    columns = same_columns(two, lambda _: said)

    assert columns.names == ("y", "x")
    assert AlignedReader(two, columns).names == ("y", "x")
    assert list(columns.batches((), ())) == []


def test_a_fault_of_a_row_elsewhere_says_so(tmp_path: Path) -> None:
    """The host without the row names the column alone."""
    table = read(tmp_path / "a.csv", "y,x\n0,1\n")

    assert str(table.fault("bad", index=-1, position=1)) == (
        "a.csv: column 2 ('x'): bad (on another host)"
    )


def test_no_file_anywhere_is_refused() -> None:
    """Every host says so."""
    with pytest.raises(UserError, match="no host has a file with content in its train channel"):
        same_columns(None, lambda own: [own, own])
