"""`docker run IMAGE serve` reads and writes every type, with stock XGBoost's numbers."""

from __future__ import annotations

import http.client
import io
import json
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xgboost

from churn_daal.tabular.protobuf_wire import fields
from churn_daal.tabular.record_message import encode_record
from churn_daal.tabular.recordio import frame, records

from .conftest import Train
from .drive import AS_CALLER, Container, lay_job, mount, poll, started, stock_booster

pytestmark = pytest.mark.container
RNG = np.random.default_rng(11)
ROWS = 300
# Eighths: every format, text or binary, holds them exactly.
X = (RNG.integers(0, 80, (ROWS, 3)) / 8).astype(np.float32)
Y = (X[:, 0] + X[:, 1] * 2 + RNG.normal(0, 4, ROWS) > 15).astype(int)
X[RNG.random(X.shape) < 0.1] = np.nan
NAMES = ("a", "b", "c")
CLOSE = 1e-5
TEMPORARY = "/tmp"  # noqa: S108 - of the container


def text(cell: np.float32) -> str:
    """Write a CSV's cell."""
    return "" if np.isnan(cell) else str(cell)


def table() -> pa.Table:
    """Return the rows as typed columns, in another order than the model's."""
    return pa.table({name: pa.array(X[:, "abc".index(name)], from_pandas=True) for name in "cab"})


def parquet() -> bytes:
    """Write them as Parquet."""
    sink = io.BytesIO()
    pq.write_table(table(), sink, row_group_size=64)
    return sink.getvalue()


def arrow() -> bytes:
    """Write them as an Arrow stream."""
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table().schema) as stream:
        stream.write_table(table(), max_chunksize=64)
    return sink.getvalue()


def npy() -> bytes:
    """Write them as an array."""
    sink = io.BytesIO()
    np.save(sink, X)
    return sink.getvalue()


LISTS = [[None if np.isnan(cell) else float(cell) for cell in row] for row in X]
RECORDS = [dict(zip(NAMES, row, strict=True)) for row in LISTS]
CSV = "".join(f"{','.join(map(text, row))}\n" for row in X)
BODIES = {
    "text/csv": CSV.encode(),
    "text/csv; charset=utf-16": CSV.encode("utf-16"),
    "text/libsvm": "\n".join(
        " ".join(f"{at + 1}:{cell}" for at, cell in enumerate(row) if not np.isnan(cell))
        for row in X
    ).encode(),
    "application/x-recordio-protobuf": b"".join(frame(encode_record(row)) for row in X),
    "application/json": json.dumps({"instances": [{"features": row} for row in LISTS]}).encode(),
    "application/jsonlines": "\n".join(map(json.dumps, RECORDS)).encode(),
    "application/x-npy": npy(),
    "application/x-parquet": parquet(),
    "application/vnd.apache.arrow.stream": arrow(),
}


def scores(kind: str, body: bytes) -> np.ndarray:
    """Return the scores of an answer, read as its type has it."""
    if kind == "text/csv":
        return np.array(body.split(), np.float64)
    if kind == "application/json":
        return np.array([row["score"] for row in json.loads(body)["predictions"]])
    if kind == "application/jsonlines":
        return np.array([json.loads(line)["score"] for line in body.splitlines()])
    if kind == "application/x-npy":
        return np.load(io.BytesIO(body), allow_pickle=False)
    if kind == "application/vnd.apache.arrow.stream":
        return pa.ipc.open_stream(body).read_all().column("score").to_numpy()
    return np.array([next(tensors(record)) for record in records(io.BytesIO(body))])


def tensors(record: bytes) -> Iterator[float]:
    """Yield the numbers of a record's `score`, by the wire format alone."""

    def first(data: bytes, wanted: int) -> bytes:
        return next(data[a:b] for n, _, a, b in fields(data, 0, len(data)) if n == wanted)

    for number, _, start, stop in fields(record, 0, len(record)):
        entry = record[start:stop]
        if number == 2 and first(entry, 1) == b"score":
            yield from np.frombuffer(first(first(first(entry, 2), 2), 1), "<f4").tolist()


