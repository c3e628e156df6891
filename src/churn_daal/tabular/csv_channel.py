"""Reads a channel's CSV files in blocks, parsed on every core and handed over in order."""

from __future__ import annotations

import csv
import logging
from collections import deque
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pa_csv

from churn_daal.errors import UserError
from churn_daal.tabular import cells
from churn_daal.tabular.batch import Batch, Source
from churn_daal.tabular.columns import Numbers, plain_columns
from churn_daal.tabular.csv_lines import find_fault, line_of, records
from churn_daal.tabular.files import BLOCK_BYTES, text_blocks
from churn_daal.tabular.header import Header, is_header
from churn_daal.tabular.table import match_columns

log = logging.getLogger(__name__)
# Rows below the first that tell a header from data.
SAMPLE = 100
_MISSING = sorted(cells.MISSING)
# While it parses in the main thread, Arrow takes SIGTERM and Ctrl-C from whoever handles them, and
# raises: a job that is stopped would fail.
pa.enable_signal_handlers(enable=False)


@dataclass(frozen=True)
class _File:
    """One file, opened: its header, its width, and its first block as text."""

    path: Path
    names: tuple[str, ...] | None
    width: int
    order: tuple[int, ...] = field(default=())


class CsvReader:
    """CSV files (one header or none in each alike), a `Reader`.

    Parameters
    ----------
    files
        At least one.
    header
        Whether row 1 of each names the columns; `auto` looks (see `is_header`).
    delimiter
        One character.
    charset
        The files' character set.
    known
        Another channel's header: the same names in row 1 are one.
    threads
        Blocks parsed at once.

    Raises
    ------
    UserError
        Naming file and row: not UTF-8, a ragged row, headers that differ.
    """

    categorical: frozenset[int] = frozenset()

    def __init__(
        self,
        files: Sequence[Path],
        *,
        header: Header = "auto",
        delimiter: str = ",",
        charset: str = "utf-8",
        known: tuple[str, ...] | None = None,
        threads: int = 1,
        block_bytes: int = BLOCK_BYTES,
    ) -> None:
        self.files = tuple(files)
        self.delimiter = delimiter
        self._header, self._charset, self._known = header, charset, known
        self._threads, self._block_bytes = threads, block_bytes
        self._opened: dict[int, _File] = {}
        self._sound: set[Path] = set()
        blocks = self._blocks(0)
        self._opened[0] = self._open(0, next(blocks, b""))[0]
        self.names, self.width = self._opened[0].names, self._opened[0].width

    def batches(self, wanted: Collection[int], text: Collection[int]) -> Iterator[Batch]:
        """Yield every row in order; see `Reader`."""
        with ThreadPoolExecutor(self._threads) as pool:
            for number in range(len(self.files)):
                yield from self._file_batches(number, wanted, text, pool)

    def source(self, file: int) -> Source:
        """Return what is known of a file that was opened."""
        opened = self._opened[file]
        return Source(opened.path, opened.names is not None, opened.order)

    def line(self, file: int, index: int) -> int:
        """Return the line, from 1, of a file's record by its 0-based index."""
        has_header = self._opened[file].names is not None
        return line_of(self.files[file], index + has_header, self.delimiter, self._charset)

    def _blocks(self, number: int) -> Iterator[bytes]:
        return text_blocks(
            self.files[number],
            delimiter=self.delimiter,
            charset=self._charset,
            size=self._block_bytes,
        )

    def _file_batches(
        self,
        number: int,
        wanted: Collection[int],
        text: Collection[int],
        pool: ThreadPoolExecutor,
    ) -> Iterator[Batch]:
        blocks = self._blocks(number)
        opened, first = self._open(number, next(blocks, b""))
        self._opened[number] = opened
        place = {position: opened.order[position] for position in wanted}
        if first.num_rows:
            columns = {position: _flat(first.column(own)) for position, own in place.items()}
            yield Batch(number, first.num_rows, columns)
        waiting: deque[Future[Batch]] = deque()
        for data in blocks:
            texts = frozenset(text)
            waiting.append(pool.submit(self._parse_block, number, opened, data, place, texts))
            if len(waiting) > self._threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()

    def _open(self, number: int, data: bytes) -> tuple[_File, pa.Table]:
        """Return a file's facts and the rows of its first block, a header taken off."""
        path = self.files[number]
        try:
            width = len(next(records(path, self.delimiter, charset=self._charset))[1])
        except StopIteration:
            raise UserError(f"{path.name}: only empty lines; expected rows of data") from None
        except (UnicodeDecodeError, csv.Error) as error:
            raise self._fault(path, error) from error
        table = self._parse(path, data, width, {f"f{p}": pa.string() for p in range(width)})
        top = tuple(str(column[0].as_py()).strip(cells.WHITESPACE) for column in table.columns)
        known = self._opened[0].names if number else self._known
        present = self._header == "present"
        if self._header == "auto":
            present = is_header(path.name, top, table.slice(1, SAMPLE), known)
        if present:
            _check_names(path, top)
            table = table.slice(1)
        names = top if present else None
        first = self._opened.get(0)
        like = (names or width) if first is None else (first.names or first.width)
        order = match_columns(path.name, names or width, self.files[0].name, like)
        return _File(path, names, width, tuple(order)), table

    def _parse_block(
        self,
        number: int,
        opened: _File,
        data: bytes,
        place: dict[int, int],
        text: frozenset[int],
    ) -> Batch:
        types = {
            f"f{own}": pa.string() if position in text else pa.float64()
            for position, own in place.items()
        }
        try:
            # Arrow reads on to the end of the block where a quote is not closed.
            closed = not _unclosed(data)
            table = _read(data, opened.width, self.delimiter, types) if closed else None
        except pa.ArrowInvalid:
            table = None
        if table is None:
            # A cell that is no plain number, or a row that is no row: the texts tell.
            types = dict.fromkeys(types, pa.string())
            table = self._parse(opened.path, data, opened.width, types)
        came = {position: _flat(table.column(f"f{own}")) for position, own in place.items()}
        floats = {p: array for p, array in came.items() if pa.types.is_floating(array.type)}
        columns: dict[int, Numbers | pa.Array] = came | plain_columns(floats)
        odd = {f"f{place[p]}": p for p in floats if isinstance(columns[p], pa.Array)}
        if odd:
            texts = self._parse(opened.path, data, opened.width, dict.fromkeys(odd, pa.string()))
            columns |= {position: _flat(texts.column(name)) for name, position in odd.items()}
        return Batch(number, table.num_rows, columns)

    def _parse(
        self, path: Path, data: bytes, width: int, types: dict[str, pa.DataType]
    ) -> pa.Table:
        try:
            table = _read(data, width, self.delimiter, types)
        except pa.ArrowInvalid as error:
            raise self._fault(path, error) from error
        if _unclosed(data) and path not in self._sound:
            fault = find_fault(path, self.delimiter, self._charset)
            if fault is not None:
                raise fault
            # Once a file: a quote within a cell makes half of its blocks look unclosed.
            self._sound.add(path)
        return table

    def _fault(self, path: Path, error: Exception) -> UserError:
        reason = str(error).splitlines()[0]
        return find_fault(path, self.delimiter, self._charset) or UserError(
            f"{path.name}: cannot be read as CSV: {reason:.300}"
        )


def _read(data: bytes, width: int, delimiter: str, types: dict[str, pa.DataType]) -> pa.Table:
    names = [f"f{place}" for place in range(width)]
    return pa_csv.read_csv(
        pa.BufferReader(data),
        read_options=pa_csv.ReadOptions(
            column_names=names, use_threads=False, block_size=len(data) + 1
        ),
        parse_options=pa_csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
        convert_options=pa_csv.ConvertOptions(
            column_types=types,
            include_columns=[name for name in names if name in types],
            null_values=_MISSING,
            strings_can_be_null=False,
        ),
    )


def _unclosed(data: bytes) -> bool:
    # Looking for the first quote is ten times as fast as counting none.
    return b'"' in data and data.count(b'"') % 2 == 1


def _flat(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _check_names(path: Path, names: tuple[str, ...]) -> None:
    if len(set(names)) == len(names) and "" not in names:
        return
    bad = next((name for name in names if not name or names.count(name) > 1), "")
    raise UserError(
        f"{path.name}: row 1: the header has the name {bad!r} "
        f"{'twice' if bad else '(an empty one)'}; give every column its own name, "
        "or set header=absent"
    )
