"""A channel's rows are told apart and counted, however its batches come."""

from __future__ import annotations

import numpy as np

from churn_daal.report.channel_quality import ChannelQuality
from churn_daal.tabular.labels import Labels
from churn_daal.tabular.schema import Column

TEXT = Column("t", "category", "ordinal", ("a", "b", "c"))


def channel(classes: tuple[int, ...] = (0, 1)) -> ChannelQuality:
    """Return an empty channel of one text column."""
    return ChannelQuality([TEXT], Labels("y", classes), "binary" if classes else "regression")


def codes(*places: int) -> np.ndarray:
    """Return codes of texts."""
    return np.asarray(places, dtype=np.int32)


def test_rows_are_compared_by_text_and_not_by_code() -> None:
    """A new list of texts gives the codes a new meaning; a longer one keeps the old."""
    quality = channel()
    texts = ["a", "b"]
    quality.add([(codes(0, 1), texts)], np.zeros(2, np.float32))
    texts.append("c")
    quality.add([(codes(2), texts)], np.zeros(1, np.float32))
    assert quality.to_json()["duplicate_rows"] == 0

    quality.add([(codes(0, 1), ["c", "d"])], np.zeros(2, np.float32))
    assert quality.to_json()["duplicate_rows"] == 1


def test_rows_of_other_labels_are_other_rows() -> None:
    """Equal features with unequal labels are no repetition."""
    quality = channel()
    quality.add([(codes(0, 0, 0), ["a"])], np.asarray([0, 1, 0], np.float32))

    assert quality.to_json()["duplicate_rows"] == 1


def test_shares_count_as_the_class_they_are_nearer_to() -> None:
    """A label of a half or more is the positive class, as in training."""
    quality = channel()
    quality.add([(codes(0, 0, 0), ["a"])], np.asarray([0.2, 0.5, 1.0], np.float32))

    assert [entry["rows"] for entry in quality.balance()] == [1, 2]


def test_a_numeric_label_is_described_as_a_number() -> None:
    """Without classes the label has a range and a mean."""
    quality = channel(())
    quality.add([(codes(0, 0), ["a"])], np.asarray([2, 4], np.float32))
    label = quality.to_json()["label"]

    assert (label["name"], label["task"]) == ("y", "regression")
    assert (label["min"], label["max"], label["mean"]) == (2.0, 4.0, 3.0)


def test_wide_channels_get_smaller_sketches() -> None:
    """The sketches of all columns together stay within their memory."""
    wide = [Column(f"c{place}", "number") for place in range(20_000)]
    quality = ChannelQuality(wide, Labels("y", (0, 1)), "binary")

    assert {column.sketch.size for column in quality.columns} == {128}
