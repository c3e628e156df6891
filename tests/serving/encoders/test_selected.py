"""Columns that a client chose, whatever they hold, are written as AWS's image does or refused."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from churn_daal.errors import NotAcceptableError
from churn_daal.serving.encoders import ENCODERS
from churn_daal.serving.predictions import Predictions
from churn_daal.tabular.protobuf_wire import fields
from churn_daal.tabular.recordio import records

ARROW = "application/vnd.apache.arrow.stream"
NPY = "application/x-npy"
RECORDS = "application/x-recordio-protobuf"
CLASSES = ("stay", 'go, "now"')
PROBABILITIES = np.array([[0.4, 0.6], [0.9, 0.1]], dtype=np.float32)
NUMBERS: dict[str, Any] = {
    "predicted_label": [1, 0],
    "probability": np.array([0.6, 0.1], dtype=np.float32),
    "probabilities": PROBABILITIES,
    "rank": np.array([7, 8]),
}
WORDS: dict[str, Any] = {
    "predicted_label": [CLASSES[1], CLASSES[0]],
    "labels": [list(CLASSES)] * 2,
    "raw_score": np.array([np.nan, np.inf], dtype=np.float32),
    "probabilities": PROBABILITIES,
    "contributions": [[{"name": "a", "value": np.float32(0.1)}], []],
}


def write(kind: str, *columns: dict[str, Any], classes: tuple[Any, ...] = ()) -> bytes:
    """Write blocks of chosen columns."""
    return ENCODERS[kind](Predictions(block, selected=True, classes=classes) for block in columns)


def tensors(body: bytes) -> Iterator[dict[str, list[float]]]:
    """Yield each record's label map, read by the wire format alone."""

    def first(data: bytes, wanted: int) -> bytes:
        return next(data[a:b] for n, _, a, b in fields(data, 0, len(data)) if n == wanted)

    for record in records(io.BytesIO(body)):
        entries = [record[a:b] for n, _, a, b in fields(record, 0, len(record)) if n == 2]
        yield {
            first(e, 1).decode(): np.frombuffer(first(first(first(e, 2), 2), 1), "<f4").tolist()
            for e in entries
        }


def test_csv_is_a_cell_a_column() -> None:
    """Several numbers are the text of a list, in quotes, as AWS's image writes them."""
    assert write("text/csv", NUMBERS) == b'1,0.6,"[0.4, 0.6]",7\n0,0.1,"[0.9, 0.1]",8\n'


def test_csv_of_words_and_records_reads_back() -> None:
    """Each cell is the class, the number or JSON's text of what it holds."""
    rows = list(csv.reader(io.StringIO(write("text/csv", WORDS).decode()), strict=True))

    assert [row[0] for row in rows] == ['go, "now"', "stay"]
    assert [json.loads(row[1]) for row in rows] == [list(CLASSES)] * 2
    assert [row[2] for row in rows] == ["nan", "inf"]
    assert [json.loads(row[3]) for row in rows] == [[0.4, 0.6], [0.9, 0.1]]
    assert [json.loads(row[4]) for row in rows] == [[{"name": "a", "value": 0.1}], []]


def test_csv_of_lists_of_one_and_of_nothing() -> None:
    """A list of one needs no quotes; what is not known is an empty cell."""
    columns = {"a": np.float32([[0.5], [1]]), "b": [None, 2.5], "c": np.int64([1, 2])}

    assert write("text/csv", columns) == b"[0.5],,1\n[1.0],2.5,2\n"


def test_json_and_json_lines_are_strict_records() -> None:
    """What is not finite is null; a line a row, the last one's end too."""
    document = json.loads(write("application/json", WORDS), parse_constant=pytest.fail)
    body = write("application/jsonlines", WORDS)
    lines = [json.loads(line, parse_constant=pytest.fail) for line in body.splitlines()]

    assert body.endswith(b"}\n")
    assert document == {"predictions": lines}
    assert lines[0] == {
        "predicted_label": 'go, "now"',
        "labels": list(CLASSES),
        "raw_score": None,
        "probabilities": [0.4, 0.6],
        "contributions": [{"name": "a", "value": 0.1}],
    }


def test_json_of_columns_that_do_not_lie_in_one_piece() -> None:
    """Such as a slice of a larger array."""
    columns = {"p": np.asfortranarray(PROBABILITIES), "q": PROBABILITIES[:, 1]}

    lines = write("application/jsonlines", columns).splitlines()

    assert [json.loads(line) for line in lines] == [
        {"p": [0.4, 0.6], "q": 0.6},
        {"p": [0.9, 0.1], "q": 0.1},
    ]


