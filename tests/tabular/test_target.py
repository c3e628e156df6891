"""Labels become XGBoost's numbers and are answered as they were trained."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from churn_daal.errors import UserError
from churn_daal.tabular.csv_channel import CsvReader
from churn_daal.tabular.labels import Labels
from churn_daal.tabular.reading import read_table
from churn_daal.tabular.table import Table
from churn_daal.tabular.target import Target, Task, encode_target, learn_target, read_weights


def labels(folder: Path, *cells: str) -> Table:
    """Read a table of a label column and one number."""
    (folder / "t.csv").write_text("y,x\n" + "".join(f"{cell},1\n" for cell in cells))
    reader = CsvReader([folder / "t.csv"], header="present")
    return read_table(reader, features=(1,), keep=(0,), text={0})


def learn(folder: Path, *cells: str, **options: object) -> Target:
    """Learn the target of such a table."""
    return learn_target(labels(folder, *cells), 0, **{"task": None, **options})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("cells", "options", "task", "classes", "y"),
    [
        (("0", "1", "1"), {"task": "binary"}, "binary", (0, 1), [0, 1, 1]),
        (("0", "0"), {"task": "binary"}, "binary", (0, 1), [0, 0]),
        (("0.25", "1"), {"task": "binary"}, "binary", (0, 1), [0.25, 1]),
        (("2", "1"), {"task": "binary"}, "binary", (1, 2), [1, 0]),
        (("True.", "False."), {}, "binary", ("False.", "True."), [1, 0]),
        (("bad", "good"), {"positive_label": "bad"}, "binary", ("good", "bad"), [1, 0]),
        (("1", "0"), {"task": "binary", "positive_label": "0"}, "binary", (1, 0), [0, 1]),
        (("b", "c", "a"), {}, "multiclass", ("a", "b", "c"), [1, 2, 0]),
        (("10", "9", "2.5"), {"task": "multiclass"}, "multiclass", (2.5, 9, 10), [2, 1, 0]),
        (("0", "2"), {"task": "multiclass", "num_class": 4}, "multiclass", (0, 1, 2, 3), [0, 2]),
        (("1.5", "-2"), {}, "regression", (), [1.5, -2]),
        (("01", "1"), {"task": "binary"}, "binary", (0, 1), [1, 1]),
        (("01", "7"), {"task": "binary"}, "binary", ("01", 7), [0, 1]),
        (("2.0", "1", "2"), {"task": "multiclass"}, "multiclass", (1, 2), [1, 0, 1]),
        (
            ("9007199254740993", "9007199254740994"),
            {"task": "multiclass"},
            "multiclass",
            ("9007199254740993", "9007199254740994"),
            [0, 1],
        ),
        (("1e400", "a"), {"task": "multiclass"}, "multiclass", ("1e400", "a"), [0, 1]),
    ],
)
def test_labels(
    *,
    tmp_path: Path,
    cells: tuple[str, ...],
    options: dict[str, object],
    task: str,
    classes: tuple[object, ...],
    y: list[float],
) -> None:
    """0/1, two words, K classes, shares and values; numbers alone mean regression."""
    target = learn(tmp_path, *cells, **options)

    assert (target.task, target.labels) == (task, Labels("y", classes))  # type: ignore[arg-type]
    np.testing.assert_array_equal(target.y, np.array(y, dtype=np.float32))
    assert target.y.dtype == np.float32


@pytest.mark.parametrize(
    ("cells", "options", "message"),
    [
        (("a", "", "b"), {}, "t.csv: row 3, column 1 ('y'): the label is missing"),
        (("1", "x"), {"task": "regression"}, "t.csv: row 3, column 1 ('y'): 'x' is not a number"),
        (
            ("a", "b", "c"),
            {"task": "binary"},
            "it has 3: 'a', 'b', 'c'; use objective multi:softprob",
        ),
        (("a", "a"), {"task": "binary"}, "it has 1: 'a'; the training data needs rows of both"),
        (
            ("a", "b"),
            {"positive_label": "c"},
            "positive_label='c' is not one of the label's classes",
        ),
        (
            ("1", "2"),
            {"positive_label": "1"},
            "positive_label='1' goes with a binary objective only",
        ),
        (("a", "b"), {"task": "multiclass", "num_class": 5}, "num_class=5, but the label has 2"),
        (("a", "a"), {"task": "multiclass"}, "two classes or more, but it has 'a' alone"),
    ],
)
def test_wrong_labels_are_refused(
    tmp_path: Path, cells: tuple[str, ...], options: dict[str, object], message: str
) -> None:
    """The message names what came, where, and what to do."""
    with pytest.raises(UserError, match=re.escape(message)):
        learn(tmp_path, *cells, **options)


def test_other_channels_use_the_learned_classes(tmp_path: Path) -> None:
    """A label that training did not have is refused by file and row."""
    known = Labels("y", ("a", "b"))

    y = encode_target(labels(tmp_path, "b", "a"), 0, task="binary", labels=known)

    assert y.tolist() == [1, 0]
    with pytest.raises(UserError, match=r"t\.csv: row 3, .*label 'c' is not a class of the train"):
        encode_target(labels(tmp_path, "a", "c"), 0, task="binary", labels=known)


@pytest.mark.parametrize(
    ("task", "classes", "cell"),
    [("binary", (0, 1), "2"), ("binary", (0, 1), "-1"), ("multiclass", (0, 1, 2), "1.5")],
)
def test_other_channels_numbers_stay_in_range(
    tmp_path: Path, task: Task, classes: tuple[int, ...], cell: str
) -> None:
    """Numbers are held to the classes, too: scikit-learn would fail on them after the fit."""
    with pytest.raises(UserError, match=rf"row 3, .*label '{cell}' is outside the train channel's"):
        encode_target(labels(tmp_path, "1", cell), 0, task=task, labels=Labels("y", classes))


@pytest.mark.parametrize("weight", ["-1", "", "x"])
def test_weights_are_numbers_of_zero_or_more(tmp_path: Path, weight: str) -> None:
    """File, row and column are named."""
    with pytest.raises(UserError, match=r"t\.csv: row 3, column 1 \('y'\): "):
        read_weights(labels(tmp_path, "2", weight, "3"), 0)
    assert read_weights(labels(tmp_path, "2", "0"), 0).tolist() == [2, 0]


def test_numbers_are_not_looked_at_one_by_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a regression there may be as many as rows."""
    (tmp_path / "t.csv").write_text("y,x\n0.5,1\n-2,1\n")
    reader = CsvReader([tmp_path / "t.csv"], header="present")
    table = read_table(reader, features=(1,), keep=(0,), numbers={0})
    monkeypatch.delattr("churn_daal.tabular.target.distinct_cells")

    for task in (None, "regression"):
        found = learn_target(table, 0, task=task)
        assert (found.task, found.y.tolist()) == ("regression", [0.5, -2])
