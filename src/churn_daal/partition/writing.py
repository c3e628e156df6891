"""The files of the parts: whole at the end, or not there."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq

from churn_daal.partition.dealing import PARTS

Format = Literal["parquet", "csv"]


class Parts:
    """The files of train, validation and test while they are written.

    Parameters
    ----------
    output
        Where the folders of those names are made.
    names
        The columns, all of texts.
    output_format
        What the files are.
    train_files
        Over how many files the train part is spread, one for each host that trains.
    """

    def __init__(
        self,
        output: Path,
        names: Sequence[str],
        output_format: Format,
        train_files: int = 1,
    ) -> None:
        self.names = list(names)
        self._output, self._suffix, self._train_files = output, output_format, train_files
        self._stack = ExitStack()
        self._writers: dict[str, list[Any]] = {part: [] for part in PARTS}

    def __enter__(self) -> Parts:
        schema = pa.schema([(name, pa.string()) for name in self.names])
        try:
            for part in PARTS:
                (self._output / part).mkdir(parents=True, exist_ok=True)
                for path in self._paths(part):
                    writer = self._open(_partial(path), schema)
                    self._writers[part].append(self._stack.enter_context(writer))
        except BaseException:
            self.__exit__(*sys.exc_info())
            raise
        return self

    def write(self, part: str, rows: pa.RecordBatch) -> None:
        """Add rows to a part, as many to each of its files."""
        writers = self._writers[part]
        bounds = [rows.num_rows * place // len(writers) for place in range(len(writers) + 1)]
        for writer, start, end in zip(writers, bounds[:-1], bounds[1:], strict=True):
            if end > start:
                writer.write(rows.slice(start, end - start))

    def __exit__(self, kind: object, error: BaseException | None, _: object) -> None:
        paths = [path for part in PARTS for path in self._paths(part)]
        try:
            self._stack.close()
            if kind is None:
                for path in paths:
                    _partial(path).replace(path)
        finally:
            for path in paths:
                _partial(path).unlink(missing_ok=True)

    def _open(self, path: Path, schema: pa.Schema) -> Any:  # noqa: ANN401 - Arrow's
        if self._suffix == "parquet":
            return pq.ParquetWriter(path, schema)
        return _CsvFile(path, schema.names)

    def _paths(self, part: str) -> Iterator[Path]:
        files = self._train_files if part == "train" else 1
        for number in range(files):
            place = f"-{number}" if files > 1 else ""
            yield self._output / part / f"{part}{place}.{self._suffix}"


class _CsvFile:
    """A CSV with a header and quotes where a cell needs them; Arrow's writer puts all in quotes."""

    def __init__(self, path: Path, names: Sequence[str]) -> None:
        self._file = path.open("w", encoding="utf-8", newline="")
        self._writer = csv.writer(self._file, lineterminator="\n")
        self._writer.writerow(names)

    def write(self, rows: pa.RecordBatch) -> None:
        """Add rows."""
        self._writer.writerows(zip(*(c.to_pylist() for c in rows.columns), strict=True))

    def __enter__(self) -> _CsvFile:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()


def _partial(path: Path) -> Path:
    # Not written in place: an earlier run's files stay whole until these are.
    return path.with_name(f".{path.name}.partial")
