"""What a line of JSON Lines is: a record, a list of values, or SageMaker's features and label."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import orjson

from churn_daal.tabular import cells

Kind = Literal["record", "list", "features"]
_KINDS: Final[Mapping[Kind, str]] = {
    "record": "a record",
    "list": "a list of values",
    "features": 'a record of "features" and "label"',
}


@dataclass(frozen=True)
class Shape:
    """What each line of a channel is, and its columns.

    Attributes
    ----------
    kind
        A record of named values, a list of values, or `{"label": 1, "features": [...]}`.
    names
        The columns' names; None for lists.
    width
        How many columns.
    """

    kind: Kind
    names: tuple[str, ...] | None
    width: int

    def columns(self, rows: Sequence[Any]) -> Sequence[Sequence[Any]]:
        """Return the columns of parsed lines, None where a cell is missing.

        Raises
        ------
        CellError
            A line is of another kind, has another length or an unknown name; `index` is its
            place.
        """
        if self.kind == "record":
            return list(zip(*self._by_name(rows), strict=True))
        lists = rows if self.kind == "list" else [_flattened(row) for row in rows]
        for index, row in enumerate(lists):
            if type(row) is not list or len(row) != self.width:
                raise cells.CellError(index, _not_a_list(row, self))
        return list(zip(*lists, strict=True))

    def _by_name(self, rows: Sequence[Any]) -> Iterator[Iterable[Any]]:
        names = self.names or ()
        known = frozenset(names)
        for index, row in enumerate(rows):
            if type(row) is not dict or not row.keys() <= known:
                raise cells.CellError(index, _not_a_record(row, self))
            # Most files have every key in the same order.
            yield row.values() if tuple(row) == names else map(row.get, names)


def learn_shape(rows: Sequence[Any], known: tuple[str, ...] | None) -> Shape:
    """Return the shape of a channel by its first rows.

    Parameters
    ----------
    rows
        At least one.
    known
        Another channel's names: then these are the columns of records.

    Raises
    ------
    CellError
        The first row is a whole table.
    """
    first = rows[0]
    if isinstance(first, list) and first and isinstance(first[0], list | dict):
        raise cells.CellError(
            0,
            "a list of rows, but JSON Lines has one row a line; take the outer list away (in "
            "pandas, to_json with orient='records' and lines=True)",
        )
    if not isinstance(first, dict):
        # Of what is no list either, the row is named when it is read.
        return Shape("list", None, len(first) if isinstance(first, list) else 1)
    features = first.get("features")
    if isinstance(features, list) and first.keys() <= {"features", "label"}:
        names = ("label", *(f"f{place}" for place in range(len(features))))
        return Shape("features", names, len(names))
    seen = dict.fromkeys(name for row in rows if isinstance(row, dict) for name in row)
    names = tuple(seen) if known is None else known
    return Shape("record", names, len(names))


def _flattened(row: Any) -> Any:  # noqa: ANN401 - JSON of any shape
    if type(row) is dict and row.keys() <= {"features", "label"}:
        features = row.get("features")
        return [row.get("label"), *features] if type(features) is list else row
    return row


def _not_a_record(row: Any, shape: Shape) -> str:  # noqa: ANN401 - JSON of any shape
    if not isinstance(row, dict):
        return _another_kind(row, shape)
    name = next(name for name in row if name not in (shape.names or ()))
    listed = ", ".join(shape.names or ())
    return (
        f"the key {cells.shown(name)} is not one of the columns ({listed:.300}), which the first "
        "records of the train channel name; name every column in its first record, null where "
        "it is missing, or take the key out"
    )


def _not_a_list(row: Any, shape: Shape) -> str:  # noqa: ANN401 - JSON of any shape
    if not isinstance(row, list):
        return _another_kind(row, shape)
    extra = shape.kind == "features"
    return (
        f"{len(row) - extra} values, but the first row has {shape.width - extra}; write null for "
        "a missing one"
    )


def _another_kind(row: Any, shape: Shape) -> str:  # noqa: ANN401 - JSON of any shape
    return (
        f"{orjson.dumps(row).decode():.40} where {_KINDS[shape.kind]} was expected; write every "
        "line alike: a record, a list of values, or both label and features"
    )
