"""The processing script as a job starts it: options, exit codes, messages."""

from __future__ import annotations

import gzip
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from churn_daal.data import churn_csv
from pipelines import preprocess


def test_the_defaults_split_the_churn_data(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Three folders of Parquet, as the channels of the training step want them."""
    code = preprocess.main(["--input-data", str(churn_csv()), "--output", str(tmp_path)])

    assert code == 0
    assert sorted(str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*.parquet")) == [
        "test/test.parquet",
        "train/train.parquet",
        "validation/validation.parquet",
    ]
    assert "rows: train 3000, validation 1000, test 1000" in capsys.readouterr().out


def test_a_folder_of_compressed_files_is_read(tmp_path: Path) -> None:
    """As a processing input lays it: any depth, gzip undone."""
    (tmp_path / "in" / "deep").mkdir(parents=True)
    (tmp_path / "in" / "deep" / "churn.csv.gz").write_bytes(gzip.compress(churn_csv().read_bytes()))

    code = preprocess.main(
        ["--input-data", str(tmp_path / "in"), "--output", str(tmp_path), "--format", "csv"]
    )

    assert code == 0
    assert len((tmp_path / "train" / "train.csv").read_text().splitlines()) == 3_001


def test_the_usual_identifier_is_dropped(tmp_path: Path) -> None:
    """The churn data is often handed on with the customers' phone numbers."""
    head, *lines = churn_csv().read_text().splitlines()
    numbered = [f"{i:03}-{i:04},{line}" for i, line in enumerate(lines)]
    raw = tmp_path / "raw.csv"
    raw.write_text("\n".join([f"Phone,{head}", *numbered]) + "\n")

    for name, extra in (("auto", []), ("none", ["--id-columns", "none"])):
        preprocess.main(["--input-data", str(raw), "--output", str(tmp_path / name), *extra])

    schemas = {n: pq.read_schema(tmp_path / n / "test" / "test.parquet") for n in ("auto", "none")}
    assert "Phone" not in schemas["auto"].names
    assert "Phone" in schemas["none"].names


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (["--test-size", "20"], "test_size is 20; it is a share of the rows"),
        (["--validation-size", "1"], "validation_size is 1; it is a share"),
        (["--label", "Churned"], "--label: there is no column 'Churned'. Did you mean 'Churn?'?"),
        (["--id-columns", "Telephone"], "--id-columns: there is no column 'Telephone'"),
        (["--input-data", "/nowhere/raw.csv"], "no such file or folder"),
        (["--train-files", "0"], "train_files is 0; expected 1 or more"),
    ],
)
def test_a_mistake_is_told_and_nothing_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], named: str
) -> None:
    """One line on stderr, exit code 1, no file: the job's log says what to mend."""
    code = preprocess.main(
        ["--input-data", str(churn_csv()), "--output", str(tmp_path / "out"), *options]
    )

    assert code == 1
    assert named in capsys.readouterr().err
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_the_job_shows_why_it_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SageMaker takes a processing job's ExitMessage from a file."""
    monkeypatch.setattr(preprocess, "EXIT_MESSAGE", tmp_path / "message")

    preprocess.main(["--input-data", "/nowhere", "--output", str(tmp_path)])

    assert "--input-data /nowhere: there is no such file" in (tmp_path / "message").read_text()
