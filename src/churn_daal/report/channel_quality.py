"""What one channel holds, gathered batch by batch in memory that does not grow with its rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from churn_daal.report.column_quality import Codes, ColumnQuality, Numbers
from churn_daal.report.leakage import SAME, Correlation, Separation
from churn_daal.report.row_hashes import Hashes, RowHashes, hash_rows, hash_texts
from churn_daal.report.sketch import SIZE
from churn_daal.tabular.labels import Labels
from churn_daal.tabular.schema import Column

Cells = Numbers | tuple[Codes, Sequence[str]]
Task = Literal["binary", "multiclass", "regression", "ranking", "survival"]

# Values that the sketches of all columns keep together, 16 MB of them: wide data gets coarser ones.
_SKETCHED = 2**22
_SMALLEST_SKETCH = 128


@dataclass(frozen=True)
class SourceFile:
    """A file that was read.

    Attributes
    ----------
    name
        Its path below the channel's folder.
    rows
        Data rows in it.
    """

    name: str
    rows: int


class ChannelQuality:
    """Quality of a channel's columns, label and rows.

    Parameters
    ----------
    columns
        The raw features.
    labels, task
        What the label holds.
    seek_leaks
        Whether to look for columns that tell the label; of use for the train channel.
    """

    def __init__(
        self, columns: Sequence[Column], labels: Labels, task: Task, *, seek_leaks: bool = False
    ) -> None:
        self._made_of = (tuple(columns), labels, task, seek_leaks)
        size = min(SIZE, max(_SMALLEST_SKETCH, _SKETCHED // (3 * max(1, len(columns)))))
        self.columns = [ColumnQuality(c.name, c.kind, sketch_size=size) for c in columns]
        self.labels, self.task = labels, task
        self.files: list[SourceFile] = []
        self.hashes = RowHashes()
        self.label = ColumnQuality(labels.name or "label", "number")
        self._class_rows = np.zeros(len(labels.classes), dtype=np.int64)
        seek = seek_leaks and task in {"binary", "multiclass"}
        self._separations = [Separation(len(labels.classes)) for _ in columns] if seek else []
        seek = seek_leaks and task == "regression"
        self._correlations = [Correlation() for _ in columns] if seek else []
        self._texts: dict[int, tuple[Sequence[str], Hashes]] = {}

    @property
    def rows(self) -> int:
        """Rows seen."""
        return self.label.rows

    def add(self, batch: Sequence[Cells], y: Numbers) -> None:
        """Add rows.

        Parameters
        ----------
        batch
            For each column float32 (n,), NaN missing, or int codes (n,) and the list of
            distinct texts they count in; a code below 0 is missing.
        y
            float32 (n,), the encoded labels.

        Raises
        ------
        ValueError
            There are more or fewer columns than were announced.
        """
        numeric = y.astype(np.float32)
        self.label.add_numbers(numeric)
        if self.labels.classes:
            classes = self._classes(numeric)
            self._class_rows += np.bincount(classes, minlength=len(self._class_rows))
        hashed: list[Numbers | tuple[Codes, Hashes]] = [numeric]
        for place, (column, values) in enumerate(zip(self.columns, batch, strict=True)):
            if isinstance(values, tuple):
                column.add_codes(*values)
                hashed.append((values[0], self._hashed(place, values[1])))
            else:
                column.add_numbers(values)
                hashed.append(values)
            if self._separations and isinstance(values, tuple):
                self._separations[place].add_codes(*values, classes)
            elif self._separations and not isinstance(values, tuple):
                self._separations[place].add_numbers(values, classes)
            elif self._correlations and not isinstance(values, tuple):
                self._correlations[place].add(values, numeric)
        self.hashes.add(hash_rows(hashed))

    def add_file(self, name: str, rows: int) -> None:
        """Note a file that was read."""
        # A name that is not UTF-8 comes with surrogates, which JSON cannot hold.
        shown = name.encode("utf-8", "backslashreplace").decode()
        self.files.append(SourceFile(shown, rows))

    def merge(self, other: ChannelQuality) -> None:
        """Add what another host has seen of the same channel."""
        for own, its in zip(self.columns, other.columns, strict=True):
            own.merge(its)
        for own_separation, its_separation in zip(
            self._separations,
            other._separations,
            strict=True,
        ):
            own_separation.merge(its_separation)
        for own_correlation, its_correlation in zip(
            self._correlations,
            other._correlations,
            strict=True,
        ):
            own_correlation.merge(its_correlation)
        self.label.merge(other.label)
        self._class_rows += other._class_rows
        self.hashes.merge(other.hashes)
        self.files += other.files

    def twin(self) -> ChannelQuality:
        """Return an empty one of the same columns and label."""
        columns, labels, task, seek_leaks = self._made_of
        return ChannelQuality(columns, labels, task, seek_leaks=seek_leaks)

    def telling(self) -> list[tuple[str, str]]:
        """Return the columns that tell the label by themselves, each with how."""
        found = [
            (column.name, "its values alone tell the class of every row")
            for column, separation in zip(self.columns, self._separations, strict=False)
            if separation.perfect
        ]
        return found + [
            (column.name, f"its correlation with the label is {correlation.value:.6f}")
            for column, correlation in zip(self.columns, self._correlations, strict=False)
            if abs(correlation.value) >= SAME
        ]

    def balance(self) -> list[dict[str, Any]]:
        """Return rows and share of each class; empty where the label is a number."""
        return [
            {"class": label, "rows": int(rows), "share": rows / max(1, self.rows)}
            for label, rows in zip(self.labels.classes, self._class_rows, strict=True)
        ]

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON's types."""
        label: dict[str, Any] = {"name": self.labels.name, "task": self.task}
        label |= {"classes": self.balance()} if self.labels.classes else self.label.to_json()
        return {
            "rows": self.rows,
            "files": [{"name": file.name, "rows": file.rows} for file in self.files],
            "duplicate_rows": self.hashes.repeated(),
            "duplicate_rows_exact": self.hashes.exact,
            "label": label | {"name": self.labels.name},
            "columns": [column.to_json() for column in self.columns],
        }

    def _classes(self, y: Numbers) -> NDArray[np.intp]:
        # A share of the positive class counts as the class it is nearer to.
        return np.asarray(y >= 0.5 if self.task == "binary" else y).astype(np.intp)

    def _hashed(self, place: int, distinct: Sequence[str]) -> Hashes:
        # The list of texts grows from batch to batch, or is a new one.
        texts, hashes = self._texts.get(place, ((), np.empty(0, dtype=np.uint64)))
        if texts is not distinct:
            hashes = hashes[:0]
        if len(hashes) < len(distinct):
            hashes = np.concatenate([hashes, hash_texts(distinct[len(hashes) :])])
        self._texts[place] = (distinct, hashes)
        return hashes
