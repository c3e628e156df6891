"""The failure file says why, within its limit, and never makes things worse."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from churn_daal.contract.failure import describe, write_failure
from churn_daal.contract.paths import SageMakerPaths
from churn_daal.errors import AlgorithmError, ArtifactError, DecodeError, UserError


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (UserError("eta is 'x'"), "UserError: eta is 'x'"),
        (DecodeError("no number", row=3, column=2), "UserError: row 3, column 2: no number"),
        (AlgorithmError("out of luck"), "AlgorithmError: out of luck"),
        (ArtifactError("torn"), "AlgorithmError: torn"),
        (ZeroDivisionError("division by zero"), "AlgorithmError: ZeroDivisionError: division by"),
        (KeyboardInterrupt(), "AlgorithmError: KeyboardInterrupt"),
        (UserError(), "UserError: UserError"),
    ],
)
def test_the_cause_comes_first(tmp_path: Path, error: BaseException, expected: str) -> None:
    """The file starts with whose fault it is and what it is, not with a traceback."""
    paths = SageMakerPaths(tmp_path / "not there yet")

    write_failure(paths, error)

    assert paths.failure.read_text(encoding="utf-8").startswith(expected)
    assert describe(error).startswith(expected)


@pytest.mark.parametrize("letter", ["x", "é", "€", "🌲"])
def test_the_limit_holds_in_characters_and_bytes(tmp_path: Path, letter: str) -> None:
    """A long text is cut at 1,024 bytes, and on a character."""
    paths = SageMakerPaths(tmp_path)
    write_failure(paths, UserError(letter * 5_000))

    data = paths.failure.read_bytes()

    assert 1_024 - 4 < len(data) <= 1_024
    assert data.decode("utf-8") == ("UserError: " + letter * 5_000)[: len(data.decode("utf-8"))]


def test_the_first_failure_stays(tmp_path: Path) -> None:
    """What came first is nearer to the cause and is not overwritten."""
    paths = SageMakerPaths(tmp_path)

    write_failure(paths, UserError("first"))
    write_failure(paths, UserError("second"))

    assert paths.failure.read_text(encoding="utf-8") == "UserError: first"


def test_a_place_that_cannot_be_written_gives_a_log_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The job's own error is not replaced by one about the failure file."""
    (tmp_path / "output").write_text("a file where the folder should be")

    with caplog.at_level(logging.WARNING):
        write_failure(SageMakerPaths(tmp_path), UserError("cause"))

    assert "failure file" in caplog.text
    assert "could not be written" in caplog.text


def test_a_name_that_is_no_text_is_written(tmp_path: Path) -> None:
    """A file name with a stray byte in the message does not lose the message."""
    paths = SageMakerPaths(tmp_path)

    write_failure(paths, UserError("data/\udcff.csv is empty"))

    assert paths.failure.read_text(encoding="utf-8") == "UserError: data/?.csv is empty"
