"""The same rows in another format train the same model, byte for byte."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest

from churn_daal import training
from churn_daal.contract.paths import SageMakerPaths
from churn_daal.contract.signals import StopSignal

MEDIA = {
    "csv": "text/csv",
    "parquet": "application/x-parquet",
    "jsonl": "application/jsonlines",
}


def rows(text: str) -> pa.Table:
    """Return a CSV as typed columns."""
    return pa_csv.read_csv(io.BytesIO(text.encode()))


def write(path: Path, table: pa.Table) -> None:
    """Write typed columns in the format the file's name says."""
    if path.suffix == ".parquet":
        pq.write_table(table, path)
    elif path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in table.to_pylist()))
    else:
        pa_csv.write_csv(table, path)


def digests(model: Path) -> dict[str, str]:
    """Return the digest of each file of a model."""
    return {
        str(path.relative_to(model)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(model.rglob("*"))
        if path.is_file()
    }


@pytest.mark.parametrize("objective", ["binary:logistic", None])
def test_csv_parquet_and_json_lines_train_the_same_model(
    tmp_path: Path,
    lay_job: Callable[..., SageMakerPaths],
    churn_head: str,
    objective: str | None,
) -> None:
    """Words, yes-or-no words, integers, floats and missing cells, with all that is saved."""
    table = rows(churn_head).slice(0, 300)
    holes = [None if row % 7 == 0 else row / 8 for row in range(table.num_rows)]
    table = table.append_column("holes", pa.array(holes))
    table = table.append_column("flags", pa.array([row % 3 == 0 for row in range(table.num_rows)]))
    options = {} if objective is None else {"objective": objective}
    models = {}
    for suffix, media in MEDIA.items():
        paths = lay_job(
            tmp_path / suffix, None, label="Churn?", num_round=3, max_depth=3, nthread=1, **options
        )
        write(paths.channel("train") / f"train.{suffix}", table)
        paths.config.joinpath("inputdataconfig.json").write_text(
            json.dumps({"train": {"ContentType": media, "TrainingInputMode": "File"}})
        )
        training.run(paths, StopSignal())
        models[suffix] = digests(paths.model)

    assert models["csv"]
    assert models["parquet"] == models["csv"]
    assert models["jsonl"] == models["csv"]
