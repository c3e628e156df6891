"""oneDAL engines predict, survive the round trip through bytes, and refuse damage."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import xgboost

from churn_daal.engine.convert import convert
from churn_daal.engine.extension import extension
from churn_daal.engine.native import XGBoostEngine
from churn_daal.engine.onedal import MarginEngine, load_onedal
from churn_daal.engine.protocol import Engine
from churn_daal.engine.stored import MAGIC, OtherVersionError, pack, unpack
from churn_daal.errors import ArtifactError


@pytest.fixture(scope="module")
def engine(logistic: xgboost.Booster) -> MarginEngine:
    """Give a converted binary model."""
    return convert(logistic)


@pytest.fixture(scope="module")
def data(engine: MarginEngine) -> bytes:
    """Give its bytes."""
    return engine.to_bytes()


def load(data: bytes, **changes: object) -> Engine:
    """Load bytes as the binary model they are, but for what is changed."""
    expected = {"objective": "binary:logistic", "n_features": 6, "n_classes": 2}
    return load_onedal(data, **(expected | changes))


def test_round_trip(engine: MarginEngine, data: bytes, rows: np.ndarray) -> None:
    """Loaded bytes answer to the last bit as before, and give the same bytes again."""
    loaded = load(data)
    np.testing.assert_array_equal(loaded.predict(rows), engine.predict(rows))
    np.testing.assert_array_equal(loaded.margin(rows), engine.margin(rows))
    assert (loaded.name, loaded.n_features, loaded.n_classes) == ("onedal", 6, 0)
    assert loaded.to_bytes() == data


def test_classifier_round_trip(multi: xgboost.Booster, rows: np.ndarray) -> None:
    """A classifier keeps its classes through bytes, and its rows sum to one."""
    engine = convert(multi)
    loaded = load(engine.to_bytes(), objective="multi:softprob", n_classes=3)
    answers = loaded.predict(rows)
    assert (answers.dtype, answers.shape) == (np.float32, (len(rows), 3))
    np.testing.assert_array_equal(answers, engine.predict(rows))
    np.testing.assert_allclose(answers.sum(axis=1), 1, atol=1e-6)


def test_classifier_has_no_margin(multi: xgboost.Booster, rows: np.ndarray) -> None:
    """Asking a classifier for one margin is refused, not answered with something else."""
    with pytest.raises(ValueError, match="oneDAL has no margins of a multi:softprob model"):
        convert(multi).margin(rows)


@pytest.mark.parametrize("layout", [np.ascontiguousarray, np.asfortranarray, lambda X: X[::2]])
def test_layouts(
    layout: Callable[[np.ndarray], np.ndarray],
    logistic: xgboost.Booster,
    engine: MarginEngine,
    rows: np.ndarray,
) -> None:
    """Rows in another memory layout get the same answers."""
    X = layout(rows)
    expected = logistic.predict(xgboost.DMatrix(X))
    np.testing.assert_allclose(engine.predict(X), expected, atol=1e-6)


def test_a_row_alone_and_in_a_block(engine: MarginEngine, rows: np.ndarray) -> None:
    """A row's margin does not depend on its company beyond float32's last bits."""
    alone = np.concatenate([engine.margin(row[np.newaxis]) for row in rows])
    np.testing.assert_allclose(alone, engine.margin(rows), rtol=0, atol=2e-6)


def test_no_rows(engine: MarginEngine, multi: xgboost.Booster) -> None:
    """No rows get no answers, though oneDAL itself refuses an empty table."""
    none = np.empty((0, 6), dtype=np.float32)
    assert engine.predict(none).shape == (0,)
    assert engine.margin(none).dtype == np.float32
    assert convert(multi).predict(none).shape == (0, 3)


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.zeros((2, 5), np.float32), r"shape \(2, 5\), the engine expects \(n, 6\)"),
        (np.zeros((2, 7), np.float32), r"shape \(2, 7\), the engine expects \(n, 6\)"),
        (np.zeros(6, np.float32), r"shape \(6,\), the engine expects \(n, 6\)"),
        (np.zeros((2, 6)), "is float64, the engine expects float32"),
        (np.zeros((2, 6), np.int32), "is int32, the engine expects float32"),
        (np.zeros((2, 6), ">f4"), "is >f4, the engine expects float32"),
    ],
)
@pytest.mark.parametrize("kind", ["logistic", "multi"])
def test_refused_matrices(
    kind: str, X: np.ndarray, message: str, request: pytest.FixtureRequest
) -> None:
    """A matrix of another width or dtype is refused, naming both."""
    with pytest.raises(ValueError, match=message):
        convert(request.getfixturevalue(kind)).predict(X)


@pytest.mark.parametrize("count", [1, 5])
@pytest.mark.parametrize("kind", ["logistic", "multi"])
def test_answers_are_not_shared(
    kind: str, count: int, rows: np.ndarray, request: pytest.FixtureRequest
) -> None:
    """A later call does not write into an earlier answer."""
    engine = convert(request.getfixturevalue(kind))
    first = engine.predict(rows[:count])
    kept = first.copy()
    assert not np.array_equal(engine.predict(rows[-count:]), kept)
    np.testing.assert_array_equal(first, kept)


def test_a_kept_algorithm_would_share_its_answers(engine: MarginEngine, rows: np.ndarray) -> None:
    """Why calls make their own algorithm, or copy a row: oneDAL's keeps its first result."""
    algorithm = extension().gbt_regression_prediction(fptype="float")
    first = algorithm.compute(rows[:1], engine._model).prediction
    second = algorithm.compute(rows[1:2], engine._model).prediction
    assert np.shares_memory(first, second)
    with pytest.raises(RuntimeError, match="Number of rows in numeric table is incorrect"):
        algorithm.compute(rows[:2], engine._model)


