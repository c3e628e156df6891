"""Answers have the shapes of AWS's image, and read back to the numbers they were."""

from __future__ import annotations

import io
import json
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from churn_daal.artifact import EngineChoice, Manifest
from churn_daal.serving.encoders import ENCODERS, SCORE_ALONE
from churn_daal.serving.predictions import usual
from churn_daal.tabular.encoder import Matrix
from churn_daal.tabular.labels import Labels
from churn_daal.tabular.record_message import encode_record
from churn_daal.tabular.recordio import frame
from churn_daal.tabular.schema import Column, Schema

BINARY = Manifest(
    schema=Schema((Column("x", "number"),)),
    labels=Labels("y", ("stay", 'go, "now"')),
    objective="binary:logistic",
    num_class=0,
    threshold=0.35,
    engine=EngineChoice("onedal"),
)
MULTI = replace(BINARY, objective="multi:softprob", num_class=3, labels=Labels("y", ("a", "b", 3)))
VALUE = replace(BINARY, objective="count:poisson", labels=Labels("y"))
P = np.array([0.1, 0.35], dtype=np.float32)
PPP = np.array([[0.1, 0.2, 0.7], [0.5, 0.25, 0.25]], dtype=np.float32)


def encode_csv(manifest: Manifest, *responses: Matrix) -> bytes:
    """Write the usual answers of one block or more."""
    return ENCODERS["text/csv"](usual(manifest, response) for response in responses)


def encode_json(manifest: Manifest, *responses: Matrix) -> bytes:
    """Write the usual answers of one block or more."""
    return ENCODERS["application/json"](usual(manifest, response) for response in responses)


def test_blocks_make_one_body() -> None:
    """As one block of all rows would."""
    whole, parts = P.repeat(3), (P.repeat(3)[:1], P.repeat(3)[1:])

    assert encode_csv(BINARY, *parts) == encode_csv(BINARY, whole)
    assert encode_json(BINARY, *parts) == encode_json(BINARY, whole)


@pytest.mark.parametrize("kind", ENCODERS)
@pytest.mark.parametrize("manifest", [BINARY, replace(BINARY, objective="binary:hinge"), VALUE])
def test_types_of_the_score_alone_need_no_labels(kind: str, manifest: Manifest) -> None:
    """Those in the table write the same without them, the others do not."""
    labelled, bare = (
        ENCODERS[kind]([usual(manifest, P, labelled=labelled)]) for labelled in (True, False)
    )

    has_labels = manifest.objective == "binary:logistic"
    assert (labelled == bare) is (kind in SCORE_ALONE or not has_labels)


def test_csv_is_a_line_a_row() -> None:
    """Numbers are the shortest text that reads back to the same float32."""
    assert encode_csv(BINARY, P) == b"0.1\n0.35\n"
    assert encode_csv(MULTI, PPP) == b"0.1,0.2,0.7\n0.5,0.25,0.25\n"
    assert encode_csv(VALUE, P[:1]) == b"0.1\n"


def test_csv_classes() -> None:
    """Objectives that answer a class answer it as it was trained, quoted where CSV needs it."""
    softmax = replace(MULTI, objective="multi:softmax")
    hinge = replace(BINARY, objective="binary:hinge", threshold=0.5)

    assert encode_csv(softmax, PPP) == b"3\na\n"
    assert encode_csv(hinge, np.array([0, 1], dtype=np.float32)) == b'stay\n"go, ""now"""\n'


def test_json_has_the_class_beside_the_score() -> None:
    """The threshold's own probability is the positive class."""
    assert json.loads(encode_json(BINARY, P)) == {
        "predictions": [
            {"score": 0.1, "predicted_label": "stay"},
            {"score": 0.35, "predicted_label": 'go, "now"'},
        ]
    }
    assert json.loads(encode_json(MULTI, PPP[:1])) == {
        "predictions": [{"score": [0.1, 0.2, 0.7], "predicted_label": 3}]
    }
    assert json.loads(encode_json(VALUE, P[:1])) == {"predictions": [{"score": 0.1}]}
    assert json.loads(encode_json(replace(MULTI, objective="multi:softmax"), PPP[:1])) == {
        "predictions": [{"score": 3, "predicted_label": 3}]
    }


