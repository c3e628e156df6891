"""Kinds and categories are learned from the cells, and training encodes as serving does."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from churn_daal.data import churn_csv
from churn_daal.errors import UserError
from churn_daal.serving.decoders.csv_rows import decode_csv
from churn_daal.tabular.csv_channel import CsvReader
from churn_daal.tabular.encoder import Encoder
from churn_daal.tabular.learn import encode, learn_schema
from churn_daal.tabular.reading import read_table
from churn_daal.tabular.roles import RoleNames, Roles, resolve
from churn_daal.tabular.schema import Schema
from churn_daal.tabular.table import Table


def learn(path: Path, text: str, **names: object) -> tuple[Table, Roles, Schema]:
    """Learn a schema from a table whose first column is the label."""
    (path / "t.csv").write_text(text)
    reader = CsvReader([path / "t.csv"], header="present")
    roles = resolve(RoleNames(**names), reader)  # type: ignore[arg-type]
    table = read_table(reader, features=roles.features, text=roles.categorical)
    return table, roles, learn_schema(table, roles)


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        (["1", "2.5", "", "NA"], "number"),
        (["", "", "", ""], "number"),
        (["yes", "no", "", "yes"], "boolean"),
        (["True", "FALSE", "t", "f"], "boolean"),
        (["KS", "OH", "", "KS"], "category"),
        (["a1", "7", "b2", "c3"], "category"),
    ],
)
def test_kinds(tmp_path: Path, column: list[str], kind: str) -> None:
    """Numbers, yes-or-no words, else categories; missing cells do not decide."""
    text = "y,x\n" + "".join(f"0,{cell}\n" for cell in column)

    assert learn(tmp_path, text)[2].columns[0].kind == kind


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("2019-01-01", "t.csv: row 4, column 2 ('x'): '2019-01-01' is a date, not a number"),
        ('"twelve"', "t.csv: row 4, column 2 ('x'): 'twelve' is not a number"),
        ("inf", "t.csv: row 4, column 2 ('x'): 'inf' is not a number"),
        ("1e50", "t.csv: row 4, column 2 ('x'): '1e50' is beyond float32's range"),
    ],
)
def test_a_word_among_numbers_is_refused(tmp_path: Path, cell: str, message: str) -> None:
    """A column that is mostly numbers is one of numbers; file, row and column are named."""
    with pytest.raises(UserError, match=re.escape(message)):
        learn(tmp_path, f"y,x\n0,1\n1,2\n0,{cell}\n1,3\n")


def test_a_column_of_dates_is_refused(tmp_path: Path) -> None:
    """Dates as categories would learn nothing that comes again; the user may insist."""
    text = "y,d\n0,2019-01-01\n1,2019-01-02\n"

    with pytest.raises(UserError, match=r"row 2, column 2 \('d'\): '2019-01-01' is a date"):
        learn(tmp_path, text)
    assert learn(tmp_path, text, categorical_columns=("d",))[2].columns[0].kind == "category"


def test_many_categories_become_ordinal(tmp_path: Path) -> None:
    """One-hot up to max_onehot_categories, one code a column above; or as asked for."""
    text = "y,x\n" + "".join(f"0,c{number}\n" for number in range(5))

    assert learn(tmp_path, text)[2].columns[0].encoding == "onehot"
    assert learn(tmp_path, text, max_onehot_categories=4)[2].columns[0].encoding == "ordinal"
    assert learn(tmp_path, text, category_encoding="ordinal")[2].columns[0].encoding == "ordinal"


def test_numbers_may_be_categories(tmp_path: Path) -> None:
    """categorical_columns wins over how the cells look."""
    column = learn(tmp_path, "y,x\n0,415\n1,408\n0,\n", categorical_columns=("x",))[2].columns[0]

    assert (column.kind, column.categories) == ("category", ("408", "415"))


def test_whole_numbers_with_a_point_are_one_category(tmp_path: Path) -> None:
    """What a writer makes of 415 in a column with missing cells is 415."""
    text = "y,x\n0,415.0\n1,408.0\n0,415\n1,\n"
    table, roles, schema = learn(tmp_path, text, categorical_columns=("x",))

    assert schema.columns[0].categories == ("408", "415")
    assert encode(table, schema, roles).dense().tolist() == [
        [0, 1],
        [1, 0],
        [0, 1],
        [0, 0],
    ]


def test_unseen_categories_are_missing(tmp_path: Path) -> None:
    """A table read by another's schema has none of its categories in such a row."""
    _, roles, schema = learn(tmp_path, "y,x\n0,a\n1,b\n")
    other, _, _ = learn(tmp_path, "y,x\n0,b\n1,z\n0,\n")

    assert encode(other, schema, roles).dense().tolist() == [[0, 1], [0, 0], [0, 0]]


def test_training_and_serving_encode_alike() -> None:
    """On the churn data, Arrow's way and a request's way give the same bytes."""
    reader = CsvReader([churn_csv()])
    roles = resolve(RoleNames(label="Churn?"), reader)
    table = read_table(reader, features=roles.features)
    schema = learn_schema(table, roles)
    lines = churn_csv().read_text().splitlines()
    body = "\n".join(line.rpartition(",")[0] for line in lines[1:]).encode()

    served = np.concatenate(list(decode_csv(memoryview(body), {}, Encoder(schema))))

    assert encode(table, schema, roles).dense().tobytes() == served.tobytes()


CELL = st.one_of(
    st.floats(width=32, allow_nan=False, allow_infinity=False).map(repr),
    st.sampled_from(["", "NA", "NaN", "+1", ".5", "5.", " 7 ", "1e-3", "0"]),
    st.integers(-(10**9), 10**9).map(str),
)


@given(st.lists(CELL, min_size=1, max_size=20))
def test_numbers_are_read_alike(
    tmp_path_factory: pytest.TempPathFactory, column: list[str]
) -> None:
    """Whatever way a number is written, training and serving round it to the same float32."""
    folder = tmp_path_factory.mktemp("t")
    text = "".join(f"0,{cell}\n" for cell in column)
    table, roles, schema = learn(folder, "y,x\n" + text)
    body = "x\n" + "".join(f'"{cell}"\n' for cell in column)

    served = np.concatenate(list(decode_csv(memoryview(body.encode()), {}, Encoder(schema))))

    np.testing.assert_array_equal(encode(table, schema, roles).dense(), served)
