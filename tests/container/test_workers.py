"""Several worker processes and threads give right answers to many clients at once.

OpenMP's and TBB's threads do not outlive a fork: a model built before it hangs the first request
that is large enough to be computed in parallel, or answers wrongly.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from churn_daal import artifact

from .conftest import Start, Train
from .drive import Container, as_csv, docker, lay_opt_ml, xgboost_answers

pytestmark = pytest.mark.container
WORKERS = 3
CLIENTS = 12
# From a single row up to blocks that both libraries share out among threads.
SIZES = (1, 2, 7, 50, 400, 2000)


def assert_right_answers(server: Container, model: Path, rows: list[list[str]]) -> None:
    """Ask from many threads at once and compare each answer with stock XGBoost's."""
    expected = xgboost_answers(model, rows)
    spans = [
        (begin, begin + size)
        for turn in range(8)
        for size in SIZES
        for begin in [(turn * 577 + size) % (len(rows) - size)]
    ]

    def difference(span: tuple[int, int]) -> float:
        scores = server.post(as_csv(rows[slice(*span)])).scores()
        return float(np.abs(scores - expected[slice(*span)].ravel()).max())

    with ThreadPoolExecutor(CLIENTS) as clients:
        assert max(clients.map(difference, spans)) <= 1e-5


def processes(server: Container) -> int:
    """Count the processes in the container, its first one included."""
    return len(docker("top", server.name).stdout.splitlines()) - 1


def test_onedal_answers_many_clients_from_several_workers(
    serve: Start, model: Path, rows: list[list[str]]
) -> None:
    """TBB, after the fork."""
    server = serve(model, "--env", f"SAGEMAKER_MODEL_SERVER_WORKERS={WORKERS}")

    assert_right_answers(server, model, rows)
    assert processes(server) >= 1 + WORKERS


def test_xgboost_answers_many_clients_from_several_workers(
    train: Train, serve: Start, tmp_path: Path, rows: list[list[str]]
) -> None:
    """OpenMP, after the fork: oneDAL has no form for a two-class `multi:softprob`."""
    opt_ml = lay_opt_ml(tmp_path / "ml", objective="multi:softprob", num_class="2", num_round="20")
    done = train(opt_ml)
    assert done.returncode == 0, done.stderr
    assert artifact.audit(opt_ml / "model").engine.name == "xgboost"

    server = serve(opt_ml / "model", "--env", f"SAGEMAKER_MODEL_SERVER_WORKERS={WORKERS}")

    assert_right_answers(server, opt_ml / "model", rows)
    assert processes(server) >= 1 + WORKERS
