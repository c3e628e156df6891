"""What a reader's channel comes to, as training takes it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from churn_daal.tabular.batch import Reader
from churn_daal.tabular.learn import distinct_cells, encode, learn_schema
from churn_daal.tabular.parquet_channel import ParquetReader
from churn_daal.tabular.reading import read_table
from churn_daal.tabular.roles import RoleNames, resolve
from churn_daal.tabular.schema import Schema


class Learned(NamedTuple):
    """A channel's schema, encoded features, and the label's cells."""

    schema: Schema
    matrix: np.ndarray
    labels: list[str]


Learn = Callable[..., Learned]


@pytest.fixture(name="learn", scope="session")
def _learn() -> Learn:
    return learn


def learn(reader: Reader, *, budget: int | None = None, **names: object) -> Learned:
    """Read and encode all columns but the first, which is the label unless one is named."""
    roles = resolve(RoleNames(**names), reader)
    label = {roles.label}
    table = read_table(
        reader,
        features=roles.features,
        keep=label,
        text=roles.categorical | label,
        budget=budget,
    )
    schema = learn_schema(table, roles)
    distinct, codes = distinct_cells(table, roles.label)
    matrix = encode(table, schema, roles).dense()
    return Learned(schema, matrix, [distinct[code] for code in codes])


@pytest.fixture
def write_parquet(tmp_path: Path) -> Callable[..., ParquetReader]:
    """Return the function that writes each table to its file and opens them all."""

    def write(**tables: pa.Table | dict[str, object]) -> ParquetReader:
        for name, table in tables.items():
            whole = table if isinstance(table, pa.Table) else pa.table(table)
            pq.write_table(whole, tmp_path / f"{name}.parquet")
        return ParquetReader(sorted(tmp_path.glob("*.parquet")))

    return write
