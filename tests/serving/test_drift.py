"""Requests are held against the ranges and categories of the training data."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from flask.testing import FlaskClient

from churn_daal.artifact import Model
from churn_daal.artifact.statistics import ColumnStatistics, Statistics
from churn_daal.serving.access import WARNINGS
from churn_daal.serving.carried import ATTRIBUTES
from churn_daal.serving.drift import Ranges
from churn_daal.tabular.encoder import Encoder
from churn_daal.tabular.schema import Column, Schema

from .test_app import ROW, post

SCHEMA = Schema(
    (
        Column("flag", "boolean"),
        Column("low", "number"),
        Column("kind", "category", "onehot", ("a", "b")),
        Column("free", "number"),
        Column("high", "number"),
    )
)
KNOWN = Statistics(
    {
        "low": ColumnStatistics(0.0, -1.0, 1.0),
        "kind": ColumnStatistics(0.5),
        "free": ColumnStatistics(1.0),
        "high": ColumnStatistics(0.0, 0.1, 0.2),
    }
)


def ranges_of(model: Model, statistics: Statistics) -> Ranges | None:
    """Compile the ranges of a model with another schema and statistics."""
    return Ranges.of(replace(model.manifest, schema=SCHEMA, statistics=statistics))


def test_cells_out_of_range_are_counted_by_raw_column(churn: Model) -> None:
    """The ends are inside, a missing cell too; one-hot columns before it shift no column."""
    ranges = ranges_of(churn, KNOWN)
    nan = np.nan
    rows = np.array(
        [
            [9, -1, 1, 0, 1e9, np.float32(0.1)],
            [9, 1.001, 0, 0, nan, np.float32(0.2)],
            [9, -2, 0, 1, nan, nan],
            [nan, nan, 0, 1, nan, 0.3],
        ],
        dtype=np.float32,
    )
    outside = {4: 1}

    assert ranges is not None
    ranges.count(rows, outside)

    assert outside == {4: 2, 1: 2}


@pytest.mark.parametrize("known", [{}, {"kind": ColumnStatistics(0.0), "no": KNOWN.columns["low"]}])
def test_a_model_without_ranges_is_not_checked(
    churn: Model, known: dict[str, ColumnStatistics]
) -> None:
    """As one of an earlier release, or trained elsewhere, is."""
    assert ranges_of(churn, Statistics(known)) is None


@pytest.mark.parametrize("encoding", ["onehot", "ordinal"])
def test_unseen_categories_are_counted_and_missing_ones_not(encoding: str) -> None:
    """By the column's place, for text and JSON, on a twin that leaves the encoder as it was."""
    column = Column("kind", "category", encoding, ("a", "7", "True"))  # type: ignore[arg-type]
    encoder = Encoder(Schema((Column("n", "number"), column)))
    unseen: dict[int, int] = {}

    counting = encoder.counting(unseen)
    counting.from_text([["1"] * 5, ["a", "7.0", "", "NA", " z "]])
    counting.from_json([[1] * 4, [7, None, True, False]])
    encoder.from_text([["1"], ["z"]])

    assert unseen == {1: 2}


def test_training_gives_the_ranges(churn: Model, churn_head: str) -> None:
    """The manifest has the smallest and largest value of each number column, by name."""
    names, *rows = [line.split(",") for line in churn_head.splitlines()]
    place = names.index("Day Mins")
    values = [float(row[place]) for row in rows]

    known = churn.manifest.statistics.columns["Day Mins"]

    assert (known.missing, known.low) == (0.0, np.float32(min(values)))
    assert known.high == np.float32(max(values))
    assert churn.manifest.statistics.range_of("State") is None
    assert churn.manifest.statistics.columns["State"].missing == 0.0


def test_a_row_outside_is_answered_with_a_warning(client: FlaskClient) -> None:
    """Counts of cells, in a header of ours and where SageMaker lets a client see them."""
    strange = ROW.replace("KS", "XX").replace("265.1", "99265.1").replace("415", "-1")

    usual = post(client, ROW)
    response = post(client, f"{ROW}\n{strange}\n")

    assert WARNINGS not in usual.headers
    assert ATTRIBUTES not in usual.headers
    assert response.status_code == 200
    assert response.headers[WARNINGS] == "out-of-range=2; unseen=1"
    assert response.headers[ATTRIBUTES] == "out-of-range=2; unseen=1"


def test_a_clients_own_attributes_are_not_touched(client: FlaskClient) -> None:
    """It gets back what it sent, warnings or not."""
    response = post(client, ROW.replace("KS", "XX"), **{ATTRIBUTES: "trace=7"})

    assert response.headers.getlist(ATTRIBUTES) == ["trace=7"]
    assert response.headers[WARNINGS] == "unseen=1"
