"""Who asks AWS, and where: checked before anything else, since all else fails strangely without."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError
from deploy.aws import Aws
from deploy.errors import DeployError

_NONE: Final = (
    "no AWS credentials were found; run where a role is given, or set AWS_PROFILE, or "
    "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
)
# Code of STS's refusal -> what it means; of its API reference, "Common Errors".
_REFUSALS: Final = {
    "ExpiredToken": "the AWS credentials have expired; get new ones: aws sso login, or assume the "
    "role again",
    "ExpiredTokenException": "the AWS credentials have expired; get new ones: aws sso login, or "
    "assume the role again",
    "InvalidClientTokenId": "AWS knows no such access key; look at AWS_PROFILE and "
    "AWS_ACCESS_KEY_ID, and whether AWS_SESSION_TOKEN belongs to it",
    "SignatureDoesNotMatch": "the secret does not belong to the access key, or this clock is "
    "wrong; look at AWS_SECRET_ACCESS_KEY and the date",
}


def add_region(parser: argparse.ArgumentParser) -> None:
    """Add `--region`, by default the environment's."""
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION", "")
    parser.add_argument("--region", default=region, help="by default AWS_REGION")


def connect(region: str) -> Aws:
    """Return clients for a region, once AWS has said that it knows who asks.

    Raises
    ------
    DeployError
        No region or an unknown one, no credentials, or some that AWS refuses.
    """
    if not region:
        raise DeployError("no region is given; expected --region, such as eu-west-1, or AWS_REGION")
    aws = Aws(region)
    try:
        aws("sts").get_caller_identity()
    except NoCredentialsError:
        raise DeployError(_NONE) from None
    except ClientError as error:
        code = error.response["Error"]["Code"]
        raise DeployError(_REFUSALS.get(code, f"AWS refuses these credentials: {error}")) from None
    except BotoCoreError as error:
        raise DeployError(f"AWS cannot be asked: {error}") from error
    return aws


def run(program: str, action: Callable[[], None]) -> int:
    """Run a command's action; return its exit status, a fault told on the error output."""
    try:
        action()
    except DeployError as error:
        message = str(error)
    except (ClientError, BotoCoreError) as error:
        message = f"AWS refuses the call: {error}; look at the role's rights and the region"
    else:
        return 0
    print(f"{program}: {message}", file=sys.stderr)
    return 1
