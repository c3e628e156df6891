"""Single things a deployment needs, each asked of AWS without changing anything."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from botocore.exceptions import ClientError

from deploy.aws import Aws
from deploy.errors import DeployError
from deploy.registry import Image

# A stack in one of these takes an update.
_UPDATABLE: Final = frozenset(
    {"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE"}
)


def bucket_fault(aws: Aws, bucket: str) -> str | None:
    """Return what is wrong with a bucket: absent, another account's, in another region."""
    region = aws.region
    s3 = aws("s3")
    try:
        s3.head_bucket(Bucket=bucket)
        there = s3.get_bucket_location(Bucket=bucket).get("LocationConstraint") or "us-east-1"
    except ClientError as error:
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        headers = error.response["ResponseMetadata"].get("HTTPHeaders", {})
        there = headers.get("x-amz-bucket-region", region)
        if there == region:
            why = {403: "is another account's, or you may not read it", 404: "does not exist"}
            return (
                f"bucket {bucket!r} {why.get(status, f'answers {status}')}; make it in {region}, "
                "or name another one with BUCKET"
            )
    there = {"EU": "eu-west-1"}.get(there, there)
    if there != region:
        return (
            f"bucket {bucket!r} is in {there}, the deployment in {region}; name a bucket in "
            f"{region} with BUCKET, or deploy with REGION={there}"
        )
    return None


def stack_state(aws: Aws, name: str) -> tuple[bool, str | None]:
    """Tell whether the stack is there, and what speaks against making or updating it."""
    try:
        [stack] = aws("cloudformation").describe_stacks(StackName=name)["Stacks"]
    except ClientError as error:
        if "does not exist" not in error.response["Error"]["Message"]:
            raise
        return False, _endpoint_of_another(aws, name)
    status = stack["StackStatus"]
    if status in _UPDATABLE:
        return True, None
    if status.endswith("_IN_PROGRESS"):
        return True, f"stack {name} is {status}; wait for its end and deploy again"
    if status == "UPDATE_ROLLBACK_FAILED":
        # It still serves, so removing it is not what one wants.
        mend = f"aws cloudformation continue-update-rollback --stack-name {name}"
        return True, f"stack {name} is {status} and takes no update; mend it first: {mend}"
    return True, f"stack {name} is {status} and takes no update; remove it first: make undeploy"


def _endpoint_of_another(aws: Aws, name: str) -> str | None:
    try:
        aws("sagemaker").describe_endpoint(EndpointName=name)
    except ClientError as error:
        if "Could not find endpoint" in error.response["Error"]["Message"]:
            return None
        raise
    return (
        f"an endpoint {name} is there that no stack of this name made; delete it, or deploy under "
        "another name with SERVICE"
    )


def image_faults(aws: Aws, uri: str, whose: str) -> Iterator[str]:
    """Yield what is wrong with an image's address."""
    try:
        image = Image.of(uri)
    except DeployError as error:
        yield f"{whose} {error}"
        return
    if image.region != aws.region:
        yield (
            f"{whose} image {uri} is in {image.region}, the deployment in {aws.region}; both have "
            "to be in one region. Push it there: make push"
        )
        return
    missing = image.missing(aws("ecr"))
    if missing:
        yield f"{whose} image: {missing}"
