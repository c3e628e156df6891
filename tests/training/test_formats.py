"""One set of rows gives one model, whatever format, layout and compression it comes in."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xgboost
from sklearn.metrics import ndcg_score

from churn_daal import artifact, training
from churn_daal.artifact import Manifest
from churn_daal.contract.paths import SageMakerPaths
from churn_daal.contract.signals import StopSignal
from churn_daal.errors import UserError
from churn_daal.tabular.record_message import encode_record
from churn_daal.tabular.recordio import frame

LayJob = Callable[..., SageMakerPaths]
RNG = np.random.default_rng(3)
X = RNG.integers(0, 40, (160, 4)).astype(np.float32) / 4
Y = (X[:, 0] + X[:, 1] > 10).astype(np.float32)
W = RNG.integers(1, 5, 160).astype(np.float32)
Q = np.repeat(np.arange(20), 8)
HP = {"num_round": 4, "max_depth": 3, "objective": "binary:logistic"}


def csv_text(*columns: np.ndarray) -> str:
    """Return columns as CSV without a header."""
    rows = np.column_stack(columns).tolist()
    return "".join(",".join(f"{value:g}" for value in row) + "\n" for row in rows)


def libsvm_text(base: int, *, weight: bool = False, query: bool = False) -> str:
    """Return the rows as libsvm, features numbered from `base`."""
    lines = []
    for row, (x, y) in enumerate(zip(X, Y, strict=True)):
        label = f"{y:g}" + (f":{W[row]:g}" if weight else "")
        group = [f"qid:{Q[row]}"] if query else []
        pairs = [f"{place + base}:{value:g}" for place, value in enumerate(x)]
        lines.append(" ".join([label, *group, *pairs]))
    return "\n".join(lines) + "\n"


def parquet_bytes() -> bytes:
    """Return the rows as Parquet, the label first."""
    names = ["y", "a", "b", "c", "d"]
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(dict(zip(names, [Y, *X.T], strict=True))), sink)
    return bytes(sink.getvalue())


def records() -> bytes:
    """Return the rows as recordio-protobuf."""
    pairs = zip(X, Y, strict=True)
    return b"".join(frame(encode_record(x, label={"values": np.array([y])})) for x, y in pairs)


def json_lines() -> str:
    """Return the rows as named records."""
    names = ["y", "a", "b", "c", "d"]
    rows = np.column_stack([Y, X]).tolist()
    return "".join(json.dumps(dict(zip(names, row, strict=True))) + "\n" for row in rows)


@pytest.fixture(name="run")
def _run(lay_job: LayJob, tmp_path: Path) -> Callable[..., tuple[bytes, Manifest]]:
    def run(
        files: dict[str, str | bytes], content_type: str | None = None, **given: object
    ) -> tuple[bytes, Manifest]:
        """Train on files of the train channel; return the booster and the manifest."""
        paths = lay_job(tmp_path / str(len(list(tmp_path.iterdir()))), **{**HP, **given})
        for name, data in files.items():
            file = paths.channel("train") / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data.encode() if isinstance(data, str) else data)
        if content_type is not None:
            paths.input_data_config.write_text(json.dumps({"train": {"ContentType": content_type}}))
        training.run(paths, StopSignal())
        return (paths.model / "xgboost-model").read_bytes(), artifact.audit(paths.model)

    return run


RunJob = Callable[..., tuple[bytes, Manifest]]
PLAIN = csv_text(Y, X)


@pytest.mark.parametrize(
    ("files", "content_type"),
    [
        ({"a.csv": PLAIN}, None),
        ({"a.csv": PLAIN}, "text/csv; label_size=1; charset=utf-8"),
        ({"a.csv": PLAIN}, "csv"),
        ({"a.csv": PLAIN.encode("utf-16")}, "text/csv; charset=utf-16"),
        ({"a.csv.gz": gzip.compress(PLAIN.encode())}, "text/csv"),
        ({"a": gzip.compress(PLAIN.encode())}, None),
        ({"a.zst": pa.compress(PLAIN.encode(), "zstd", asbytes=True)}, "text/csv"),
        ({"a.svm": libsvm_text(1)}, None),
        ({"a.svm": libsvm_text(0)}, "text/libsvm"),
        ({"a.svm": libsvm_text(1)}, "text/x-libsvm"),
        ({"a.svm.gz": gzip.compress(libsvm_text(1).encode())}, "libsvm"),
        ({"a.parquet": parquet_bytes()}, None),
        ({"a": parquet_bytes()}, "application/x-parquet"),
        ({"a.jsonl": json_lines()}, None),
        ({"a.jsonl": json_lines()}, "application/jsonlines"),
        ({"a.pbr": records()}, None),
        ({"a.pbr": records()}, "application/x-recordio-protobuf"),
        (
            {
                "1/x/y/z.csv": "".join(PLAIN.splitlines(keepends=True)[:50]),
                "2/a.csv": "".join(PLAIN.splitlines(keepends=True)[50:]),
                ".hidden/a.csv": "no,data\n",
                "_SUCCESS": "",
            },
            "text/csv",
        ),
    ],
)
def test_every_format_gives_the_same_model(
    run: RunJob, files: dict[str, str | bytes], content_type: str | None
) -> None:
    """To the bit: the same cuts, the same trees, the same held-out rows."""
    expected = run({"train.csv": PLAIN}, header="absent")

    came = run(files, content_type)

    assert came[0] == expected[0]
    assert came[1].metrics == expected[1].metrics


def test_weights_come_in_every_way(run: RunJob) -> None:
    """AWS's second column, a named column, libsvm's `label:weight`, a Parquet column."""
    table = pa.table({"w": W, "y": Y} | {str(place): X[:, place] for place in range(4)})
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)

    second = run({"a.csv": csv_text(Y, W, X)}, csv_weights=1)[0]
    named = run({"a.parquet": bytes(sink.getvalue())}, weight="w", label="y")[0]
    libsvm = run({"a.svm": libsvm_text(1, weight=True)})[0]

    assert second == named == libsvm
    assert second != run({"a.csv": PLAIN})[0]


def test_queries_come_in_every_way(run: RunJob) -> None:
    """A group column, or libsvm's qid; rows of a query need not stand together."""
    order = RNG.permutation(len(Y))
    ranking = {"objective": "rank:ndcg", "eval_metric": "ndcg@4"}

    column, manifest = run({"a.csv": csv_text(Y, Q, X)}, group="1", **ranking)
    libsvm, _ = run({"a.svm": libsvm_text(1, query=True)}, **ranking)
    mixed, _ = run({"a.csv": csv_text(Y[order], Q[order], X[order])}, group="1", **ranking)
    wrong, _ = run({"a.csv": csv_text(Y[order], Q, X[order])}, group="1", **ranking)

    assert column == libsvm
    assert manifest.objective == "rank:ndcg"
    # Other queries are held out, so the trees are others; rows by themselves would be no queries.
    assert ndcg_of(mixed) > 0.95
    assert mixed != wrong