@pytest.fixture(scope="module")
def model(train: Train, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the model of a job on the rows."""
    lines = "".join(f"{label},{line}\n" for label, line in zip(Y, CSV.splitlines(), strict=True))
    opt_ml = lay_job(
        tmp_path_factory.mktemp("serve_formats") / "ml",
        {"train/rows.csv": "y,a,b,c\n" + lines},
        label="y",
        objective="binary:logistic",
        num_round="20",
        max_depth="4",
    )
    done = train(opt_ml)
    assert done.returncode == 0, done.stderr
    return opt_ml / "model"


@pytest.fixture(scope="module")
def server(image: str, model: Path) -> Iterator[Container]:
    """Return one server for all requests, its file system read-only."""
    where = (*AS_CALLER, *mount(model, "/opt/ml/model", readonly=True))
    options = ("--publish", "127.0.0.1::8080", "--read-only", *("--tmpfs", TEMPORARY), *where)
    with ExitStack() as stack:
        container = stack.enter_context(started(image, "serve", options))
        poll(container.answers_ping, "an answer to /ping", container.logs)
        yield container


@pytest.fixture(scope="module")
def expected(model: Path) -> np.ndarray:
    """Return what stock XGBoost, in this process, makes of the rows."""
    return stock_booster(model).predict(xgboost.DMatrix(X)).astype(np.float64)


def ask(server: Container, body: bytes, **headers: str) -> tuple[int, str, bytes]:
    """Return status, type and body of an answer."""
    with closing(http.client.HTTPConnection("127.0.0.1", server.port(), timeout=60)) as connection:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request("POST", "/invocations", body, named)
        with connection.getresponse() as response:
            return response.status, response.getheader("Content-Type", ""), response.read()


@pytest.mark.parametrize(
    "accept",
    [
        "text/csv",
        "application/json",
        "application/jsonlines",
        "application/x-recordio-protobuf",
        "application/x-npy",
        "application/vnd.apache.arrow.stream",
    ],
)
@pytest.mark.parametrize("content_type", BODIES)
def test_every_type_in_and_out_has_xgboosts_numbers(
    server: Container,
    expected: np.ndarray,
    content_type: str,
    accept: str,
) -> None:
    """Row by row, missing values among them."""
    status, kind, body = ask(server, BODIES[content_type], Content_Type=content_type, Accept=accept)

    assert status == 200, body
    assert kind.partition(";")[0] == accept
    found = scores(accept, body)
    assert found.shape == expected.shape
    difference = np.abs(found - expected).max()
    print(f"difference {difference:.3g}")
    assert difference <= CLOSE


@pytest.mark.parametrize(
    ("content_type", "answered"),
    [
        ("text/libsvm", "text/csv; charset=utf-8"),
        ("application/x-recordio-protobuf", "text/csv; charset=utf-8"),
        ("application/x-parquet", "text/csv; charset=utf-8"),
        ("application/jsonlines", "application/jsonlines"),
        ("application/x-npy", "application/x-npy"),
    ],
)
def test_a_client_without_a_wish(server: Container, content_type: str, answered: str) -> None:
    """Is answered as the page says."""
    assert ask(server, BODIES[content_type], Content_Type=content_type)[:2] == (200, answered)


@pytest.mark.parametrize("content_type", BODIES)
def test_a_damaged_body_is_the_clients_fault_and_costs_the_next_one_nothing(
    server: Container, content_type: str
) -> None:
    """415 with the type's name where it is cut short or foreign bytes; the workers live on."""
    good = BODIES[content_type]
    binary = content_type.startswith("application/") and "json" not in content_type
    bad = good[: len(good) * 2 // 3 - 3] if binary else b"\x93\xff\x00:" * 9

    status, _, body = ask(server, bad, Content_Type=content_type)

    assert status == 415, body
    assert json.loads(body)["error"].startswith("Loading ")
    assert ask(server, good, Content_Type=content_type)[0] == 200
    assert "Traceback" not in server.logs()
