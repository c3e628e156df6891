"""A stage's endpoint: waited for, asked which package it serves, and invoked."""

from __future__ import annotations

import time
from typing import Any, Final, NoReturn

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ReadTimeoutError,
)
from deploy.aws import Aws
from deploy.errors import DeployError

_GOES_ON: Final = frozenset({"Creating", "Updating", "SystemUpdating", "RollingBack"})
POLL_SECONDS: Final = 10.0


def wait_in_service(
    aws: Aws, name: str, *, minutes: float, poll_seconds: float = POLL_SECONDS
) -> dict[str, Any]:
    """Wait until an endpoint is in service; return its description.

    Raises
    ------
    DeployError
        There is none, it failed, or it takes too long.
    """
    deadline = time.monotonic() + minutes * 60
    while True:
        try:
            told: dict[str, Any] = aws("sagemaker").describe_endpoint(EndpointName=name)
        except ClientError as error:
            raise DeployError(
                f"endpoint {name} cannot be found in {aws.region}: "
                f"{error.response['Error']['Message']} Deploy its stage first"
            ) from None
        status = told["EndpointStatus"]
        if status == "InService":
            return told
        if status not in _GOES_ON:
            reason = told.get("FailureReason", "no reason is told")
            raise DeployError(f"endpoint {name} is {status}: {reason}")
        if time.monotonic() > deadline:
            raise DeployError(f"endpoint {name} is {status} after {minutes:g} minutes")
        time.sleep(poll_seconds)


def check_package(aws: Aws, endpoint: dict[str, Any], arn: str) -> int:
    """Make sure that an endpoint's first variant serves a package; return how many variants it has.

    Raises
    ------
    DeployError
        It serves another one.
    """
    sagemaker = aws("sagemaker")
    config = sagemaker.describe_endpoint_config(EndpointConfigName=endpoint["EndpointConfigName"])
    variants = config["ProductionVariants"]
    model = sagemaker.describe_model(ModelName=variants[0]["ModelName"])
    served = (model.get("PrimaryContainer") or {}).get("ModelPackageName")
    if served != arn:
        raise DeployError(
            f"endpoint {endpoint['EndpointName']} serves {served}; expected {arn}, which was "
            "configured. Deploy the stage again"
        )
    return len(variants)


def invoke(aws: Aws, name: str, body: bytes, content_type: str, variant: str | None) -> bytes:
    """Return an endpoint's answer in JSON.

    Raises
    ------
    DeployError
        The model refuses, the endpoint is throttled or silent, or there is none.
    """
    more = {"TargetVariant": variant} if variant else {}
    try:
        answer = aws("sagemaker-runtime").invoke_endpoint(
            EndpointName=name, Body=body, ContentType=content_type, Accept="application/json",
            **more,
        )  # fmt: skip
        content: bytes = answer["Body"].read()
    except (ClientError, BotoCoreError) as error:
        _raise(name, content_type, error)
    return content


def refusal(aws: Aws, name: str, body: bytes, content_type: str) -> tuple[int, str]:
    """Send what the model has to refuse; return its status and text.

    Raises
    ------
    DeployError
        It answers instead, or the service refuses by itself.
    """
    try:
        aws("sagemaker-runtime").invoke_endpoint(
            EndpointName=name, Body=body, ContentType=content_type, Accept="application/json"
        )
    except ClientError as error:
        if error.response["Error"]["Code"] == "ModelError":
            return int(error.response["OriginalStatusCode"]), str(error.response["OriginalMessage"])
        _raise(name, content_type, error)
    except BotoCoreError as error:
        _raise(name, content_type, error)
    raise DeployError(
        f"endpoint {name} answers a record without one of its columns; expected a refusal with "
        "400, or a client's mistake would be taken for a missing value"
    )


def _raise(name: str, content_type: str, error: Exception) -> NoReturn:
    told = f"endpoint {name}, {content_type}: "
    if isinstance(error, ReadTimeoutError | ConnectTimeoutError):
        raise DeployError(
            f"{told}no answer in time ({error}); look at the endpoint's log and at ModelLatency"
        ) from None
    if isinstance(error, EndpointConnectionError):
        raise DeployError(f"{told}the service cannot be reached: {error}") from None
    if isinstance(error, ClientError):
        code, text = error.response["Error"]["Code"], error.response["Error"]["Message"]
        if code == "ModelError":
            status = error.response.get("OriginalStatusCode")
            reason = error.response.get("OriginalMessage", text)
            raise DeployError(f"{told}the model refuses with {status}: {reason}") from None
        if code in {"ThrottlingException", "ServiceUnavailable", "ModelNotReadyException"}:
            raise DeployError(
                f"{told}{code} after several tries ({text}); run the test again, or raise the "
                "stage's InstanceCount"
            ) from None
        raise DeployError(f"{told}{code}: {text}") from None
    raise DeployError(f"{told}{error}") from error
