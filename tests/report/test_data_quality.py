"""data_quality.json says what is wrong with the data, and nothing of data that is right."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from churn_daal.report.channel_quality import Cells, ChannelQuality, Task
from churn_daal.report.data_quality import describe_data
from churn_daal.tabular.labels import Labels
from churn_daal.tabular.schema import Column

RNG = np.random.default_rng(1)
Y = RNG.integers(0, 2, 400).astype(np.float32)


def warnings_of(
    cells: Cells, column: Column, y: np.ndarray = Y, *, regression: bool = False
) -> list[str]:
    """Describe a train channel of one column."""
    labels = Labels("y", () if regression else (0, 1))
    task: Task = "regression" if regression else "binary"
    quality = ChannelQuality([column], labels, task, seek_leaks=True)
    quality.add([cells], y.astype(np.float32))
    found: list[str] = describe_data({"train": quality}, [column])["warnings"]
    return found


NUMBER, TEXT = Column("x", "number"), Column("t", "category", "ordinal", ("a", "b"))
MISSING = np.where(RNG.random(400) < 0.8, np.nan, RNG.normal(size=400)).astype(np.float32)
INFINITE = np.where(np.arange(400) == 7, np.inf, RNG.normal(size=400)).astype(np.float32)


@pytest.mark.parametrize(
    ("cells", "column", "told"),
    [
        (np.full(400, np.nan, np.float32), NUMBER, "column 'x' is empty; list it in drop_columns"),
        (np.ones(400, np.float32), NUMBER, "column 'x' has one value only"),
        (MISSING, NUMBER, "column 'x' is missing in"),
        (INFINITE, NUMBER, "column 'x' has 1 infinite values"),
        (Y, NUMBER, "column 'x': its values alone tell the class of every row"),
        ((Y.astype(np.int32), ["a", "b"]), TEXT, "column 't': its values alone tell the class"),
        (
            (np.arange(400, dtype=np.int32), [f"id{n}" for n in range(400)]),
            *(TEXT, "column 't' has 400 values in 400 rows; if it names the row, list it in id_"),
        ),
    ],
    ids=["empty", "constant", "missing", "infinite", "leak", "text leak", "identifier"],
)
def test_faults_of_a_column_are_told(cells: Cells, column: Column, told: str) -> None:
    """Each fault gives one line that names the column and the remedy."""
    (line,) = warnings_of(cells, column)

    assert line.startswith(told)


def test_a_copy_of_a_numeric_label_is_told() -> None:
    """In regression a column that follows the label is flagged with its correlation."""
    y = RNG.normal(size=400)
    copy = (1000 - 3 * y).astype(np.float32)

    (line,) = warnings_of(copy, NUMBER, y, regression=True)
    assert line.startswith("column 'x': its correlation with the label is -1.000000")


def test_a_rare_class_is_told() -> None:
    """A class of fewer than one row in a hundred is named with its count."""
    y = (np.arange(400) < 3).astype(np.float32)

    (line,) = warnings_of(RNG.normal(size=400).astype(np.float32), NUMBER, y)
    assert line.startswith("class 1 has 3 of 400 rows")


def test_sound_data_gives_no_warning(
    draw: Callable[..., Any], gather: Callable[..., ChannelQuality]
) -> None:
    """Rows of honest columns are described without a complaint."""
    train = gather(draw(400, 1), seek_leaks=True)
    document = describe_data({"train": train, "validation": gather(draw(100, 2))}, [])

    assert document["warnings"] == []
    told = document["channels"]["train"]
    assert told["rows"] == 400
    assert sum(entry["rows"] for entry in told["label"]["classes"]) == 400
    assert [entry["class"] for entry in told["label"]["classes"]] == ["no", "yes"]


def test_rows_in_two_channels_are_told(
    draw: Callable[..., Any], gather: Callable[..., ChannelQuality]
) -> None:
    """Validation rows that training had, too, are counted exactly."""
    cells, y, X = draw(400, 1)
    leaked = ([(c[0][:30], c[1]) if isinstance(c, tuple) else c[:30] for c in cells], y[:30], X)
    validation = gather(draw(100, 2))
    validation.merge(gather(leaked))
    document = describe_data({"train": gather((cells, y, X)), "validation": validation}, [])

    assert document["rows_also_in_train"] == {"validation": {"rows": 30, "exact": True}}
    assert document["warnings"][-1].startswith("30 rows of channel 'validation' are in the train")


def test_coarse_rows_that_repeat_by_chance_are_no_leak() -> None:
    """Where rows repeat within the train channel as well, shared ones give no warning."""
    labels = Labels("y", (0, 1))
    train, validation = (ChannelQuality([NUMBER], labels, "binary") for _ in range(2))
    coarse = RNG.integers(0, 10, 400).astype(np.float32)
    train.add([coarse[:300]], Y[:300])
    validation.add([coarse[300:]], Y[300:])
    document = describe_data({"train": train, "validation": validation}, [NUMBER])

    assert document["rows_also_in_train"]["validation"]["rows"] == 100
    assert document["warnings"] == []


def test_unseen_categories_are_told() -> None:
    """A category that training does not know is named with its rows."""
    labels = Labels("y", (0, 1))
    train, test = (ChannelQuality([TEXT], labels, "binary") for _ in range(2))
    train.add([(Y.astype(np.int32), ["a", "b"])], Y)
    test.add([(np.asarray([0, 1, 1, -1], np.int32), ["a", "new"])], Y[:4])
    document = describe_data({"train": train, "test": test}, [TEXT])

    expected = {"rows": 2, "distinct": 1, "top": [{"value": "new", "count": 2}]}
    assert document["unseen_categories"] == {"test": {"t": expected}}
    assert "such as 'new'" in document["warnings"][-1]


def test_hosts_merge(draw: Callable[..., Any], gather: Callable[..., ChannelQuality]) -> None:
    """Two hosts' halves give the counts of the whole."""
    cells, y, X = draw(400, 1)
    halves = []
    for part in (slice(0, 150), slice(150, 400)):
        own = [(c[0][part], c[1]) if isinstance(c, tuple) else c[part] for c in cells]
        halves.append(gather((own, y[part], X), seek_leaks=True))
    halves[0].merge(halves[1])
    whole = gather((cells, y, X), seek_leaks=True)

    for key in ("rows", "label", "duplicate_rows"):
        assert halves[0].to_json()[key] == whole.to_json()[key]
    assert halves[0].columns[1].to_json() == whole.columns[1].to_json()


def test_a_batch_of_the_wrong_width_is_refused() -> None:
    """A column too few is no batch of this channel."""
    quality = ChannelQuality([NUMBER, TEXT], Labels("y", (0, 1)), "binary")

    with pytest.raises(ValueError, match="shorter"):
        quality.add([Y], Y)


def test_file_names_that_are_not_utf8_are_shown() -> None:
    """A name with bytes that are no text still gives a document that JSON can hold."""
    quality = ChannelQuality([NUMBER], Labels("y", (0, 1)), "binary")
    quality.add_file("a\udcff.csv", 3)

    assert quality.files[0].name == r"a\udcff.csv"
