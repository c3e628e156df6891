"""Where things lie in the project's bucket: what uploads the data and what reads it agree."""

from __future__ import annotations

from typing import Final

DATA_KEY: Final = "churn-daal/data/churn.csv"
IMAGE_REPOSITORY: Final = "churn-daal"


def data_url(bucket: str) -> str:
    """Return the address of the raw data, where `make data` puts it and the pipeline looks."""
    return f"s3://{bucket}/{DATA_KEY}"


def image_uri(region: str, role: str) -> str:
    """Return the address of the image that `make push` makes, in the account of a role.

    Raises
    ------
    ValueError
        The role is not the ARN of one.
    """
    fields = role.split(":")
    if len(fields) != 6 or fields[2] != "iam" or not fields[4].isdigit():
        raise ValueError(
            f"role is {role!r}; expected the ARN of an IAM role, such as "
            "arn:aws:iam::123456789012:role/service-role/SageMakerRole"
        )
    suffix = "amazonaws.com.cn" if fields[1] == "aws-cn" else "amazonaws.com"
    return f"{fields[4]}.dkr.ecr.{region}.{suffix}/{IMAGE_REPOSITORY}:latest"
