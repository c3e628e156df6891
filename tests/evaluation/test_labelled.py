"""Rows are answered as the endpoint answers them, whatever form they come in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xgboost

from churn_daal.artifact import Model, load
from churn_daal.errors import UserError
from churn_daal.evaluation import answer_rows


@pytest.fixture(scope="module")
def model(churn_model: Path) -> Model:
    """Return the churn model, loaded."""
    return load(churn_model)


def table_of(text: str) -> dict[str, list[str]]:
    """Return a plain CSV's columns."""
    head, *lines = [line.split(",") for line in text.splitlines()]
    return dict(zip(head, map(list, zip(*lines, strict=True)), strict=True))


def test_answers_are_xgboosts(tmp_path: Path, model: Model, churn_head: str) -> None:
    """Within 1e-5 of stock XGBoost on the same encoded rows, and classes by the threshold."""
    path = tmp_path / "rows.csv"
    path.write_text(churn_head)

    found = answer_rows(model, path)

    columns = table_of(churn_head)
    X = model.encoder.from_text([columns[name] for name in model.encoder.schema.names])
    expected = model.booster.predict(xgboost.DMatrix(X))
    assert np.abs(found.probability - expected).max() < 1e-5
    assert found.truth.tolist() == [cell == "True." for cell in columns["Churn?"]]
    assert np.array_equal(found.positive, found.probability >= np.float32(0.5))


def test_parquet_and_csv_are_answered_alike(tmp_path: Path, model: Model, churn_head: str) -> None:
    """In any order of the columns, with a column that training left out, in several files."""
    columns = table_of(churn_head)
    names = list(columns)[::-1]
    folder = tmp_path / "rows"
    folder.mkdir()
    whole = pa.table({name: columns[name] for name in names})
    pq.write_table(whole.slice(0, 700), folder / "0.parquet")
    pq.write_table(whole.slice(700), folder / "1.parquet")
    (tmp_path / "rows.csv").write_text(churn_head)

    one, other = answer_rows(model, folder), answer_rows(model, tmp_path / "rows.csv")

    assert np.array_equal(one.probability, other.probability)
    assert np.array_equal(one.truth, other.truth)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda t: t.replace("Churn?", "Left?", 1), "there is no column 'Churn\\?'|was not there"),
        (lambda t: t.replace("Day Mins", "Minutes", 1), "no column 'Day Mins'"),
        (lambda t: t.replace("False.", "maybe", 1), "label 'maybe' is not a class"),
        (lambda t: t.replace(",265.1,", ",lots,", 1), "row 2, column 7 .*'lots'"),
    ],
    ids=["no label", "another column", "another class", "a word for a number"],
)
def test_rows_of_another_shape_are_refused(
    tmp_path: Path, model: Model, churn_head: str, change: Callable[[str], str], named: str
) -> None:
    """File, row and column are named, and what the model expects."""
    path = tmp_path / "rows.csv"
    path.write_text(change(churn_head))

    with pytest.raises(UserError, match=named):
        answer_rows(model, path)


def test_a_model_without_probabilities_is_refused(
    tmp_path: Path, train_model: Callable[..., Path]
) -> None:
    """A regression is not judged by classes."""
    rows = "y,x\n" + "".join(f"{i / 3},{i}\n" for i in range(50))
    folder = train_model(tmp_path, rows, num_round=2)
    (tmp_path / "rows.csv").write_text(rows)

    with pytest.raises(UserError, match="objective is reg:squarederror; only a binary one"):
        answer_rows(load(folder), tmp_path / "rows.csv")
