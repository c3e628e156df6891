"""A header is told from data, or the user is asked: neither is trained on as the other."""

from __future__ import annotations

import logging
import re
from pathlib import Path

import pytest

from churn_daal.errors import UserError
from churn_daal.tabular.csv_channel import CsvReader


def names(folder: Path, text: str, known: tuple[str, ...] | None = None) -> tuple[str, ...] | None:
    """Return the header that is found in a file."""
    (folder / "t.csv").write_bytes(text.encode())
    return CsvReader([folder / "t.csv"], known=known).names


@pytest.mark.parametrize(
    ("text", "header"),
    [
        ("a,b\n1,x\n", ("a", "b")),
        ("\ufeffa,b\r\n1,x\r\n", ("a", "b")),
        ('"a","b, c"\n1,x\n', ("a", "b, c")),
        ("y,n\n1,2\n", ("y", "n")),
        ("a,b\nx,\ny,2\n", ("a", "b")),
        ("1,x\n2,y\n", None),
        ("yes,1\nno,2\n", None),
        ("x,1,7\ny,2,8\n", None),
        (",1,x\n2,3,y\n", None),
        ("1,2", None),
    ],
)
def test_words_over_numbers(tmp_path: Path, text: str, header: tuple[str, ...] | None) -> None:
    """Distinct words, one of them over numbers, are a header; a row without such is data."""
    assert names(tmp_path, text) == header


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a,b\nx,y\n", "no column below it holds numbers"),
        ("y,color\nyes,red\nno,blue\n", "no column below it holds numbers"),
        ("label,1,2\nyes,a,c\n", "no column below it holds numbers"),
        ("y,a,a\ny,u,q\n", "no column below it holds numbers"),
        (
            "Churn,0,1\n1,5,6\n0,7,8\n",
            "the word 'Churn' stands over numbers, but '0' is no column's",
        ),
        ("a,a\n1,2\n", "the word 'a' stands over numbers, but 'a' is no column's own name"),
        (
            ",a\n0,1\n1,2\n",
            "the word 'a' stands over numbers, but '' is no column's own name (write",
        ),
        ("label,0,1\nyes,5,6\nno,7,8\n", "its numbers count up from 0"),
    ],
)
def test_the_user_is_asked(tmp_path: Path, text: str, why: str) -> None:
    """Where both are possible, the message says what speaks for each."""
    with pytest.raises(UserError, match=re.escape(f"cannot tell whether row 1 is a header: {why}")):
        names(tmp_path, text)


def test_the_users_word_counts(tmp_path: Path) -> None:
    """Present and absent are not looked behind."""
    (tmp_path / "t.csv").write_text("a,b\nx,y\n")

    assert CsvReader([tmp_path / "t.csv"], header="present").names == ("a", "b")
    absent = CsvReader([tmp_path / "t.csv"], header="absent")
    assert sum(batch.rows for batch in absent.batches((), ())) == 2


def test_another_channels_header_is_known(tmp_path: Path) -> None:
    """The same names are a header though no number stands below them."""
    assert names(tmp_path, "y,x\nyes,\n", known=("x", "y")) == ("y", "x")


def test_numbers_that_count_up_are_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A table without names may be headed 0, 1, 2: it is data, and the log says so."""
    with caplog.at_level(logging.WARNING):
        assert names(tmp_path, "0,1,2\n5,6,7\n") is None

    assert "row 1 (0, 1, 2, ...) is read as data" in caplog.text
