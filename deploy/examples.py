"""Rows that a model answers, made from its manifest, for documents that show requests."""

from __future__ import annotations

import csv
import io
from typing import Any

from churn_daal.artifact import Manifest
from churn_daal.tabular.schema import Column


def example_record(manifest: Manifest) -> dict[str, Any]:
    """Return a row by name: the middle of a column's range, its first category, yes."""
    return {column.name: _value(column, manifest) for column in manifest.schema.columns}


def as_csv(manifest: Manifest, *rows: dict[str, Any]) -> str:
    """Return rows by position as the model's CSV has them, without a header."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=manifest.schema.delimiter, lineterminator="\n")
    writer.writerows([_cell(value) for value in row.values()] for row in rows)
    return text.getvalue()


def _value(column: Column, manifest: Manifest) -> object:
    if column.kind == "boolean":
        return True
    if column.kind == "category":
        return column.categories[0] if column.categories else None
    known = manifest.statistics.range_of(column.name)
    if known is None:
        return 0
    low, high = known
    middle = (low + high) / 2
    whole = low.is_integer() and high.is_integer()
    return round(middle) if whole else round(middle, 2)


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)
