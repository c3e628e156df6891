"""What the training data was like: the manifest, and with it statistics.json where there is one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from churn_daal.artifact import Manifest
from churn_daal.errors import UserError
from churn_daal.tabular import cells
from churn_daal.tabular.codes import codes_of
from churn_daal.tabular.schema import Column

_REMEDY = "expected the statistics.json that the model's training job left in output/data"


@dataclass(frozen=True)
class ColumnBaseline:
    """A raw column of the train channel.

    Attributes
    ----------
    column
        Of the schema.
    missing
        Share of its cells that were missing; None where the manifest does not tell.
    edges
        float64, the bounds between buckets of a number column, ascending. Bucket 0 lies below
        the first; empty of another column, and where the distribution is not known.
    counts
        float64, how many training cells each bucket held: of a number column len(edges) + 1, else
        one for each of `names`; empty where the distribution is not known.
    names
        What the buckets of another column are: its categories, or no and yes.
    """

    column: Column
    missing: float | None
    edges: NDArray[np.float64]
    counts: NDArray[np.float64]
    names: tuple[str, ...] = ()


def baseline_of(manifest: Manifest, statistics: Path | None) -> tuple[ColumnBaseline, ...]:
    """Return the baseline of each column, in the schema's order.

    Parameters
    ----------
    manifest
        The model's.
    statistics
        Model Monitor's statistics.json of the training data; None for shares and ranges alone.

    Raises
    ------
    UserError
        The file is not that document, or is another model's.
    """
    features = {} if statistics is None else _features(statistics)
    columns = manifest.schema.columns
    absent = [column.name for column in columns if column.name not in features]
    if statistics is not None and absent:
        raise UserError(f"{statistics} has no column {absent[0]!r}, which the model has; {_REMEDY}")
    return tuple(
        _column(column, manifest, features.get(column.name), str(statistics)) for column in columns
    )


def _features(path: Path) -> dict[str, Any]:
    try:
        document = orjson.loads(path.read_bytes())
        return {feature["name"]: feature for feature in document["features"]}
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}; {_REMEDY}") from None
    except (ValueError, TypeError, KeyError) as error:
        raise UserError(f"{path} is not that document ({error!r:.80}); {_REMEDY}") from None


def _column(
    column: Column, manifest: Manifest, feature: Mapping[str, Any] | None, source: str
) -> ColumnBaseline:
    known = manifest.statistics.columns.get(column.name)
    missing = None if known is None else known.missing
    nothing = np.empty(0)
    names = column.categories if column.kind == "category" else ("no", "yes")
    if column.kind == "number":
        names = ()
    if feature is None:
        return ColumnBaseline(column, missing, nothing, nothing, names)
    try:
        if column.kind == "number":
            edges, counts = _number_buckets(feature)
        else:
            edges, counts = nothing, _category_counts(feature, column, names)
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(
            f"{source}: column {column.name!r} has no distribution of a {column.kind} column "
            f"({error!r:.80}); {_REMEDY}"
        ) from None
    return ColumnBaseline(column, missing, edges, counts, names)


def _number_buckets(feature: Mapping[str, Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    if "numerical_statistics" not in feature:
        # A column all of whose cells were missing has no figures.
        return np.empty(0), np.empty(0)
    buckets = feature["numerical_statistics"]["distribution"]["kll"]["buckets"]
    # A whole column of one value has buckets of no width; the first of them tells where it lies.
    edges = [buckets[0]["lower_bound"], *(bucket["upper_bound"] for bucket in buckets)]
    counts = [0.0, *(bucket["count"] for bucket in buckets), 0.0]
    return np.asarray(edges, dtype=np.float64), np.asarray(counts, dtype=np.float64)


def _category_counts(
    feature: Mapping[str, Any], column: Column, names: tuple[str, ...]
) -> NDArray[np.float64]:
    counts = np.zeros(len(names))
    if "string_statistics" not in feature:
        return np.empty(0)
    codes = codes_of(column)
    for bucket in feature["string_statistics"]["distribution"]["categorical"]["buckets"]:
        if column.kind == "boolean":
            [value] = cells.booleans([bucket["value"]])
            code = None if np.isnan(value) else int(value)
        else:
            code = codes.get(cells.category(bucket["value"]) or "")
        if code is not None:
            counts[code] += bucket["count"]
    return counts
