"""What a request to code of the user's own shows: rows, times, engine, drift, as one without."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from churn_daal.serving import trace
from churn_daal.serving.app import create_app
from churn_daal.serving.loading import load_service, provide_by
from churn_daal.settings import ServeSettings

ROW = "KS,128,415,no,yes,25,265.1,110,45.07,197.4,99,16.78,244.7,91,11.01,10.0,3,2.7,1"
ODD = ROW.replace("KS", "XX").replace("265.1", "99999")
TIMES = {"decode_ms", "predict_ms", "encode_ms"}
Serve = Callable[[str], FlaskClient]
Ask = Callable[..., dict[str, Any]]

START = "def pre_model_fn(model_dir): pass\n"
KEPT = "def model_fn(model_dir):\n    import churn_daal\n    return churn_daal.load(model_dir)\n"
BOOSTER = """
import os, xgboost
def model_fn(model_dir):
    with open(os.path.join(model_dir, "xgboost-model"), "rb") as file:
        return xgboost.Booster(model_file=bytearray(file.read()))
"""
NAMELESS = "def model_fn(model_dir):\n    return 'own'\n"
ARRAY = """
import numpy
def input_fn(body, content_type):
    return numpy.zeros((len(body.split()), 69), dtype=numpy.float32)
"""
MATRIX = f"{ARRAY.replace('return', 'rows =')}    import xgboost; return xgboost.DMatrix(rows)\n"
LIST = "def input_fn(body, content_type):\n    return body.split()\n"
PREDICT = "def predict_fn(data, model):\n    return model.predict(data)\n"
ALIKE = "def predict_fn(data, model):\n    return [0.5] * len(data)\n"
TEXT = "def predict_fn(data, model):\n    return '1,2'\n"
OUTPUT = "def output_fn(prediction, accept):\n    return 'done'\n"
WHOLE = "def transform_fn(model, data, content_type, accept):\n    return 'done'\n"


@pytest.fixture
def serve(tmp_path: Path, churn_model: Path) -> Serve:
    """Return the function that serves the churn model with code of its own."""

    def client(code: str) -> FlaskClient:
        (tmp_path / "inference.py").write_text(code)
        settings = ServeSettings(churn_model, submit_directory=str(tmp_path))
        provision = provide_by(settings, churn_model)
        service = load_service(churn_model, threads=1, provision=provision)
        return create_app(service, settings).test_client()

    return client


@pytest.fixture
def ask(capfd: pytest.CaptureFixture[str]) -> Ask:
    """Return the function that invokes and gives the access line, headers of the answer beside."""

    def line_of(
        client: FlaskClient, body: str = f"{ROW}\n{ROW}\n{ROW}\n", status: int = 200
    ) -> dict[str, Any]:
        capfd.readouterr()
        answer = client.post("/invocations", data=body, content_type="text/csv")
        assert answer.status_code == status
        [text] = [line for line in capfd.readouterr().out.splitlines() if line.startswith("{")]
        line: dict[str, Any] = json.loads(text)
        return line | {"headers": answer.headers}

    return line_of


def samples(client: FlaskClient, name: str) -> dict[str, float]:
    """Return a metric's samples by their labels."""
    lines = client.get("/metrics").get_data(as_text=True).splitlines()
    found = (line.removeprefix(name).rsplit(" ", 1) for line in lines if line.startswith(name))
    return {labels: float(value) for labels, value in found if labels[:1] in {"", "{"}}


