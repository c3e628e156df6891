"""The encoder gives scikit-learn's codes, on text and JSON alike."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder

from churn_daal.errors import DecodeError, SchemaError
from churn_daal.tabular.encoder import Encoder
from churn_daal.tabular.read_back import read_back
from churn_daal.tabular.schema import Column, Schema

STATES = ("KS", "NJ", "OH")
CELLS = ["OH", "KS", "??", "NJ", "", " OH "]


@pytest.mark.parametrize("encoding", ["onehot", "ordinal"])
def test_codes_are_scikit_learns(encoding: str) -> None:
    """Known, unseen and missing categories get the codes scikit-learn's encoders give."""
    encoder = Encoder(Schema((Column("State", "category", encoding, STATES),)))  # type: ignore[arg-type]
    reference = (
        OneHotEncoder(categories=[list(STATES)], handle_unknown="ignore", sparse_output=False)
        if encoding == "onehot"
        else OrdinalEncoder(
            categories=[list(STATES)], handle_unknown="use_encoded_value", unknown_value=np.nan
        )
    )
    column = np.array([[cell.strip()] for cell in CELLS], dtype=object)
    expected = reference.fit_transform(column)

    np.testing.assert_array_equal(encoder.from_text([CELLS]), expected.astype(np.float32))


def test_columns_lie_side_by_side() -> None:
    """Each feature has its own columns of the matrix, in the schema's order."""
    schema = Schema(
        (
            Column("n", "number"),
            Column("c", "category", "onehot", ("a", "b")),
            Column("b", "boolean"),
        )
    )

    X = Encoder(schema).from_text([["1.5", ""], ["b", "a"], ["yes", "no"]])

    assert schema.encoded_names == ("n", "c=a", "c=b", "b")
    assert X.dtype == np.float32
    assert X.flags.c_contiguous
    np.testing.assert_array_equal(X, [[1.5, 0, 1, 1], [np.nan, 1, 0, 0]])


def test_json_and_text_give_the_same_matrix() -> None:
    """A number, a boolean and a category mean the same in both."""
    schema = Schema(
        (
            Column("n", "number"),
            Column("c", "category", "ordinal", ("415",)),
            Column("b", "boolean"),
        )
    )
    encoder = Encoder(schema)

    np.testing.assert_array_equal(
        encoder.from_json([[0.1, None], [415.0, "x"], [True, None]]),
        encoder.from_text([["0.1", ""], ["415", "x"], ["true", ""]]),
    )


@pytest.mark.parametrize(
    ("categories", "text", "value"),
    [
        (("415", "510"), "510.0", 510.0),
        (("415", "510"), "510", 510),
        (("False", "True", "Unknown"), "True", True),
        (("FALSE", "TRUE"), "FALSE", False),
        (("1.5", "x"), "1.5", 1.5),
    ],
)
def test_json_finds_the_category_its_text_is(
    categories: tuple[str, ...], text: str, value: object
) -> None:
    """A category learned from a CSV is the same one as a JSON number or boolean."""
    encoder = Encoder(Schema((Column("c", "category", "ordinal", categories),)))

    X = encoder.from_json([[value]])

    assert not np.isnan(X).any()
    np.testing.assert_array_equal(X, encoder.from_text([[text]]))


def test_a_bad_cell_names_its_place() -> None:
    """Row and column count from 1."""
    encoder = Encoder(Schema((Column("a", "number"), Column("b", "number"))))

    with pytest.raises(DecodeError, match=r"^row 2, column 2 \('b'\): 'x' is not a number"):
        encoder.from_text([["1", "2"], ["3", "x"]])
    with pytest.raises(SchemaError, match=r"^row 1, column 1 \('a'\): true is not a number"):
        encoder.from_json([[True], [1]])


def test_codes_read_back_to_what_they_stand_for() -> None:
    """Numbers by their shortest decimals, words and categories as themselves, the rest None."""
    schema = Schema(
        (
            Column("n", "number"),
            Column("none", "category", "onehot", ()),
            Column("c", "category", "onehot", ("a", "b")),
            Column("o", "category", "ordinal", ("a", "b")),
            Column("b", "boolean"),
        )
    )
    cells = [
        ["265.1", "", "-1e-7"],
        ["x", "", "y"],
        ["b", "", "a"],
        ["b", "??", "a"],
        ["yes", "", "no"],
    ]

    assert read_back(schema, Encoder(schema).from_text(cells)) == [
        [265.1, None, -1e-7],
        [None, None, None],
        ["b", None, "a"],
        ["b", None, "a"],
        [True, None, False],
    ]
    assert read_back(schema, np.empty((0, schema.width), np.float32)) == [[]] * 5
