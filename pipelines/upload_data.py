"""`make data BUCKET=...`: puts the churn CSV where the pipeline looks for it."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import boto3
from botocore.exceptions import ClientError

from churn_daal.data import churn_csv
from pipelines import driver
from pipelines.driver import CommandError
from pipelines.locations import DATA_KEY, data_url

PROGRAM: Final = "make data"
# Amazon S3, "Bucket naming rules".
_BUCKET: Final = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    parser = argparse.ArgumentParser(PROGRAM, description="Upload the churn data.")
    parser.add_argument("--bucket", required=True, help="the bucket, which has to be there")
    parser.add_argument("--region", default=None, help="where the pipeline will run")
    parser.add_argument("--file", type=Path, default=None, help="a CSV of your own")
    args = parser.parse_args(arguments)

    def command() -> int:
        upload(args.bucket, args.file or churn_csv(), args.region or None)
        print(f"{data_url(args.bucket)}")
        return 0

    return driver.run(PROGRAM, command)


def upload(bucket: str, file: Path, region: str | None) -> None:
    """Put a file into a bucket, under the name the pipeline expects.

    Raises
    ------
    CommandError
        The file or the bucket is not there, is not yours, or lies in another region.
    """
    name = bucket.removeprefix("s3://").rstrip("/")
    if not _BUCKET.fullmatch(name):
        raise CommandError(
            f"BUCKET={bucket!r} is no bucket's name; expected such as BUCKET=my-bucket, 3 to 63 "
            "lower-case letters, digits, hyphens and dots"
        )
    if not file.is_file():
        raise CommandError(f"there is no file {file}; give the CSV to upload")
    client = boto3.client("s3", region_name=region)
    try:
        there = client.head_bucket(Bucket=name)["ResponseMetadata"]["HTTPHeaders"]
    except ClientError as error:
        raise CommandError(_refusal(name, error)) from error
    found = there.get("x-amz-bucket-region")
    if region and found and found != region:
        raise CommandError(
            f"the bucket {name} is in {found}, but the region is {region}; SageMaker reads from "
            f"buckets of its own region alone. Use REGION={found}, or another bucket"
        )
    client.upload_file(str(file), name, DATA_KEY, ExtraArgs={"ContentType": "text/csv"})


def _refusal(bucket: str, error: ClientError) -> str:
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    if status == 404:
        return f"there is no bucket {bucket}; make it (aws s3 mb s3://{bucket}) or name another"
    if status == 403:
        return (
            f"the bucket {bucket} is another account's, or these credentials may not use it; they "
            "need s3:ListBucket and s3:PutObject"
        )
    if status in {301, 400}:
        headers = error.response["ResponseMetadata"].get("HTTPHeaders", {})
        place = headers.get("x-amz-bucket-region", "another region")
        return f"the bucket {bucket} lies in {place}; name its region with REGION=..."
    return f"the bucket {bucket} cannot be asked for: {error}"


if __name__ == "__main__":
    sys.exit(main())
