"""Reads a channel's JSON Lines files in blocks: one record or one list of values a line."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Final

import orjson
import pyarrow as pa

from churn_daal.errors import DataError, UserError
from churn_daal.tabular import cells
from churn_daal.tabular.batch import Batch, Source
from churn_daal.tabular.columns import Numbers
from churn_daal.tabular.files import text_blocks
from churn_daal.tabular.jsonlines_rows import learn_shape
from churn_daal.tabular.typed import json_piece

# Parsed rows take many times the memory of their text.
_BLOCK_BYTES: Final = 1 << 20


class JsonLinesReader:
    """JSON Lines files, every line of one kind, a `Reader`.

    A line is a record of named values, a list of values, or `{"label": 1, "features": [...]}`,
    whose columns are called label, f0, f1 and so on. The columns of records are the names in
    the first block of the first file, in order of appearance.

    Parameters
    ----------
    files
        At least one.
    charset
        The files' character set.
    known
        Another channel's names: then these are the columns of records.

    Raises
    ------
    UserError
        Naming file and row: not JSON, or a line of another kind.
    """

    categorical: frozenset[int] = frozenset()
    delimiter = ","

    def __init__(
        self,
        files: Sequence[Path],
        *,
        charset: str = "utf-8",
        known: tuple[str, ...] | None = None,
        block_bytes: int = _BLOCK_BYTES,
    ) -> None:
        self.files = tuple(files)
        self._charset, self._block_bytes = charset, block_bytes
        block = next(self._blocks(0), None)
        if block is None:
            raise UserError(f"{self.files[0].name}: only empty lines; expected a record a line")
        try:
            self._shape = learn_shape(block.rows, known)
        except cells.CellError as error:
            raise block.fault(error.reason, error.index) from None
        self.names, self.width = self._shape.names, self._shape.width

    def batches(self, wanted: Collection[int], text: Collection[int]) -> Iterator[Batch]:
        """Yield every row in order; see `Reader`."""
        for number in range(len(self.files)):
            for block in self._blocks(number):
                values = self._columns(block)
                columns = {p: self._piece(block, values[p], p, text=p in text) for p in wanted}
                yield Batch(number, len(block.rows), columns)

    def source(self, file: int) -> Source:
        """Return what is known of a file."""
        return Source(self.files[file], header=False, order=tuple(range(self.width)))

    def line(self, file: int, index: int) -> int:
        """Return the line, from 1, of a file's record by its 0-based index."""
        for block in self._blocks(file):
            if index < len(block.rows):
                return block.line(index)
            index -= len(block.rows)
        raise IndexError(index)

    def _blocks(self, number: int) -> Iterator[_Block]:
        path, before = self.files[number], 0
        for data in text_blocks(path, charset=self._charset, size=self._block_bytes):
            block = _Block(path, data, before)
            before += data.count(b"\n")
            if block.rows:
                yield block

    def _columns(self, block: _Block) -> Sequence[Sequence[Any]]:
        try:
            return self._shape.columns(block.rows)
        except cells.CellError as error:
            raise block.fault(error.reason, error.index) from None

    def _piece(
        self, block: _Block, values: Sequence[Any], position: int, *, text: bool
    ) -> Numbers | pa.Array:
        try:
            return json_piece(values, text=text)
        except cells.CellError as error:
            place = None if self._shape.kind == "record" else position + 1
            name = self.names[position] if self.names else None
            raise block.fault(error.reason, error.index, place, name) from None


class _Block:
    """Whole lines of a file, parsed.

    Parameters
    ----------
    path
        The file.
    data
        The lines.
    before
        How many lines of the file stand before them.

    Raises
    ------
    UserError
        A line is not JSON; file and row are named.
    """

    def __init__(self, path: Path, data: bytes, before: int) -> None:
        self._path, self._data, self._before = path, data, before
        self.rows: list[Any] = []
        try:
            for line in data.split(b"\n"):
                if line and not line.isspace():
                    self.rows.append(orjson.loads(line))
        except orjson.JSONDecodeError as error:
            raise self.fault(
                f"{error.msg}, at character {error.pos + 1}; write one whole record on each line "
                "(in pandas, to_json with orient='records' and lines=True), and null for missing",
                len(self.rows),
            ) from None

    def line(self, index: int) -> int:
        """Return the file's line, from 1, of a row by its place among `rows`."""
        lines = enumerate(self._data.split(b"\n"), start=self._before + 1)
        filled = (number for number, line in lines if line and not line.isspace())
        return next(islice(filled, index, None))

    def fault(
        self, reason: str, index: int, column: int | None = None, name: str | None = None
    ) -> UserError:
        """Return the error that names file, row and column."""
        place = DataError(reason, row=self.line(index), column=column, name=name)
        return UserError(f"{self._path.name}: {place}")
