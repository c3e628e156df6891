"""Another channel's files, read in the order of the train channel's columns."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from pathlib import Path

from churn_daal.tabular.batch import Batch, Reader, Source
from churn_daal.tabular.table import match_columns


class AlignedReader:
    """A `Reader` whose positions are another one's.

    Parameters
    ----------
    reader
        The files.
    like
        The reader of the train channel.

    Raises
    ------
    UserError
        The two do not have the same columns.
    """

    def __init__(self, reader: Reader, like: Reader) -> None:
        self._reader = reader
        self._order = match_columns(
            reader.files[0].name,
            reader.names or reader.width,
            like.files[0].name,
            like.names or like.width,
        )
        self.files: tuple[Path, ...] = reader.files
        self.names, self.width, self.delimiter = like.names, like.width, reader.delimiter
        back = {own: position for position, own in enumerate(self._order)}
        self.categorical = like.categorical | {back[own] for own in reader.categorical}

    def batches(self, wanted: Collection[int], text: Collection[int]) -> Iterator[Batch]:
        """Yield every row in order; see `Reader`."""
        own = {position: self._order[position] for position in wanted}
        texts = {own[position] for position in text}
        for batch in self._reader.batches(own.values(), texts):
            # The caller adds columns that turn out to hold text.
            columns = {position: batch.columns[place] for position, place in own.items()}
            yield replace(batch, columns=columns)
            texts |= {own[position] for position in text}

    def source(self, file: int) -> Source:
        """Return what is known of a file, its order as this reader's."""
        source = self._reader.source(file)
        return replace(source, order=tuple(source.order[own] for own in self._order))

    def line(self, file: int, index: int) -> int:
        """Return the row of a file's record."""
        return self._reader.line(file, index)
