"""The image under the restrictions SageMaker and careful operators put on it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from .conftest import Start, Train
from .drive import AS_CALLER, as_csv, docker, lay_opt_ml, mount, poll, xgboost_answers

pytestmark = pytest.mark.container
# What a request from inside looks like where no port leads out.
ASK = """
import http.client, sys
connection = http.client.HTTPConnection("127.0.0.1", 8080, timeout=30)
connection.request("POST", "/invocations", sys.argv[1].encode(), {"Content-Type": "text/csv"})
answer = connection.getresponse()
body = answer.read().decode()
sys.exit(body) if answer.status != 200 else print(body)
"""


def test_train_runs_as_a_user_that_owns_nothing_else(train: Train, tmp_path: Path) -> None:
    """Some platforms run every container under an arbitrary user."""
    opt_ml = lay_opt_ml(tmp_path / "ml", num_round="5")
    for path in (opt_ml, *opt_ml.rglob("*")):
        path.chmod(0o777 if path.is_dir() else 0o666)

    done = train(opt_ml, "--user", "1000")

    assert done.returncode == 0, done.stderr
    assert (opt_ml / "model/daal/onedal.bin").is_file()


def test_train_that_may_not_write_the_model_says_so_first(train: Train, tmp_path: Path) -> None:
    """A fit whose model cannot be saved is not begun."""
    opt_ml = lay_opt_ml(tmp_path / "ml")
    (opt_ml / "model").chmod(0o555)

    done = train(opt_ml, "--user", "54321")

    assert done.returncode == 1
    assert "UserError: the model folder /opt/ml/model cannot be written to by user" in done.stderr
    assert "[0]" not in done.stdout


def test_train_needs_no_network(train: Train, tmp_path: Path) -> None:
    """Network isolation is a setting of a job (rule P5)."""
    opt_ml = lay_opt_ml(tmp_path / "ml", num_round="5")

    done = train(opt_ml, "--network", "none")

    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "options",
    [
        ("--user", "1000"),
        ("--read-only", "--tmpfs", "/tmp"),  # noqa: S108 - a path inside the container
        ("--read-only", "--tmpfs", "/tmp", "--user", "1000", "--cap-drop", "ALL"),  # noqa: S108
    ],
    ids=["user", "read-only", "both"],
)
def test_serve_answers_under(
    serve: Start, model: Path, rows: list[list[str]], options: tuple[str, ...]
) -> None:
    """Serverless inference gives no right to write anywhere but /tmp (rule P3)."""
    answer = serve(model, *options).post(as_csv(rows[:10]))

    assert np.abs(answer.scores() - xgboost_answers(model, rows[:10])).max() <= 1e-5


def test_serve_needs_no_network(start: Start, model: Path, rows: list[list[str]]) -> None:
    """An isolated endpoint is asked from inside, since no port leads out of it."""
    where = mount(model, "/opt/ml/model", readonly=True)
    server = start("serve", "--network", "none", *AS_CALLER, *where)

    def ask() -> str:
        done = docker("exec", server.name, "python3", "-c", ASK, as_csv(rows[:3]).decode())
        return done.stdout if done.returncode == 0 else ""

    poll(lambda: bool(ask()), "an answer from inside", server.logs)

    scores = np.array(ask().split(), dtype=np.float64)
    assert np.abs(scores - xgboost_answers(model, rows[:3])).max() <= 1e-5
