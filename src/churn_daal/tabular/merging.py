"""What the hosts of a job tell each other of their columns, so that all learn one schema."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from churn_daal.errors import UserError
from churn_daal.tabular.batch import Reader, Source
from churn_daal.tabular.columns import TextColumn
from churn_daal.tabular.table import Table

Gather = Callable[[Any], list[Any]]


class EmptyReader:
    """The `Reader` of a host that has no files: the columns of the others, and no rows."""

    def __init__(self, names: tuple[str, ...] | None, width: int, delimiter: str) -> None:
        self.names, self.width, self.delimiter = names, width, delimiter
        self.files: tuple[Path, ...] = (Path("the first host"),)
        self.categorical: frozenset[int] = frozenset()

    def batches(self, _wanted: Collection[int], _text: Collection[int]) -> Any:  # noqa: ANN401
        """Yield nothing."""
        return iter(())

    def source(self, file: int) -> Source:
        """Return the place of a row; there is none."""
        return Source(self.files[file], header=False, order=tuple(range(self.width)))

    def line(self, _file: int, index: int) -> int:
        """Return the line of a row; there is none."""
        return index + 1


def same_columns(own: Reader | None, gather: Gather) -> Reader:
    """Return a reader without rows, of the columns of the first host that has files.

    Parameters
    ----------
    own
        This host's reader; None where it has no files.
    gather
        Gives what every host says, in the order of the hosts.

    Raises
    ------
    UserError
        No host has files.
    """
    said = None
    if own is not None:
        said = [own.names, own.width, own.delimiter, sorted(own.categorical)]
    headings = [heading for heading in gather(said) if heading is not None]
    if not headings:
        raise UserError("no host has a file with content in its train channel; check its location")
    names, width, delimiter, _ = headings[0]
    empty = EmptyReader(None if names is None else tuple(names), width, delimiter)
    empty.categorical = frozenset(p for heading in headings for p in heading[3])
    return empty


def text_elsewhere(table: Table, gather: Gather) -> frozenset[int]:
    """Return the columns that hold text on another host and numbers on this one."""
    own = sorted(p for p, column in table.columns.items() if isinstance(column, TextColumn))
    everywhere = {position for positions in gather(own) for position in positions}
    return frozenset(everywhere.difference(own))


def share_texts(table: Table, gather: Gather, place: int) -> None:
    """Add to each column of texts what the other hosts hold of it.

    Parameters
    ----------
    table
        This host's; its columns of texts are changed.
    gather
        Gives what every host says, in the order of the hosts.
    place
        This host's place among them.
    """
    texts = {p: c for p, c in sorted(table.columns.items()) if isinstance(c, TextColumn)}
    said = [[column.distinct, column.counts.tolist()] for column in texts.values()]
    for host, columns in enumerate(gather(said)):
        if host != place:
            for column, (distinct, counts) in zip(texts.values(), columns, strict=True):
                column.absorb(distinct, counts)
