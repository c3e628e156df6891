"""Splits CSV files: once read to count the labels, once to deal the rows out."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from churn_daal.errors import UserError
from churn_daal.partition.dealing import PARTS, Dealer, Split
from churn_daal.partition.writing import Format, Parts
from churn_daal.tabular import cells
from churn_daal.tabular.csv_channel import CsvReader
from churn_daal.tabular.header import Header
from churn_daal.tabular.roles import RoleNames, resolve

log = logging.getLogger(__name__)
MOST_CLASSES: Final = 1_000


def split(
    files: Sequence[Path],
    output: Path,
    how: Split,
    *,
    label: str,
    id_columns: Sequence[str] = (),
    output_format: Format = "parquet",
    header: Header = "auto",
    delimiter: str = ",",
    train_files: int = 1,
) -> dict[str, int]:
    """Write each part to a folder of its own.

    Parameters
    ----------
    files
        CSV files with the same columns, gzip or zstd undone.
    output
        Where the folders `train`, `validation` and `test` are made.
    how
        Shares, seed, stratification.
    label
        The label's column, by header or 0-based position.
    id_columns
        Columns to leave out.
    output_format
        `parquet`, every column as text; or `csv`, with a header.
    header, delimiter
        See `CsvReader`.
    train_files
        Over how many files the train part is spread.

    Returns
    -------
    Rows of each part.

    Raises
    ------
    UserError
        A file is no CSV, a column is not there, a label is missing, a class is too small or
        the disk is full. Nothing is left in the folders then.
    """
    if train_files < 1:
        raise UserError(f"train_files is {train_files}; expected 1 or more, one for each host")
    reader = CsvReader(files, header=header, delimiter=delimiter)
    names = reader.names or tuple(f"f{place}" for place in range(reader.width))
    roles = resolve(RoleNames(label=label, id_columns=tuple(id_columns)), reader)
    place = roles.label or 0
    kept = sorted((place, *roles.features))
    counts = _count(reader, place, stratify=how.stratify)
    dealers = {
        key: Dealer(how.quotas(counts[key], _named(key, label)), (how.seed, number))
        for number, key in enumerate(sorted(counts))
    }
    rows = dict.fromkeys(PARTS, 0)
    with Parts(output, [names[p] for p in kept], output_format, train_files) as parts:
        for batch in reader.batches(kept, kept):
            dealt = _deal(batch.columns[place], dealers, stratify=how.stratify)
            table = pa.RecordBatch.from_arrays([batch.columns[p] for p in kept], names=parts.names)
            for number, part in enumerate(PARTS):
                chosen = table.take(pa.array(np.flatnonzero(dealt == number)))
                rows[part] += chosen.num_rows
                parts.write(part, chosen)
    return rows


def _texts(column: pa.Array) -> list[str]:
    return [text.strip(cells.WHITESPACE) for text in column.to_pylist()]


def _count(reader: CsvReader, place: int, *, stratify: bool) -> Mapping[str, int]:
    """Return the rows of each class; of all rows under no name where classes do not matter."""
    counts: Counter[str] = Counter()
    seen = [0] * len(reader.files)
    for batch in reader.batches([place], [place]):
        labels = _texts(batch.columns[place])
        if not cells.MISSING.isdisjoint(labels):
            index = next(i for i, text in enumerate(labels) if text in cells.MISSING)
            line = reader.line(batch.file, seen[batch.file] + index)
            raise UserError(
                f"{reader.files[batch.file].name}: row {line}: the label is missing; fill it in or "
                "leave the row out"
            )
        counts.update(labels if stratify else {"": len(labels)})
        seen[batch.file] += len(labels)
        if len(counts) > MOST_CLASSES:
            raise UserError(
                f"the label has more than {MOST_CLASSES} different values, so it is no class to "
                "keep the shares of; name another label, or do not stratify"
            )
    if not counts:
        raise UserError(f"{reader.files[0].name}: a header and no rows")
    return counts


def _deal(labels: pa.Array, dealers: Mapping[str, Dealer], *, stratify: bool) -> NDArray[np.uint8]:
    """Return the part of each row of a batch."""
    if not stratify:
        return dealers[""].take(len(labels))
    distinct, codes = np.unique(np.asarray(_texts(labels), dtype=object), return_inverse=True)
    dealt = np.empty(len(labels), dtype=np.uint8)
    for number, key in enumerate(distinct):
        own = np.flatnonzero(codes == number)
        dealt[own] = dealers[key].take(len(own))
    return dealt


def _named(key: str, label: str) -> str:
    return f"class {key!r} of {label!r}" if key else "the data"
