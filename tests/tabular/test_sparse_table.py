"""Rows of sparse formats: in memory or on the disk, in any order, labels as they were written."""

from __future__ import annotations

import io
import resource
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse

from churn_daal.tabular import libsvm
from churn_daal.tabular.learn import distinct_cells
from churn_daal.tabular.sparse_block import SparseBlock
from churn_daal.tabular.sparse_features import SparseFeatures
from churn_daal.tabular.sparse_table import (
    LABEL,
    SparseTable,
    read_sparse,
    sparse_schema,
)
from churn_daal.tabular.target import learn_target

ROWS = "".join(f"{row % 2} 1:{row} {'2:0 ' if row % 3 else ''}3:{row * 2}\n" for row in range(300))


def read(folder: Path, text: str, *, budget: int | None = None, block: int = 50) -> SparseTable:
    """Read libsvm text in small blocks."""
    path = folder / "t.libsvm"
    path.write_text(text)

    def blocks(file: Path) -> Iterator[SparseBlock]:
        stream = io.BytesIO(file.read_bytes())
        return libsvm.read_blocks(stream, name=file.name, block_bytes=block)

    return read_sparse([path], blocks, budget=budget)


def features(table: SparseTable) -> SparseFeatures:
    """Return the features of a train channel."""
    schema = sparse_schema(table.lowest, table.highest, indexing="auto", declared=False)
    return SparseFeatures(table, schema, declared=False)


@pytest.mark.parametrize("order", ["rising", "shuffled"])
def test_rows_on_the_disk_are_those_in_memory(tmp_path: Path, order: str) -> None:
    """Whichever are asked for: a 0 is a 0, and what is absent is missing."""
    rows = np.random.default_rng(1).permutation(300)[:200]
    rows = np.sort(rows) if order == "rising" else rows
    expected = features(read(tmp_path, ROWS, block=1 << 20)).dense()

    for budget in (None, 100):
        found = features(read(tmp_path, ROWS, budget=budget))
        np.testing.assert_array_equal(found.dense(), expected)
        np.testing.assert_array_equal(found.dense(rows), expected[rows])
        pieces = list(found.batches(rows))
        stored = sum(piece.nnz for piece in pieces)
        assert stored == int(np.count_nonzero(~np.isnan(expected[rows])))


def test_more_blocks_than_a_process_may_open_files(tmp_path: Path) -> None:
    """They share one file, which nothing is left of in the folder of temporary files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, 128), hard))
    try:
        found = read(tmp_path, ROWS, budget=0, block=10)
        assert len(found.blocks) > 128
        assert len(features(found).dense()) == 300
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_dense_and_sparse_blocks_are_gathered_with_their_zeros(tmp_path: Path) -> None:
    """As recordio can mix them, in any order of rows."""
    table = read(tmp_path, "1 0:5 2:6\n0 1:7\n1 0:0\n", block=1 << 20)
    dense = SparseBlock(
        np.arange(0, 7, 3),
        np.array([0, 1, 0, 2, 0, 3], np.float32),
        None,
        np.arange(1, 3),
        width=3,
    )
    mixed = features(replace(table, blocks=(*table.blocks, dense)))
    rows = np.array([4, 1, 3, 0, 2])

    (piece,) = mixed.batches(rows)

    nan = np.nan
    expected = [[2, 0, 3], [nan, 7, nan], [0, 1, 0], [5, nan, 6], [0, nan, nan]]
    np.testing.assert_array_equal(mixed.dense(rows), np.array(expected, np.float32))
    assert scipy.sparse.issparse(piece)
    assert piece.nnz == 10


@pytest.mark.parametrize("labels", [("123456789", "123456790"), ("0.1", "-7"), ("2", "16777217")])
def test_classes_are_the_numbers_that_were_written(tmp_path: Path, labels: tuple[str, str]) -> None:
    """Also those that float32 would round, or make one."""
    table = read(tmp_path, "".join(f"{label} 1:1\n" for label in labels))

    target = learn_target(table.table, LABEL, task="binary")

    assert set(target.labels.classes) == {float(label) for label in labels}
    assert sorted(target.y) == [0, 1]
    assert target.y.dtype == np.float32


def test_values_are_float32(tmp_path: Path) -> None:
    """As XGBoost fits them, whatever the labels are held in."""
    table = read(tmp_path, "0.1 1:1\n123456789 1:1\n")

    target = learn_target(table.table, LABEL, task="regression")

    assert target.y.dtype == np.float32
    assert target.y.tolist() == [np.float32(0.1), np.float32(123456789)]
    assert distinct_cells(table.table, LABEL)[0] == ["0.1", "123456789.0"]
