"""What a model's columns are: learned in training, kept in the manifest, enforced in serving."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cached_property
from operator import itemgetter
from typing import Any, Literal, get_args

from churn_daal.errors import ArtifactError, SchemaError
from churn_daal.tabular import cells

Kind = Literal["number", "boolean", "category"]
Encoding = Literal["onehot", "ordinal"]
_LISTED = 8
_NAME_SHOWN = 60


@dataclass(frozen=True)
class Column:
    """One raw feature.

    Attributes
    ----------
    name
        Its header, or `f0`, `f1`, ... where the training data had none.
    kind
        How its cells are read (docs/schema.md).
    encoding
        For a category: one 0/1 code for each known category, or one ordinal code.
    categories
        The known categories; a category's code is its place here.
    """

    name: str
    kind: Kind
    encoding: Encoding | None = None
    categories: tuple[str, ...] = ()

    @property
    def width(self) -> int:
        """How many columns of the matrix this feature takes."""
        return len(self.categories) if self.encoding == "onehot" else 1

    @property
    def encoded_names(self) -> tuple[str, ...]:
        """Names of those columns, `State=KS` for a one-hot code."""
        if self.encoding != "onehot":
            return (self.name,)
        return tuple(f"{self.name}={category}" for category in self.categories)

    def could_hold(self, cell: str) -> bool:
        """Tell whether a cell would be read as a value of this column."""
        if self.kind == "number":
            return cells.is_number(cell)
        return cells.is_boolean(cell) if self.kind == "boolean" else cell in self.categories

    def to_dict(self) -> dict[str, Any]:
        """Return the manifest's form."""
        data: dict[str, Any] = {"name": self.name, "kind": self.kind}
        if self.kind == "category":
            data |= {"encoding": self.encoding, "categories": list(self.categories)}
        return data

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Column:
        """Read the manifest's form.

        Raises
        ------
        ArtifactError
            It is not a column of this release's format.
        """
        name, kind = data.get("name"), data.get("kind")
        if not isinstance(name, str) or kind is None or kind not in get_args(Kind):
            raise ArtifactError(
                f"daal/manifest.json: {dict(data)!r:.80} is not a column with name and kind"
            )
        if kind != "category":
            return cls(name, kind)
        encoding, categories = data.get("encoding"), data.get("categories")
        if (
            encoding not in get_args(Encoding)
            or not isinstance(categories, list)
            or not all(isinstance(category, str) for category in categories)
        ):
            raise ArtifactError(
                f"daal/manifest.json: category column {name!r} has no encoding or categories"
            )
        return cls(name, kind, encoding, tuple(categories))