def test_npy_is_a_field_a_column() -> None:
    """With the type it has; a column alone is a plain array."""
    rows = np.load(io.BytesIO(write(NPY, NUMBERS, NUMBERS)), allow_pickle=False)

    assert rows.dtype.names == tuple(NUMBERS)
    np.testing.assert_array_equal(rows["probabilities"], np.concatenate([PROBABILITIES] * 2))
    np.testing.assert_array_equal(rows["predicted_label"], [1, 0, 1, 0])
    alone = np.load(io.BytesIO(write(NPY, {"p": PROBABILITIES})), allow_pickle=False)
    assert (alone.dtype, alone.tolist()) == (np.float32, PROBABILITIES.tolist())


def test_records_have_a_tensor_for_each_column() -> None:
    """float32 by name, one record a row."""
    found = list(tensors(write(RECORDS, NUMBERS, NUMBERS)))

    assert len(found) == 4
    assert found[:2] == found[2:]
    assert found[1]["probabilities"] == PROBABILITIES[1].tolist()
    assert {name: values for name, values in found[0].items() if name != "probabilities"} == {
        "predicted_label": [1.0],
        "probability": [np.float32(0.6)],
        "rank": [7.0],
    }


def test_records_have_words_by_their_numbers() -> None:
    """The class's place among the model's, as AWS's image has classes."""
    columns = {"predicted_label": WORDS["predicted_label"], "labels": WORDS["labels"]}

    assert list(tensors(write(RECORDS, columns, classes=CLASSES))) == [
        {"predicted_label": [1.0], "labels": [0.0, 1.0]},
        {"predicted_label": [0.0], "labels": [0.0, 1.0]},
    ]


def test_npy_has_words_by_their_numbers() -> None:
    """As records have."""
    columns = {"predicted_label": WORDS["predicted_label"], "labels": WORDS["labels"]}

    rows = np.load(io.BytesIO(write(NPY, columns, classes=CLASSES)), allow_pickle=False)

    assert rows["predicted_label"].tolist() == [1, 0]
    assert rows["labels"].tolist() == [[0, 1], [0, 1]]


@pytest.mark.parametrize("kind", [NPY, RECORDS])
@pytest.mark.parametrize(
    "column", [["a", "b"], [{"a": 1}, {}], [[1, 2], [1]], [None, 1], np.array([None, 1])]
)
def test_what_is_no_number_is_refused(kind: str, column: Any) -> None:  # noqa: ANN401
    """406 with the types that hold it."""
    with pytest.raises(NotAcceptableError, match=f"'x' holds what is no number, and {kind} holds"):
        write(kind, {"x": column})


def test_arrow_has_a_column_for_each() -> None:
    """Words, lists, and records as JSON text, over all blocks."""
    table = pa.ipc.open_stream(write(ARROW, WORDS, WORDS)).read_all()

    assert table.column_names == list(WORDS)
    assert table.num_rows == 4
    first = table.slice(0, 1).to_pylist()[0]
    assert first["predicted_label"] == 'go, "now"'
    assert first["labels"] == list(CLASSES)
    assert first["probabilities"] == PROBABILITIES[0].tolist()
    assert json.loads(first["contributions"])[0]["name"] == "a"
    assert table.schema.field("raw_score").type == pa.float32()


@pytest.mark.parametrize(
    ("blocks", "expected"),
    [
        ([[1, "a"], [2, 3]], ["1", "a", "2", "3"]),
        ([[1, 2], ["a", "b"]], ["1", "2", "a", "b"]),
        ([[1, 2], [2.5, 3]], [1.0, 2.0, 2.5, 3.0]),
        ([[None, None], [1, 2]], [None, None, 1, 2]),
    ],
)
def test_arrow_finds_one_type_for_all_blocks(blocks: list[list[Any]], expected: list[Any]) -> None:
    """Numbers and words together are words."""
    classes = tuple(value for block in blocks for value in block if value is not None)
    body = write(ARROW, *({"x": block} for block in blocks), classes=classes)

    assert pa.ipc.open_stream(body).read_all().column(0).to_pylist() == expected


def test_arrow_writes_records_alike_whatever_they_hold() -> None:
    """In blocks whose fields are all missing, and in others: JSON text, once."""
    rows = [[{"value": None}], [{"value": "a"}], [{"value": 1.5}]]
    body = write(ARROW, *({"contributions": [row]} for row in rows))

    texts = pa.ipc.open_stream(body).read_all().column(0).to_pylist()

    assert list(map(json.loads, texts)) == rows


def test_records_do_not_round_whole_numbers() -> None:
    """A class that float32 has not is refused rather than answered as its neighbour."""
    assert list(tensors(write(RECORDS, {"x": [2**24]}))) == [{"x": [2.0**24]}]
    with pytest.raises(NotAcceptableError, match="'x' holds whole numbers that"):
        write(RECORDS, {"x": [2**24 + 1]})