@pytest.mark.parametrize("kind", ["logistic", "multi"])
def test_many_threads(kind: str, rows: np.ndarray, request: pytest.FixtureRequest) -> None:
    """Calls of different sizes from many threads at once each get their own rows' answers."""
    engine = convert(request.getfixturevalue(kind))
    spans = [(first, 1 + first % 40) for first in range(200)]
    expected = [engine.predict(rows[first : first + count]) for first, count in spans]
    wrong, start = [], threading.Barrier(8)

    def work(seed: int) -> None:
        start.wait()
        for at in np.random.default_rng(seed).permutation(len(spans)):
            first, count = spans[at]
            found = engine.predict(rows[first : first + count])
            if not np.array_equal(found, expected[at]):
                wrong.append((first, count, float(np.abs(found - expected[at]).max())))

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@pytest.mark.parametrize("keep", [0, 1, 7, 8, 39, 40, 43, 44, 100, 200, 0.5, -100, -1])
def test_truncated_bytes(keep: float, data: bytes) -> None:
    """Bytes cut anywhere are an ArtifactError before oneDAL sees them."""
    cut = data[: int(len(data) * keep) if isinstance(keep, float) else keep]
    with pytest.raises(ArtifactError, match=r"not a file this release wrote|truncated or damaged"):
        load(cut)


def test_flipped_bytes(data: bytes) -> None:
    """A changed byte anywhere, header and prefix included, is an ArtifactError."""
    rng = np.random.default_rng(0)
    for at in {*range(60), *rng.integers(0, len(data), 60).tolist()}:
        damaged = bytearray(data)
        damaged[at] ^= 0x10
        with pytest.raises(ArtifactError):
            load(bytes(damaged))


def test_bytes_that_follow(data: bytes) -> None:
    """Bytes after the end are damage too."""
    with pytest.raises(ArtifactError, match="truncated or damaged"):
        load(data + b"\0")