@pytest.mark.parametrize(
    ("code", "rows", "engine"),
    [
        *((START, 3, "onedal"), (KEPT, 3, "onedal"), (PREDICT, 3, "onedal"), (OUTPUT, 3, "onedal")),
        *((PREDICT + OUTPUT, 3, "onedal"), (ARRAY, 3, "onedal")),
        *(
            (ARRAY + PREDICT + OUTPUT, 3, "onedal"),
            (MATRIX + ALIKE.replace("len(data)", "3"), 3, "onedal"),
        ),
        *(
            (BOOSTER, 3, "own"),
            (BOOSTER + PREDICT + OUTPUT, 3, "own"),
            (BOOSTER + MATRIX, 3, "own"),
        ),
        # Told by the answer alone, and not at all.
        *((LIST + ALIKE, 3, "onedal"), (LIST + TEXT, None, "onedal"), (WHOLE, None, "onedal")),
        (NAMELESS + WHOLE, None, "own"),
    ],
)
def test_rows_times_and_engine(
    serve: Serve, ask: Ask, code: str, rows: int | None, engine: str
) -> None:
    """Each stage's time whoever does it; rows where they are known."""
    line = ask(serve(code))

    assert (line.get("rows"), line["engine"]) == (rows, engine)
    assert set(line) >= TIMES
    assert sum(line[name] for name in TIMES) <= line["total_ms"]


class Clock:
    """A clock that goes when the user's code says so."""

    now = 0

    def __call__(self) -> int:
        """Return nanoseconds."""
        return self.now


@pytest.mark.parametrize(
    ("stages", "code"),
    [
        ((7, 0, 0), ARRAY),
        ((0, 7, 0), PREDICT),
        ((0, 0, 7), OUTPUT),
        ((7, 7, 7), ARRAY + PREDICT + OUTPUT),
        # All of it at once.
        ((0, 7, 0), WHOLE),
    ],
)
def test_each_function_is_a_stage(
    serve: Serve,
    ask: Ask,
    monkeypatch: pytest.MonkeyPatch,
    stages: tuple[int, int, int],
    code: str,
) -> None:
    """What it takes is that stage's time."""
    monkeypatch.setattr(trace, "perf_counter_ns", Clock())
    slow = code.replace("    return", "    clock.now += 7_000_000\n    return")

    line = ask(serve(f"from churn_daal.serving.trace import perf_counter_ns as clock\n{slow}"))

    assert (line["decode_ms"], line["predict_ms"], line["encode_ms"]) == stages


@pytest.mark.parametrize("code", [START, PREDICT, OUTPUT, KEPT + PREDICT, BOOSTER])
def test_rows_unlike_the_training_data_are_told(serve: Serve, ask: Ask, code: str) -> None:
    """In the line, the headers and the counters, where our decoder reads the rows."""
    client = serve(code)

    line = ask(client, f"{ROW}\n{ODD}\n")

    assert (line["out_of_range"], line["unseen"]) == (1, 1)
    for name in ("X-Churn-Daal-Warnings", "X-Amzn-SageMaker-Custom-Attributes"):
        assert line["headers"][name] == "out-of-range=1; unseen=1"
    assert samples(client, "churn_daal_out_of_range_total") == {"": 1}
    assert samples(client, "churn_daal_unseen_total") == {"": 1}
    assert samples(client, "churn_daal_rows_total") == {"": 2}


def test_metrics_tell_our_model_and_its_columns(serve: Serve, ask: Ask) -> None:
    """As without code."""
    client = serve(PREDICT)
    ask(client, ODD)

    [info] = samples(client, "churn_daal_model_info")
    assert 'engine="onedal"' in info
    assert 'objective="binary:logistic"' in info
    assert samples(client, "churn_daal_column_out_of_range_total")['{column="Day Mins"}'] == 1
    assert samples(client, "churn_daal_column_unseen_total")['{column="State"}'] == 1
    assert samples(client, "churn_daal_stage_seconds_count")['{stage="predict"}'] == 1


def test_metrics_of_a_model_of_the_codes_own(serve: Serve, ask: Ask) -> None:
    """Stages and requests alone: nothing is known of it."""
    client = serve(NAMELESS + WHOLE)
    ask(client)

    assert samples(client, "churn_daal_model_info") == {}
    assert samples(client, "churn_daal_rows_total") == {"": 0}
    assert samples(client, "churn_daal_stage_seconds_count")['{stage="predict"}'] == 1


def test_without_rows_there_are_no_stages(serve: Serve, ask: Ask) -> None:
    """Where our decoder finds none nothing was predicted."""
    assert not TIMES & ask(serve(PREDICT), "\n", 204).keys()
