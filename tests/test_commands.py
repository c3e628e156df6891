"""`churn-daal compare` as a user types it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from churn_daal import commands
from churn_daal.data import churn_csv


@pytest.fixture
def unseen(tmp_path: Path) -> Path:
    """Return rows that neither model was trained on."""
    head, *lines = churn_csv().read_text().splitlines(keepends=True)
    path = tmp_path / "unseen.csv"
    path.write_text(head + "".join(lines[2_000:3_500]))
    return path


@pytest.fixture
def other_model(tmp_path: Path, train_model: Callable[..., Path], churn_head: str) -> Path:
    """Return a model of fewer columns and fewer trees."""
    settings = {"label": "Churn?", "num_round": 2, "max_depth": 2, "drop_columns": "State"}
    return train_model(tmp_path / "other", churn_head, **settings)


def test_two_models_are_compared(
    churn_model: Path, other_model: Path, unseen: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The small one is worse, and not by chance; the columns they read may differ."""
    code = commands.main(["compare", str(other_model), str(churn_model), str(unseen), "--json"])

    found = json.loads(capsys.readouterr().out)
    assert code == 0
    assert found["rows"] == 1_500
    assert found["differences"]["auc"]["low"] > 0
    assert found["first"]["auc"] < found["second"]["auc"]
    assert 0.8 < found["agreement"] < 1


def test_the_table_has_each_figure(
    churn_model: Path, unseen: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A model beside itself differs in nothing."""
    code = commands.main(["compare", str(churn_model), str(churn_model), str(unseen)])

    lines = capsys.readouterr().out.splitlines()
    assert code == 0
    assert lines[0] == "1500 rows; both answer the same class to 100.00% of them"
    assert [line.split()[0] for line in lines[2:]] == ["auc", "f1", "accuracy"]
    assert all(line.endswith("+0.0000   +0.0000 to +0.0000") for line in lines[2:])


@pytest.mark.parametrize(
    ("place", "case"),
    [
        (0, ("/nowhere.tar.gz", "there is no model /nowhere.tar.gz")),
        (2, ("/nowhere.csv", "there are no rows /nowhere.csv")),
        (1, (None, "cannot be unpacked")),
    ],
)
def test_a_mistake_is_told(
    churn_model: Path,
    unseen: Path,
    capsys: pytest.CaptureFixture[str],
    place: int,
    case: tuple[str | None, str],
) -> None:
    """One line, and exit code 1; the rows in a model's place are no archive."""
    given, named = case
    words = [str(churn_model), str(churn_model), str(unseen)]
    words[place] = given or str(unseen)

    code = commands.main(["compare", *words])

    captured = capsys.readouterr()
    assert (code, captured.out) == (1, "")
    assert captured.err.startswith("churn-daal compare: ")
    assert named in captured.err