def ndcg_of(model: bytes) -> float:
    """Score a saved ranking model on all queries, as scikit-learn does."""
    answers = xgboost.Booster(model_file=bytearray(model)).inplace_predict(X)
    return float(ndcg_score(Y.reshape(20, 8), answers.reshape(20, 8), k=4))


def test_survival_bounds_are_learned_from(run: RunJob) -> None:
    """An empty upper bound is a time that has no end yet, and is learned from as such."""
    lower = 1 + X[:, 0]
    upper = np.where(Y > 0, lower, np.nan)
    text = "low,high,a,b\n" + csv_text(lower, upper, X[:, :2]).replace("nan", "")
    bounds = {"label_lower_bound": "low", "label_upper_bound": "high"}

    model, manifest = run({"a.csv": text}, objective="survival:aft", **bounds)

    assert manifest.schema.names == ("a", "b")
    ended = "low,high,a,b\n" + csv_text(lower, lower, X[:, :2])
    other, _ = run({"a.csv": ended}, objective="survival:aft", **bounds)
    features = X[:, :2]
    with_end, without = (
        xgboost.Booster(model_file=bytearray(each)).inplace_predict(features).mean()
        for each in (other, model)
    )
    assert without > with_end


def test_a_base_margin_is_started_from(run: RunJob) -> None:
    """The margin column is no feature, and changes the trees."""
    margins = csv_text(Y, X[:, 0] - 5, X)

    with_margin, manifest = run({"a.csv": margins}, base_margin="1")

    assert len(manifest.schema.columns) == 4
    assert with_margin != run({"a.csv": PLAIN})[0]


@pytest.mark.parametrize(
    ("files", "content_type", "given", "message"),
    [
        ({"a.csv": PLAIN}, "text/csv; label_size=0", {}, "label_size=0; training needs one label"),
        ({"a.csv": PLAIN}, "text/csv; charset=ebcdic-x", {}, "charset='ebcdic-x', which is no"),
        ({"a.csv": PLAIN}, "application/pdf", {}, "'application/pdf'; expected text/csv"),
        ({"a.csv": PLAIN}, "application/x-parquet", {}, "a.csv"),
        ({"a.csv": PLAIN}, "application/x-recordio-protobuf", {}, "a.csv"),
        ({"a.csv": PLAIN}, "text/libsvm", {}, "a.csv: row 1"),
        ({"a.gz": gzip.compress(PLAIN.encode())[:-40]}, "text/csv", {}, "a.gz: the gzip data is"),
        ({"a.csv": PLAIN}, None, {"objective": "rank:ndcg"}, "needs the query of each row"),
        (
            {"a.csv": csv_text(Y, W, X)},
            None,
            {"csv_weights": 1, "weight": "1"},
            "both name the weights",
        ),
        ({"a.svm": libsvm_text(1)}, None, {"label": "y"}, "label names a column, and libsvm has"),
        ({"a.csv": "1,-1,2\n0,1,3\n"}, None, {"weight": "1"}, "row 1, column 2: weight '-1' is"),
        (
            {"a.csv": "1,-1234567,2\n0,1,3\n"},
            None,
            {"weight": "1"},
            "row 1, column 2: weight '-1234567' is",
        ),
        (
            {"a.csv": csv_text(Y, Q, np.arange(160) % 2, X)},
            None,
            {"objective": "rank:ndcg", "group": "1", "weight": "2"},
            "in ranking a weight belongs to the query",
        ),
    ],
)
def test_what_cannot_be_read_is_named(
    *,
    run: RunJob,
    files: dict[str, str | bytes],
    content_type: str | None,
    given: dict[str, object],
    message: str,
) -> None:
    """The channel, the file and the row, and what to do."""
    with pytest.raises(UserError) as caught:
        run(files, content_type, **given)

    assert message in str(caught.value)
