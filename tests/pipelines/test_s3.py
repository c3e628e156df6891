"""Preprocess takes its rows from S3 by itself where it is given an address."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from churn_daal.data import churn_csv

from .conftest import Client, Run

pytestmark = pytest.mark.mlops


def test_every_object_under_the_address_is_read(
    run: Run, client: Client, bucket: str, tmp_path: Path
) -> None:
    """Two files of one prefix; empty markers of folders are passed over."""
    head, *lines = churn_csv().read_text().splitlines(keepends=True)
    s3 = client("s3")
    s3.put_object(Bucket=bucket, Key="raw/", Body=b"")
    s3.put_object(Bucket=bucket, Key="raw/0.csv", Body=head + "".join(lines[:2_500]))
    s3.put_object(Bucket=bucket, Key="raw/1.csv", Body=head + "".join(lines[2_500:]))

    done = run(
        *(sys.executable, "-m", "pipelines.preprocess", "--output", str(tmp_path)),
        *("--input-data", f"s3://{bucket}/raw/", "--format", "csv"),
    )

    assert done.returncode == 0, done.stderr
    came = [
        line
        for part in ("train", "validation", "test")
        for line in (tmp_path / part / f"{part}.csv").read_text().splitlines()[1:]
    ]
    assert sorted(came) == sorted(line.strip() for line in lines)


@pytest.mark.parametrize(
    ("address", "named"),
    [
        ("s3://nowhere-to-be-found/raw", "cannot be fetched (An error occurred (NoSuchBucket)"),
        ("s3://{bucket}/none/", "no object with content under that address"),
    ],
)
def test_an_address_without_rows_is_told(
    run: Run, bucket: str, tmp_path: Path, address: str, named: str
) -> None:
    """One line with the address; nothing is written."""
    done = run(
        *(sys.executable, "-m", "pipelines.preprocess", "--output", str(tmp_path)),
        *("--input-data", address.format(bucket=bucket)),
    )

    assert done.returncode == 1
    assert f"preprocess: --input-data {address.format(bucket=bucket)}" in done.stderr
    assert named in done.stderr
    assert not list(tmp_path.iterdir())
