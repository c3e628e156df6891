"""Reads a channel's Parquet files in batches of rows, by the names and types they carry."""

from __future__ import annotations

import logging
import re
from base64 import b64decode
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from churn_daal.errors import DataError, UserError
from churn_daal.tabular import cells
from churn_daal.tabular.batch import Batch, Source
from churn_daal.tabular.typed import arrow_piece, refusal

log = logging.getLogger(__name__)
# Cells of a batch, at most: 8 MB as float64, whatever the size of the row groups.
_CELLS: Final = 1 << 20
_MOST_ROWS: Final = 1 << 16
# Bytes read ahead, shared among the columns: each of them reads for itself.
_READ_BYTES: Final = 32 << 20
_LEAST_READ, _MOST_READ = 1 << 14, 1 << 20
# Row numbers that pandas stores; an index with a name is a column like others.
_PANDAS_INDEX: Final = re.compile(r"__index_level_\d+__")
# Summaries that Spark and Dask write beside the data; they hold no rows of their own.
_SUMMARIES: Final = frozenset({"_metadata", "_common_metadata"})


class ParquetReader:
    """Parquet files with the same columns in any order, a `Reader`.

    Parameters
    ----------
    files
        At least one.
    threads
        More than one to decode columns side by side.

    Raises
    ------
    UserError
        Naming the file: it is not Parquet, damaged or encrypted, or its columns differ from
        the first one's.
    """

    delimiter = ","

    def __init__(self, files: Sequence[Path], *, threads: int = 1) -> None:
        # A folder of summaries alone stays, and says that it has no rows.
        self.files = tuple(f for f in files if f.name not in _SUMMARIES) or tuple(files)
        self._threads = threads
        # Every footer is read before any row: a bad last file is known at once.
        heads = [_head(path) for path in self.files]
        self._schemas = tuple(schema for schema, _ in heads)
        own = [_names(path, kind) for path, kind in zip(self.files, self._schemas, strict=True)]
        self.names: tuple[str, ...] | None = tuple(own[0])
        self.width = len(own[0])
        first = self.files[0].name
        for path, names in zip(self.files, own, strict=True):
            _check_same(path.name, names, first, own[0])
        self._orders = tuple(tuple(names[name] for name in own[0]) for names in own)
        self.categorical = frozenset(
            position
            for order, (_, categories) in zip(self._orders, heads, strict=True)
            for position, place in enumerate(order)
            if place in categories
        )
        _tell_of_partitions(self.files)

    def batches(self, wanted: Collection[int], text: Collection[int]) -> Iterator[Batch]:
        """Yield every row in order; see `Reader`.

        Raises
        ------
        UserError
            A wanted column holds what is no cell, or a file is damaged.
        """
        rows = max(1, min(_MOST_ROWS, _CELLS // max(1, len(wanted))))
        for number in range(len(self.files)):
            self._check_types(number, wanted, text)
        for number, path in enumerate(self.files):
            schema = self._schemas[number]
            names = {p: schema.names[self._orders[number][p]] for p in wanted}
            with _opened(path, len(names)) as file:
                for part in file.iter_batches(
                    rows, columns=list(names.values()), use_threads=self._threads > 1
                ):
                    columns = {
                        p: arrow_piece(_sound(part.column(name)), text=p in text)
                        for p, name in names.items()
                    }
                    if part.num_rows:
                        yield Batch(number, part.num_rows, columns)

    def source(self, file: int) -> Source:
        """Return what is known of a file."""
        return Source(self.files[file], header=False, order=self._orders[file])

    def line(self, file: int, index: int) -> int:  # noqa: ARG002 - the same in every file
        """Return the number, from 1, of a file's row by its 0-based index."""
        return index + 1

    def _check_types(self, number: int, wanted: Collection[int], text: Collection[int]) -> None:
        for position in wanted:
            place = self._orders[number][position]
            reason = refusal(self._schemas[number].types[place], text=position in text)
            if reason is not None:
                name = self._schemas[number].names[place]
                fault = DataError(reason, column=place + 1, name=name)
                raise UserError(f"{self.files[number].name}: {fault}")


@contextmanager
def _opened(path: Path, columns: int = 1) -> Iterator[Any]:
    ahead = max(_LEAST_READ, min(_MOST_READ, _READ_BYTES // max(1, columns)))
    try:
        # Without pre_buffer a row group is read as it is decoded, not whole.
        with pq.ParquetFile(path, pre_buffer=False, buffer_size=ahead) as file:
            yield file
    except (OSError, pa.ArrowException) as error:
        if isinstance(error, MemoryError):
            raise
        reason = " ".join(str(error).split())
        if "crypt" in reason:
            raise UserError(
                f"{path.name}: encrypted Parquet is not read ({reason:.120}); write the file "
                "without Parquet encryption (SageMaker decrypts what S3 encrypted)"
            ) from error
        raise UserError(
            f"{path.name}: not a Parquet file, cut off or damaged ({reason:.200}); write it "
            "again, or set the channel's ContentType to what its files are"
        ) from error


def _head(path: Path) -> tuple[pa.Schema, frozenset[int]]:
    """Return a file's columns, and the places of those that were written as categories."""
    with _opened(path) as file:
        schema, written = file.schema_arrow, file.schema_arrow
        # Categories of numbers are read back as numbers; what they were stands beside.
        encoded = (file.metadata.metadata or {}).get(b"ARROW:schema")
        if encoded is not None:
            written = pa.ipc.read_schema(pa.BufferReader(b64decode(encoded)))
    types = enumerate(written.types if written.names == schema.names else schema.types)
    return schema, frozenset(place for place, kind in types if pa.types.is_dictionary(kind))


def _names(path: Path, schema: pa.Schema) -> dict[str, int]:
    """Return each column's place in a file, pandas' row numbers left out."""
    places: dict[str, int] = {}
    for place, raw in enumerate(schema.names):
        name = raw.strip(cells.WHITESPACE)
        if _PANDAS_INDEX.fullmatch(name):
            log.info("%s: %s, the row numbers pandas stored, is left out", path.name, name)
            continue
        if name in places or not name:
            fault = "twice" if name else "(an empty one)"
            raise UserError(
                f"{path.name}: the columns have the name {name!r} {fault}; give every column its "
                "own name"
            )
        places[name] = place
    if not places:
        raise UserError(f"{path.name}: no columns; expected a label and features")
    return places


def _check_same(file: str, own: Collection[str], first: str, names: Collection[str]) -> None:
    absent = [name for name in names if name not in own]
    extra = [name for name in own if name not in names]
    if absent or extra:
        found = [f"no column {name!r}" for name in absent[:3]]
        found += [f"a column {name!r} more" for name in extra[:3]]
        raise UserError(
            f"{file}: {', '.join(found)} than {first}; every file of a channel needs the same "
            "columns, in any order"
        )


def _sound(column: pa.Array) -> pa.Array:
    """Return a column, its texts found to be UTF-8: Parquet takes any bytes for text."""
    column.validate(full=True)
    return column


def _tell_of_partitions(files: Sequence[Path]) -> None:
    named = {path.parent.name.partition("=")[0] for path in files if "=" in path.parent.name}
    if named:
        log.warning(
            "the folders' %s=... are not read as columns; write such values into the files if "
            "they are features",
            ", ".join(sorted(named)),
        )
