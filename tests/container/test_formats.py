"""`docker run IMAGE train` reads every format: the same rows give the same model."""

from __future__ import annotations

import gzip
import io
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest

from churn_daal import artifact
from churn_daal.tabular.record_message import encode_record
from churn_daal.tabular.recordio import frame

from .conftest import Train
from .drive import failure_of, lay_job, model_bytes

pytestmark = pytest.mark.container
RNG = np.random.default_rng(7)
ROWS = 200
# Quarters: every format, text or binary, holds them exactly.
X = RNG.integers(0, 40, (ROWS, 3)) / 4
Y = (X[:, 0] + X[:, 1] > 10).astype(int)
NAMED = pa.table(
    {
        "left": pa.array(["yes" if label else "no" for label in Y]),
        "plan": pa.array([("basic", "family", "roaming")[n % 3] for n in range(ROWS)]),
        "minutes": pa.array([None if n % 9 == 0 else value for n, value in enumerate(X[:, 0])]),
        "calls": pa.array(X[:, 1].astype(int)),
        "abroad": pa.array(X[:, 2] > 5),
    }
)
MEDIA = {
    "rows.csv.gz": "text/csv",
    "rows.svm": "text/libsvm",
    "rows.pbr": "application/x-recordio-protobuf",
    "named.csv.zst": "text/csv; charset=utf-8; label_size=1",
    "named.parquet": "application/x-parquet",
    "named.jsonl": "application/jsonlines",
}


def csv_text(table: pa.Table) -> bytes:
    """Write a table as CSV."""
    sink = io.BytesIO()
    pa_csv.write_csv(table, sink)
    return sink.getvalue()


def parquet(table: pa.Table) -> bytes:
    """Write a table as Parquet, its texts as dictionaries, as of a pandas Categorical."""
    place = table.schema.get_field_index("plan")
    sink = io.BytesIO()
    pq.write_table(
        table.set_column(place, "plan", table.column(place).dictionary_encode()),
        sink,
        row_group_size=64,
    )
    return sink.getvalue()


def content(name: str) -> bytes:
    """Return the rows in the format a file's name says."""
    pairs = list(zip(X.tolist(), Y.tolist(), strict=True))
    if name == "rows.csv.gz":
        lines = (f"{label},{','.join(map(str, row))}\n" for row, label in pairs)
        return gzip.compress("".join(lines).encode())
    if name == "rows.svm":
        lines = (f"{label} 1:{a} 2:{b} 3:{c}\n" for (a, b, c), label in pairs)
        return "".join(lines).encode()
    if name == "rows.pbr":
        return b"".join(
            frame(encode_record(np.float32(row), label={"values": np.float32([label])}))
            for row, label in pairs
        )
    if name == "named.csv.zst":
        return bytes(pa.compress(csv_text(NAMED), "zstd", asbytes=True))
    if name == "named.parquet":
        return parquet(NAMED)
    return "".join(json.dumps(row) + "\n" for row in NAMED.to_pylist()).encode()


def lay(base: Path, name: str, data: bytes) -> Path:
    """Lay a job on one file."""
    return lay_job(
        base,
        {f"train/2026/11/{name}": data, "train/_SUCCESS": b"", "train/.part.crc": b"\x00"},
        {"train": {"ContentType": MEDIA[name], "TrainingInputMode": "File"}},
        objective="binary:logistic",
        num_round="5",
        max_depth="3",
        nthread="1",
    )


@pytest.fixture(scope="module")
def models(train: Train, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return the /opt/ml of a job on each of the files."""
    base = tmp_path_factory.mktemp("formats")

    def run(name: str) -> Path:
        opt_ml = lay(base / name, name, content(name))
        done = train(opt_ml)
        assert done.returncode == 0, done.stderr
        return opt_ml

    with ThreadPoolExecutor(2) as jobs:
        return dict(zip(MEDIA, jobs.map(run, MEDIA), strict=True))


@pytest.mark.parametrize("name", ["rows.svm", "rows.pbr"])
def test_formats_of_numbers_give_the_booster_that_csv_gives(
    models: dict[str, Path], name: str
) -> None:
    """Byte for byte, whatever counts its features from 0 or 1."""
    assert (
        model_bytes(models[name])["xgboost-model"]
        == (model_bytes(models["rows.csv.gz"])["xgboost-model"])
    )


@pytest.mark.parametrize("name", ["named.parquet", "named.jsonl"])
def test_formats_with_names_give_the_model_folder_that_csv_gives(
    models: dict[str, Path], name: str
) -> None:
    """With texts, a Parquet dictionary, flags and missing cells: manifest and oneDAL's form too."""
    model = model_bytes(models[name])

    assert model == model_bytes(models["named.csv.zst"])
    assert artifact.audit(models[name] / "model").schema.names == (
        "plan",
        "minutes",
        "calls",
        "abroad",
    )


def damaged(name: str) -> bytes:
    """Return a file with the fault that is usual for its format."""
    data = content(name)
    if name == "rows.svm":
        return data.replace(b" 2:", b" 2=", 1)
    if name == "named.jsonl":
        return data.replace(b"null", b"NaN", 1)
    return data[: len(data) * 2 // 3]


@pytest.mark.parametrize(
    ("name", "causes"),
    [
        ("rows.csv.gz", ("gzip data is damaged or cut off", "compress the file again")),
        ("rows.svm", ("row 1", "'2=")),
        ("rows.pbr", ("byte ", "the data ends at byte")),
        ("named.parquet", ("not a Parquet file, cut off or damaged", "write it again")),
        ("named.jsonl", ("row 1", "null for missing")),
    ],
)
def test_a_damaged_file_is_named_with_the_place_and_the_remedy(
    train: Train, tmp_path: Path, name: str, causes: tuple[str, ...]
) -> None:
    """And nothing half-learned is left in the model folder."""
    opt_ml = lay(tmp_path / "ml", name, damaged(name))

    failure = failure_of(opt_ml, train(opt_ml))

    assert name in failure
    for cause in causes:
        assert cause in failure
