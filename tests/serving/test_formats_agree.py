"""The same rows give the same answers, to the bit, in whatever type they come."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from churn_daal import artifact
from churn_daal.artifact import Model
from churn_daal.serving.invocation import ModelService
from churn_daal.serving.request import Request
from churn_daal.tabular.record_message import encode_record
from churn_daal.tabular.recordio import frame

from .decoders.bodies import ARROW, JSON, LIBSVM, LINES, NPY, PARQUET, RECORDS, npy, parquet, stream

ROWS = 60
NUMBERS = [None if k % 7 == 0 else k / 8 for k in range(ROWS)]
WORDS = [None if k % 11 == 0 else "uvwx"[k % 4] for k in range(ROWS)]
FLAGS = [None if k % 5 == 0 else k % 2 == 0 for k in range(ROWS)]


def answers(model: Model, kind: str, body: bytes) -> np.ndarray:
    """Return the scores of a body's rows."""
    request = Request(memoryview(body), content_type=kind, accept="application/x-npy")
    return np.load(io.BytesIO(ModelService(model).answer(request).body), allow_pickle=False)


def as_csv(rows: list[list[object]]) -> bytes:
    """Write rows as CSV, None empty."""
    sink = io.StringIO()
    csv.writer(sink, lineterminator="\n").writerows(rows)
    return sink.getvalue().encode()


@pytest.fixture(scope="module")
def words(tmp_path_factory: pytest.TempPathFactory, train_model: Callable[..., Path]) -> Model:
    """Return a model of a number, a category of words and a yes-or-no column, which all count."""
    text = "y,n,c,b\n" + "".join(
        f"{k % 8 + 10 * (k % 3) + 40 * (k % 2)},{k / 8},{'uvw'[k % 3]},{'yes' if k % 2 else 'no'}\n"
        for k in range(90)
    )
    return artifact.load(train_model(tmp_path_factory.mktemp("words"), text, num_round=6))


def test_categories_flags_and_missing_cells(words: Model) -> None:
    """By name and by position, typed or as text."""
    table = pa.table({"b": FLAGS, "c": WORDS, "n": NUMBERS})
    coded = table.set_column(1, "c", pa.array(WORDS).dictionary_encode())
    rows = [list(row) for row in zip(NUMBERS, WORDS, FLAGS, strict=True)]
    records = table.to_pylist()
    lacking = [{name: cell for name, cell in row.items() if cell is not None} for row in records]
    bodies = [
        ("text/csv; header=present", b"n,c,b\n" + as_csv(rows)),
        ("text/csv; charset=utf-16", as_csv(rows).decode().encode("utf-16")),
        (JSON, json.dumps(records).encode()),
        (JSON, json.dumps({"instances": [{"features": row} for row in rows]}).encode()),
        (LINES, "\n".join(map(json.dumps, records)).encode()),
        (LINES, "\n".join(map(json.dumps, lacking)).encode()),
        (
            LINES,
            "\n".join(json.dumps({"data": {"features": {"values": row}}}) for row in rows).encode(),
        ),
        *(
            (kind, write(form))
            for form in (table, coded)
            for kind, write in ((ARROW, stream), (PARQUET, parquet))
        ),
    ]
    expected = answers(words, "text/csv", as_csv(rows))

    assert len(np.unique(expected)) > 4
    for kind, body in bodies:
        np.testing.assert_array_equal(answers(words, kind, body), expected, err_msg=kind)


@pytest.fixture(scope="module")
def numbers(tmp_path_factory: pytest.TempPathFactory, train_model: Callable[..., Path]) -> Model:
    """Return a model of a number, a yes-or-no column and a category of numbers."""
    text = "y,n,b,k\n" + "".join(
        f"{k % 3},{k / 10},{'yes' if k % 2 else 'no'},{(1, 2.5, 10)[k // 7 % 3]}\n"
        for k in range(90)
    )
    return artifact.load(
        train_model(
            *(tmp_path_factory.mktemp("numbers"), text), categorical_columns="k", num_round=4
        )
    )


def test_formats_of_numbers(numbers: Model) -> None:
    """libsvm, recordio and arrays too, where the model's columns can be numbers."""
    rows = [
        [None if k % 7 == 0 else k / 10, None if k % 5 == 0 else k % 2, (1, 2.5, 10)[k % 3]]
        for k in range(ROWS)
    ]
    full = np.array([[np.nan if cell is None else cell for cell in row] for row in rows])
    pairs = [[(at, cell) for at, cell in enumerate(row) if cell is not None] for row in rows]
    bodies = [
        (LIBSVM, "\n".join(" ".join(f"{at + 1}:{cell}" for at, cell in row) for row in pairs)),
        (RECORDS, b"".join(frame(encode_record(np.float32(row))) for row in full)),
        (
            RECORDS,
            b"".join(
                frame(
                    encode_record(
                        np.float64([v for _, v in row]),
                        size=3,
                        keys=np.uint64([at for at, _ in row]),
                    )
                )
                for row in pairs
            ),
        ),
        (NPY, npy(full)),
        (NPY, npy(np.asfortranarray(full.astype(">f4")))),
        (
            JSON,
            json.dumps(
                {
                    "instances": [
                        {
                            "data": {
                                "features": {
                                    "keys": [at for at, _ in row],
                                    "shape": [3],
                                    "values": [v for _, v in row],
                                }
                            }
                        }
                        for row in pairs
                    ]
                }
            ),
        ),
        (PARQUET, parquet(pa.table(dict(zip("nbk", zip(*rows, strict=True), strict=True))))),
    ]
    expected = answers(numbers, "text/csv", as_csv(rows))

    assert len(np.unique(expected)) > 4
    for kind, body in bodies:
        data = body.encode() if isinstance(body, str) else body
        np.testing.assert_array_equal(answers(numbers, kind, data), expected, err_msg=kind)
