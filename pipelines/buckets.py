"""Looks at a bucket before anything is written: the SDK would make one of a mistyped name."""

from __future__ import annotations

import re
from typing import Any, Final

from botocore.exceptions import ClientError

# Amazon S3, "Bucket naming rules".
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")


def check_bucket(client: Any, bucket: str, region: str | None) -> None:  # noqa: ANN401 - boto3's
    """Refuse a bucket that SageMaker could not use.

    Parameters
    ----------
    client
        Of S3.
    bucket
        Its name.
    region
        Where SageMaker is to run; None for wherever the bucket lies.

    Raises
    ------
    ValueError
        The bucket is not there, is not yours, or lies in another region.
    """
    if not _NAME.fullmatch(bucket):
        raise ValueError(
            f"{bucket!r} is no bucket's name; expected such as my-bucket, 3 to 63 lower-case "
            "letters, digits, hyphens and dots"
        )
    try:
        there = client.head_bucket(Bucket=bucket)["ResponseMetadata"]["HTTPHeaders"]
    except ClientError as error:
        raise ValueError(_refusal(bucket, error)) from error
    found = there.get("x-amz-bucket-region")
    if region and found and found != region:
        raise ValueError(
            f"the bucket {bucket} is in {found}, but the region is {region}; SageMaker reads from "
            f"buckets of its own region alone. Take the region {found}, or another bucket"
        )


def _refusal(bucket: str, error: ClientError) -> str:
    answer = error.response.get("ResponseMetadata", {})
    status = answer.get("HTTPStatusCode")
    if status == 404:
        return f"there is no bucket {bucket}; make it (aws s3 mb s3://{bucket}) or name another"
    if status == 403:
        return (
            f"the bucket {bucket} is another account's, or these credentials may not use it; they "
            "need s3:ListBucket, s3:GetObject and s3:PutObject"
        )
    if status in {301, 400}:
        place = answer.get("HTTPHeaders", {}).get("x-amz-bucket-region", "another region")
        return f"the bucket {bucket} lies in {place}; name that region, or another bucket"
    return f"the bucket {bucket} cannot be asked for: {error}"