@pytest.mark.parametrize(("margin", "label"), [(-0.62, "stay"), (-0.61, 'go, "now"')])
def test_logitraw_crosses_at_the_thresholds_logit(margin: float, label: str) -> None:
    """The answer is a margin; log(0.35 / 0.65) is -0.619."""
    raw = replace(BINARY, objective="binary:logitraw")
    answer = json.loads(encode_json(raw, np.array([margin], dtype=np.float32)))

    assert answer["predictions"][0]["predicted_label"] == label


def test_infinite_values() -> None:
    """An exponential link can overflow: CSV says inf, JSON has no word for it but null."""
    response = np.array([1.5, np.inf], dtype=np.float32)

    assert encode_csv(VALUE, response) == b"1.5\ninf\n"
    assert json.loads(encode_json(VALUE, response))["predictions"][1] == {"score": None}


def test_a_line_is_the_same_beside_infinite_values() -> None:
    """Digits and exponents are those of the row alone, whatever else is in the block."""
    response = np.array([1e-5, np.inf, 3e20, np.nan, -np.inf, 0.1], dtype=np.float32)
    rows = [response[k : k + 1] for k in range(len(response))]

    assert encode_csv(VALUE, response) == b"".join(encode_csv(VALUE, row) for row in rows)
    assert encode_csv(VALUE, response).split()[1::2] == [b"inf", b"nan", b"0.1"]
    pairs = response.reshape(3, 2)
    assert encode_csv(VALUE, pairs) == b"".join(
        encode_csv(VALUE, row) for row in np.split(pairs, 3)
    )


def test_json_lines_are_the_documents_records() -> None:
    """One a line, the last line's end too."""
    body = ENCODERS["application/jsonlines"](usual(BINARY, P[k : k + 1]) for k in range(2))

    assert body.endswith(b"\n")
    records = [json.loads(line) for line in body.splitlines()]
    assert {"predictions": records} == json.loads(encode_json(BINARY, P))


def test_npy_is_the_score() -> None:
    """float32 as the model answers, (n,) or (n, classes); classes that are words by number."""
    for manifest, response in ((BINARY, P), (MULTI, PPP), (VALUE, P)):
        body = ENCODERS["application/x-npy"]([usual(manifest, response)] * 2)
        array = np.load(io.BytesIO(body), allow_pickle=False)
        assert array.dtype == np.float32
        np.testing.assert_array_equal(array, np.concatenate([response] * 2))
    words = usual(replace(MULTI, objective="multi:softmax"), PPP)
    body = ENCODERS["application/x-npy"]([words])
    assert np.load(io.BytesIO(body), allow_pickle=False).tolist() == [2, 0]


def test_arrow_is_score_and_class() -> None:
    """Columns of their own; several scores are a list."""
    body = ENCODERS["application/vnd.apache.arrow.stream"]([usual(MULTI, PPP)])

    assert pa.ipc.open_stream(body).read_all().to_pylist() == [
        {"score": PPP[0].tolist(), "predicted_label": "3"},
        {"score": PPP[1].tolist(), "predicted_label": "a"},
    ]


def test_records_are_written_as_they_are_read() -> None:
    """One frame a row, with `score` and the class's number in its label."""
    body = ENCODERS["application/x-recordio-protobuf"]([usual(BINARY, P), usual(BINARY, P)])

    assert body == b"".join(
        frame(
            encode_record(label={"score": P[k : k + 1]})
            + encode_record(label={"predicted_label": np.float32([k])})
        )
        for k in (0, 1, 0, 1)
    )