NATIVE = """
import sys
from churn_daal.engine.extension import extension
from churn_daal.engine.native import XGBoostEngine
extension().gbt_regression_model().__setstate__(sys.stdin.buffer.read())
print("constructed")
"""


def run_native(state: bytes) -> subprocess.CompletedProcess[bytes]:
    """Hand bytes to oneDAL itself, in another process."""
    command = [sys.executable, "-c", NATIVE]
    return subprocess.run(command, input=state, capture_output=True, check=False, timeout=60)


def test_why_there_is_a_digest(data: bytes) -> None:
    """Without the frame oneDAL ends the whole process on a cut model."""
    _, state = unpack(data)
    assert run_native(state).stdout == b"constructed\n"
    cut = run_native(state[:-1])
    assert cut.returncode < 0
    assert b"constructed" not in cut.stdout


def test_a_header_that_is_no_header(data: bytes) -> None:
    """A right digest over a header of other fields is still an ArtifactError."""
    header, state = unpack(data)
    framed = pack(header, state)
    assert framed == data
    body = (2).to_bytes(4, "little") + b"{}" + state
    with pytest.raises(ArtifactError, match="header of the oneDAL model cannot be read"):
        load(MAGIC + hashlib.sha256(body).digest() + body)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"n_features": 7}, "has 6 features and 0 classes, the manifest says 7 features"),
        ({"objective": "multi:softprob", "n_classes": 3}, "manifest says 6 features and 3 classes"),
    ],
)
def test_other_widths(changes: dict[str, Any], message: str, data: bytes) -> None:
    """Bytes of a model of another width or kind are refused, naming both."""
    with pytest.raises(ArtifactError, match=message):
        load(data, **changes)


def test_wrong_tree_count(data: bytes) -> None:
    """A header that tells another number of trees than oneDAL does is refused."""
    header, state = unpack(data)
    with pytest.raises(ArtifactError, match="6 features and 6 trees, its header says 6 and 9"):
        load(pack(replace(header, n_trees=9), state))


def test_another_onedal(data: bytes) -> None:
    """Bytes of another oneDAL release are refused by their own error, so that one can convert."""
    header, state = unpack(data)
    with pytest.raises(OtherVersionError, match="written by oneDAL 20200101, this is"):
        load(pack(replace(header, onedal="20200101"), state))


@pytest.mark.parametrize("objective", ["binary:logistic", "reg:squarederror", "multi:softprob"])
@pytest.mark.parametrize("deep", [False, True], ids=["few trees", "many"])
def test_some_rows_together_are_as_each_alone(
    objective: str, deep: bool, grow: Callable[..., xgboost.Booster], rows: np.ndarray
) -> None:
    """To the bit, so that rows of several requests may be answered at once."""
    engine = convert(grow(objective, rounds=150, max_depth=7) if deep else grow(objective))
    native = XGBoostEngine(grow(objective), threads=1)
    for answers in (engine, native):
        alone = np.concatenate([answers.predict(row[np.newaxis]) for row in rows])
        for count in {1, 2, 3, 7, 16, min(200, answers.rows_alike)}:
            for first in range(0, len(rows) - count, count):
                together = answers.predict(rows[first : first + count])
                assert together.tobytes() == alone[first : first + count].tobytes()


@pytest.mark.parametrize("objective", ["binary:logistic", "multi:softprob"])
def test_blocks_that_are_filled_answer_for_the_rows_alone(
    objective: str, grow: Callable[..., xgboost.Booster], rows: np.ndarray
) -> None:
    """Whatever their number, before and after each whole block of 80."""
    booster = grow(objective)
    engine = convert(booster)
    expected = booster.predict(xgboost.DMatrix(rows))
    for count in (27, 28, 29, 79, 80, 81, 107, 108, 159, 160, 187, 188, 240):
        answers = engine.predict(rows[:count])
        assert answers.shape == expected[:count].shape
        assert answers.flags.c_contiguous
        np.testing.assert_allclose(answers, expected[:count], rtol=0, atol=1e-6)
