"""The files of the parts: whole at the end, or not there."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from churn_daal.partition.dealing import PARTS

Format = Literal["parquet", "csv"]


class Parts:
    """The three files while they are written.

    Parameters
    ----------
    output
        Where the folders `train`, `validation` and `test` are made.
    names
        The columns, all of texts.
    output_format
        What the files are.
    """

    def __init__(self, output: Path, names: Sequence[str], output_format: Format) -> None:
        self.names = list(names)
        self._output, self._suffix = output, output_format
        self._stack = ExitStack()
        self._writers: dict[str, Any] = {}

    def __enter__(self) -> Parts:
        schema = pa.schema([(name, pa.string()) for name in self.names])
        try:
            for part in PARTS:
                (self._output / part).mkdir(parents=True, exist_ok=True)
                # Not written in place: an earlier run's files stay whole until these are.
                path = self._path(part, ".partial")
                writer: Any = (
                    pq.ParquetWriter(path, schema)
                    if self._suffix == "parquet"
                    else pa_csv.CSVWriter(
                        path, schema, write_options=pa_csv.WriteOptions(quoting_style="needed")
                    )
                )
                self._writers[part] = self._stack.enter_context(writer)
        except BaseException:
            self.__exit__(*sys.exc_info())
            raise
        return self

    def write(self, part: str, rows: pa.RecordBatch) -> None:
        """Add rows to a part."""
        if rows.num_rows:
            self._writers[part].write(rows)

    def __exit__(self, kind: object, error: BaseException | None, _: object) -> None:
        try:
            self._stack.close()
            if kind is None:
                for part in PARTS:
                    self._path(part, ".partial").replace(self._path(part, ""))
        finally:
            for part in PARTS:
                self._path(part, ".partial").unlink(missing_ok=True)

    def _path(self, part: str, ending: str) -> Path:
        return self._output / part / f"{part}.{self._suffix}{ending}"