@dataclass(frozen=True)
class Schema:
    """The features of a model, in the order in which they come by position.

    Attributes
    ----------
    columns
        The features.
    ignored
        Training columns that are no features (label, weight, identifiers, dropped ones): they
        may come by name, and are passed over.
    delimiter
        What stands between the cells of a CSV line.
    index_base
        The number of the first feature in libsvm text, 0 or 1 (docs/formats.md).
    """

    columns: tuple[Column, ...]
    ignored: tuple[str, ...] = ()
    delimiter: str = ","
    index_base: int = 1
    names: tuple[str, ...] = field(init=False, repr=False, compare=False)
    width: int = field(init=False, repr=False, compare=False)
    _known: frozenset[str] = field(init=False, repr=False, compare=False)
    _names_are_data: bool = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # Worked out once: requests read these.
        names = tuple(column.name for column in self.columns)
        object.__setattr__(self, "names", names)
        object.__setattr__(self, "width", sum(column.width for column in self.columns))
        object.__setattr__(self, "_known", frozenset(names) | frozenset(self.ignored))
        data = all(column.could_hold(column.name) for column in self.columns)
        object.__setattr__(self, "_names_are_data", data)

    @property
    def encoded_names(self) -> tuple[str, ...]:
        """Names of the matrix's columns."""
        return tuple(name for column in self.columns for name in column.encoded_names)

    def knows(self, name: str) -> bool:
        """Tell whether a name is one of the training data's columns."""
        return name in self._known

    @cached_property
    def _getter(self) -> itemgetter[Any]:
        return itemgetter(*self.names)

    def values_of(self, record: Mapping[str, Any]) -> tuple[Any, ...]:
        """Return a record's values in the order of the columns.

        Raises
        ------
        KeyError
            It lacks one of them.
        """
        values = self._getter(record)
        return values if len(self.names) > 1 else (values,)

    def is_header(self, names: Sequence[str]) -> bool:
        """Tell whether a request's first row names columns: each feature, and no unknown one.

        Where the features' names could themselves be a row of data (a category `a` in a
        column `a`), it is data; the media type's `header=present` says otherwise.
        """
        return (
            len(names) >= len(self.names)
            and not self._names_are_data
            and self._known.issuperset(names)
            and set(names).issuperset(self.names)
        )

    def check_names(self, names: Iterable[str], *, row: int | None = None) -> None:
        """Refuse names that do not give each feature once.

        Raises
        ------
        SchemaError
            A name is unknown, comes twice, or a feature's is absent.
        """
        came = Counter(iter(names))  # of a mapping too, its keys
        unknown = [name for name in came if name not in self._known]
        if unknown:
            near = get_close_matches(unknown[0][:_NAME_SHOWN], self._known, n=1)
            hint = f" (did you mean {near[0]!r}?)" if near else ""
            raise SchemaError(
                f"unknown name {_some(unknown)}{hint}; the model's columns: {_some(self.names)}",
                row=row,
            )
        twice = [name for name, count in came.items() if count > 1]
        if twice:
            raise SchemaError(f"the name {_some(twice)} comes twice; send each once", row=row)
        absent = [name for name in self.names if name not in came]
        if absent:
            raise SchemaError(
                f"{len(came)} names came, {_some(absent)} of the model's {len(self.names)} "
                "columns not among them; send null (JSON) or an empty cell for a missing value",
                row=row,
            )

    def check_count(self, count: int, *, row: int) -> None:
        """Refuse a row by position that has another number of values than the model has columns.

        Raises
        ------
        SchemaError
            Naming the row and both widths.
        """
        if count != len(self.columns):
            raise SchemaError(
                f"{count} values came, the model expects {len(self.columns)}: {_some(self.names)}. "
                "Leave out the label and any column that was dropped in training",
                row=row,
            )

    def to_dict(self) -> dict[str, Any]:
        """Return the manifest's form."""
        return {
            "columns": [column.to_dict() for column in self.columns],
            "ignored": list(self.ignored),
            "delimiter": self.delimiter,
            "index_base": self.index_base,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Schema:
        """Read the manifest's form.

        Raises
        ------
        ArtifactError
            It is not a schema of this release's format.
        """
        columns, ignored, delimiter = (data.get(k) for k in ("columns", "ignored", "delimiter"))
        if not (isinstance(columns, list) and columns and isinstance(ignored, list)):
            raise ArtifactError(
                "daal/manifest.json: schema has no list of columns, or none of ignored names"
            )
        if not (isinstance(delimiter, str) and len(delimiter) == 1):
            raise ArtifactError(f"daal/manifest.json: delimiter {delimiter!r} is not one character")
        base = data.get("index_base", 1)
        if base not in {0, 1}:
            raise ArtifactError(f"daal/manifest.json: index_base {base!r:.80} is neither 0 nor 1")
        known = tuple(map(Column.from_dict, columns))
        return cls(known, tuple(map(str, ignored)), delimiter, base)


def _some(names: Iterable[str]) -> str:
    listed = list(names)
    text = ", ".join(repr(name[:_NAME_SHOWN]) for name in listed[:_LISTED])
    return text if len(listed) <= _LISTED else f"{text}, ... ({len(listed)} in all)"
