"""One rule of index bases for a model's whole life, and rows without names."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from churn_daal.errors import SchemaError
from churn_daal.tabular.libsvm import parse
from churn_daal.tabular.sparse_block import SparseBlock, concatenate, index_base, rebase


def dense_block(width: int, first_row: int = 1) -> SparseBlock:
    """Return two dense rows, as recordio has them."""
    return SparseBlock(
        indptr=np.array([0, width, 2 * width]),
        values=np.arange(2 * width, dtype=np.float32),
        indices=None,
        rows=np.array([first_row, first_row + 1]),
        width=width,
    )


@pytest.mark.parametrize(
    ("indexing", "lowest", "base"),
    [
        *(("auto", 0, 0), ("auto", 1, 1), ("auto", 7, 1), ("auto", None, 1)),
        *(("0", 0, 0), ("0", 5, 0), ("1", 1, 1), ("1", 0, 1)),
    ],
)
def test_the_base_is_one_unless_the_train_channel_has_a_zero(
    indexing: str, lowest: int | None, base: int
) -> None:
    """`auto` looks at the whole channel; 0 and 1 are taken at their word."""
    assert index_base(indexing, lowest) == base


@pytest.mark.parametrize(
    ("train", "request_line", "expected"),
    [
        ("0 1:1 3:3\n1 2:2\n", "2:5", [np.nan, 5, np.nan]),
        ("0 0:1 2:3\n", "1:5", [np.nan, 5, np.nan]),
    ],
    ids=["from 1", "from 0"],
)
def test_a_request_means_what_training_meant(
    train: str, request_line: str, expected: list[float]
) -> None:
    """X3: which indices a request has says nothing about where they count from."""
    block = parse(train.encode())
    span = block.span()
    assert span is not None
    base = index_base("auto", span[0])
    width = span[1] - base + 1
    asked = rebase(parse(request_line.encode(), labels=False), base, width)

    assert np.array_equal(asked.dense(width), [expected], equal_nan=True)


@pytest.mark.parametrize(
    ("text", "base", "width", "reason"),
    [
        (
            "0 1:1\n\n1 0:2\n",
            *(1, None),
            (
                "row 3: index 0, but features are numbered from 1 here; number them from 1 in "
                "every file and request, or train with libsvm_indexing=0 on such data"
            ),
        ),
        (
            "0 1:1\n0\n1 2:1 4:2\n",
            *(1, 3),
            (
                "row 3: index 4, but the model has 3 feature(s), numbered from 1 to 3; leave out "
                "features that the train channel does not have"
            ),
        ),
        (
            "0 3:1\n",
            *(0, 3),
            (
                "row 1: index 3, but the model has 3 feature(s), numbered from 0 to 2; leave out "
                "features that the train channel does not have"
            ),
        ),
    ],
)
def test_an_index_the_model_does_not_have_is_named(
    text: str, base: int, width: int | None, reason: str
) -> None:
    """Too low or too high: the line, the index and the remedy."""
    with pytest.raises(SchemaError) as caught:
        rebase(parse(text.encode()), base, width)

    assert str(caught.value) == reason


def test_another_width_is_named() -> None:
    """Dense records have to have as many features as the model."""
    with pytest.raises(SchemaError, match=r"^row 5: 3 features, but the model has 2; send every"):
        rebase(dense_block(3, first_row=5), 0, 2)

    assert rebase(dense_block(3), 0, 3).dense(3).tolist() == [[0, 1, 2], [3, 4, 5]]


def test_a_declared_width_counts_though_no_row_reaches_it() -> None:
    """A feature that is missing in every row is still one."""
    block = SparseBlock(
        *(np.array([0, 1]), np.ones(1, np.float32), np.array([2]), np.array([1])), width=9
    )

    assert block.span() == (0, 8)
    assert parse(b"0\n1\n").span() is None


def test_absent_is_missing_and_zero_is_zero() -> None:
    """A row shorter than the widest is not padded with zeros."""
    block = rebase(parse(b"0 1:0\n1 3:2\n"), 1)

    expected = [[0, np.nan, np.nan], [np.nan, np.nan, 2]]
    assert np.array_equal(block.dense(3), expected, equal_nan=True)


lines = st.dictionaries(st.integers(1, 9), st.integers(-9, 9), max_size=4).map(
    lambda row: "1:2 qid:3 " + " ".join(f"{index}:{value}" for index, value in row.items())
)


@given(st.lists(lines, min_size=1), st.data())
def test_blocks_join_to_what_they_were_cut_from(rows: list[str], data: st.DataObject) -> None:
    """Reading in pieces and joining them is reading at once."""
    cut = data.draw(st.integers(0, len(rows) - 1))
    texts = ["\n".join(rows[:cut]), "\n".join(rows[cut:])]
    parts = [parse(texts[0].encode()), parse(texts[1].encode(), first_line=cut + 1)]
    joined, whole = concatenate(parts[not cut :]), parse("\n".join(rows).encode())

    for name, array in vars(whole).items():
        assert np.array_equal(getattr(joined, name), array), name
