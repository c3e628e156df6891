"""What every reader of a channel gives: some rows of the wanted columns, from one file."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pyarrow as pa

from churn_daal.tabular.columns import Numbers


@dataclass(frozen=True)
class Batch:
    """Rows of one file.

    Attributes
    ----------
    file
        Place of the file among the reader's.
    rows
        How many there are.
    columns
        Cells by the column's position: numbers read already (float32, NaN missing) or an Arrow
        array of texts, where null is missing.
    """

    file: int
    rows: int
    columns: Mapping[int, Numbers | pa.Array]


@dataclass(frozen=True)
class Source:
    """One file of a table.

    Attributes
    ----------
    path
        The file.
    header
        Whether a header stood on top.
    order
        For each of the table's columns, its 0-based place in this file.
    """

    path: Path
    header: bool
    order: tuple[int, ...]


class Reader(Protocol):
    """A channel's files in one format, which can be read again from the start.

    Attributes
    ----------
    files
        In the order of the rows.
    names
        The columns' names; None where the files have none.
    width
        Number of columns.
    categorical
        Positions of columns whose type says that they are categories.
    delimiter
        What stands between two cells; a comma where nothing does.
    """

    files: tuple[Path, ...]
    names: tuple[str, ...] | None
    width: int
    categorical: frozenset[int]
    delimiter: str

    def batches(self, wanted: Collection[int], text: Collection[int]) -> Iterator[Batch]:
        """Yield every row in order.

        Parameters
        ----------
        wanted
            Positions of the columns to give.
        text
            Those of them to give as texts. Others may come as texts or numbers, and are asked
            for as texts from the next batch on where they are added here.
        """
        ...

    def source(self, file: int) -> Source:
        """Return what is known of a file that rows came from."""
        ...

    def line(self, file: int, index: int) -> int:
        """Return the row, from 1 and a header counted, of a file's record by its 0-based index."""
        ...
