"""Stored columns are encoded as serving encodes the same cells, whichever rows are asked for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from churn_daal.tabular import frame as frame_module
from churn_daal.tabular.csv_channel import CsvReader
from churn_daal.tabular.encoder import Encoder
from churn_daal.tabular.frame import Frame
from churn_daal.tabular.learn import encode, learn_schema
from churn_daal.tabular.reading import read_table
from churn_daal.tabular.roles import RoleNames, resolve

HEADER = "y,number,mixed,flag,few,many,code\n"
ROWS = [
    ["0", "1.5", "1", "yes", "a", "p", "415.0"],
    ["1", "", "2.0", "No", "b", "q", "408"],
    ["0", "NA", "+3", "", "", "r", "415"],
    ["1", "-2e3", "", "T", "a", "NA", ""],
    ["0", " 7 ", "4", "false.", " b ", "s", "0415"],
    ["1", "0.1", "5", "y", "c", "q", "408.0"],
    ["1", "3", "6", "true", "b", "p", "415"],
]


@pytest.fixture(scope="module", name="made")
def _made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Frame, np.ndarray]:
    """Return a frame of several pieces, and the matrix that serving makes of the same cells."""
    path = tmp_path_factory.mktemp("frame") / "t.csv"
    path.write_text(HEADER + "".join(",".join(row) + "\n" for row in ROWS * 5))
    reader = CsvReader([path], block_bytes=60)
    names = RoleNames(categorical_columns=("few", "many", "code"), max_onehot_categories=3)
    roles = resolve(names, reader)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("churn_daal.tabular.store._CELLS", 24)
        table = read_table(reader, features=roles.features, keep=(0,), text=roles.categorical)
    schema = learn_schema(table, roles)
    kinds = [(column.kind, column.encoding) for column in schema.columns]
    assert kinds == [
        *(("number", None), ("number", None), ("boolean", None)),
        *(("category", "onehot"), ("category", "ordinal"), ("category", "onehot")),
    ]
    assert len(list(table.store.pieces())) > 3
    columns = list(zip(*[row[1:] for row in ROWS * 5], strict=True))
    return encode(table, schema, roles), Encoder(schema).from_text(columns)


def test_all_rows_are_what_serving_encodes(made: tuple[Frame, np.ndarray]) -> None:
    """Numbers, yes or no, one-hot and ordinal codes, in float32 bit by bit."""
    frame, expected = made

    matrix = frame.dense()

    assert matrix.dtype == np.float32
    assert matrix.flags.c_contiguous
    np.testing.assert_array_equal(matrix, expected)


@given(rows=st.lists(st.integers(0, 34), max_size=60), cells=st.integers(1, 400))
def test_any_rows_in_any_order(made: tuple[Frame, np.ndarray], rows: list[int], cells: int) -> None:
    """Rising, falling or repeated; in pieces of any size."""
    frame, expected = made
    chosen = np.asarray(rows, dtype=np.intp)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(frame_module, "_CELLS", cells)
        for order in (chosen, np.unique(chosen), np.unique(chosen)[::-1]):
            np.testing.assert_array_equal(frame.dense(order), expected[order])


def test_pieces_are_bounded(
    made: tuple[Frame, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A piece's encoded cells are few however many columns its categories become."""
    frame, expected = made
    monkeypatch.setattr(frame_module, "_CELLS", 2 * frame.width)

    pieces = list(frame.batches())

    assert max(piece.num_rows for piece in pieces) == 2
    assert sum(piece.num_rows for piece in pieces) == len(frame) == len(expected)
    assert all(piece.num_columns == frame.width for piece in pieces)


def test_a_category_not_learned_is_none_of_the_known(tmp_path: Path) -> None:
    """Encoded as serving does: zeros or NaN."""
    (tmp_path / "a.csv").write_text("y,few,many\n0,a,p\n1,b,q\n0,a,r\n")
    (tmp_path / "b.csv").write_text("y,few,many\n0,z,p\n1,b,z\n0,z,\n")
    readers = [CsvReader([tmp_path / name], header="present") for name in ("a.csv", "b.csv")]
    roles = resolve(RoleNames(max_onehot_categories=2), readers[0])
    train, other = (read_table(reader, features=(1, 2), keep=(0,)) for reader in readers)
    schema = learn_schema(train, roles)

    matrix = encode(other, schema, roles).dense()

    expected = Encoder(schema).from_text([["z", "b", "z"], ["p", "z", ""]])
    np.testing.assert_array_equal(matrix, expected)
