"""Labelled rows, read by a model's own schema and answered by it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from churn_daal.artifact import Model
from churn_daal.boosting.metrics import CLASS_ONLY, POSITIVE_LABEL, is_positive, probability
from churn_daal.errors import UserError
from churn_daal.tabular.batch import Reader
from churn_daal.tabular.csv_channel import CsvReader
from churn_daal.tabular.files import channel_files
from churn_daal.tabular.learn import encode, text_features
from churn_daal.tabular.parquet_channel import ParquetReader
from churn_daal.tabular.reading import read_table
from churn_daal.tabular.roles import RoleNames, Roles, resolve
from churn_daal.tabular.target import encode_target

# Encoded cells that are dense at a time: 64 MB.
_CELLS: Final = 1 << 24
# The raw cells that stay in memory; beyond them they go to the local disk.
_BUDGET: Final = 1 << 30
_PARQUET: Final = b"PAR1"


@dataclass(frozen=True)
class Answered:
    """What a binary classifier said of rows whose class is known.

    Attributes
    ----------
    truth
        bool (n,), whether the row is of the positive class.
    probability
        float (n,), of the positive class, as the engine answered.
    positive
        bool (n,), whether the answer is the positive class, by the manifest's threshold.
    """

    truth: NDArray[np.bool_]
    probability: NDArray[np.floating]
    positive: NDArray[np.bool_]


def answer_rows(
    model: Model, source: Path, *, label: str | None = None, others: bool = False
) -> Answered:
    """Answer the rows of a CSV or Parquet file, or of a folder of them.

    Parameters
    ----------
    model
        One of a binary objective that answers probabilities.
    source
        Raw rows with the model's columns, in any order where they have names, and the label.
    label
        The label's column; by default the one the model was trained on.
    others
        Whether columns that were not there in training are passed over, as they are where two
        models of different columns answer the same rows.

    Raises
    ------
    UserError
        The model is no such one, or the rows do not fit it; file, row and column are named.
    """
    manifest = model.manifest
    if not manifest.objective.startswith("binary:") or manifest.objective == CLASS_ONLY:
        raise UserError(
            f"the model's objective is {manifest.objective}; only a binary one that answers "
            "probabilities, such as binary:logistic, is judged here"
        )
    name = label or manifest.labels.name
    if name is None:
        raise UserError("the model does not say what its label is called; name the label's column")
    reader = _open(source, manifest.schema.delimiter)
    roles = _roles(reader, model, name, lenient=others)
    texts = text_features(manifest.schema, roles)
    place = roles.label or 0
    table = read_table(
        reader,
        features=roles.features,
        keep=[place],
        text=texts | {place},
        numbers=frozenset(roles.features) - texts,
        budget=_BUDGET,
    )
    y = encode_target(table, place, task="binary", labels=manifest.labels)
    frame = encode(table, manifest.schema, roles)
    most = max(1, _CELLS // frame.width)
    starts = range(0, len(frame), most)
    parts = [model.predict(frame.dense(np.arange(s, min(s + most, len(frame))))) for s in starts]
    response = np.concatenate(parts)
    return Answered(
        truth=np.asarray(y >= POSITIVE_LABEL),
        probability=probability(manifest.objective, response),
        positive=is_positive(manifest.objective, response, manifest.threshold),
    )


def _open(source: Path, delimiter: str) -> Reader:
    if not source.exists():
        raise UserError(f"there are no rows {source}; give a CSV or Parquet file, or their folder")
    files = [source] if source.is_file() else channel_files(source)
    with files[0].open("rb") as file:
        is_parquet = file.read(len(_PARQUET)) == _PARQUET
    return ParquetReader(files) if is_parquet else CsvReader(files, delimiter=delimiter)


def _roles(reader: Reader, model: Model, label: str, *, lenient: bool) -> Roles:
    """Return the model's features in its own order; what it ignored in training is passed over."""
    schema = model.manifest.schema
    names = reader.names
    if names is None:
        return resolve(RoleNames(label=label), reader)
    absent = [name for name in schema.names if name not in names]
    if absent:
        raise UserError(
            f"{reader.files[0].name}: no column {absent[0]!r}, which the model was trained on; "
            f"its columns: {', '.join(schema.names[:30])}"
        )
    others = tuple(name for name in names if name not in schema.names and name != label)
    unknown = [name for name in others if name not in schema.ignored]
    if unknown and not lenient:
        raise UserError(
            f"{reader.files[0].name}: column {unknown[0]!r} was not there in training; rows of "
            "another shape are of another model, or leave the column out"
        )
    roles = resolve(RoleNames(label=label, drop_columns=others), reader)
    return replace(roles, features=tuple(names.index(name) for name in schema.names))
