"""`make data BUCKET=...`: puts the churn CSV where the pipeline looks for it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import boto3

from churn_daal.data import churn_csv
from pipelines import driver
from pipelines.buckets import check_bucket
from pipelines.driver import CommandError
from pipelines.locations import DATA_KEY, data_url

PROGRAM: Final = "make data"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    parser = argparse.ArgumentParser(PROGRAM, description="Upload the churn data.")
    parser.add_argument("--bucket", required=True, help="the bucket, which has to be there")
    parser.add_argument("--region", default=None, help="where the pipeline will run")
    parser.add_argument("--file", type=Path, default=None, help="a CSV of your own")
    args = parser.parse_args(arguments)

    def command() -> int:
        name = upload(args.bucket, args.file or churn_csv(), args.region or None)
        print(data_url(name))
        return 0

    return driver.run(PROGRAM, command)


def upload(bucket: str, file: Path, region: str | None) -> str:
    """Put a file where the pipeline expects it; return the bucket's name.

    Raises
    ------
    CommandError
        The file or the bucket is not there, is not yours, or lies in another region.
    """
    name = bucket.removeprefix("s3://").rstrip("/")
    if not file.is_file():
        raise CommandError(f"there is no file {file}; give the CSV to upload")
    client = boto3.client("s3", region_name=region)
    try:
        check_bucket(client, name, region)
    except ValueError as error:
        raise CommandError(f"BUCKET={bucket}: {error}") from error
    client.upload_file(str(file), name, DATA_KEY, ExtraArgs={"ContentType": "text/csv"})
    return name


if __name__ == "__main__":
    sys.exit(main())
