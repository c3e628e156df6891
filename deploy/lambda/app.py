"""Passes a REST request on to a SageMaker endpoint, and its answer or refusal back as it is.

It knows nothing of columns: what a record is, the model's own schema says, in the container and in
the API's document. Standard library and boto3 alone. Routes are events of API Gateway's proxy
integration (AWS, "Lambda proxy integrations in API Gateway", format 1.0).
"""

from __future__ import annotations

import base64
import binascii
import json
import logging
import os
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ReadTimeoutError
from refusals import RefusedError, refused

MEBIBYTE = 2**20
# What Lambda carries of an answer, headers and quoting included; some room is left for those.
MAX_ANSWER_BYTES = 6 * MEBIBYTE - 64 * 1024
_TEXT = re.compile(r"text/|application/(json|jsonlines|x-jsonlines|x-ndjson)\b", re.IGNORECASE)
# What SageMaker takes as headers, and how much of custom attributes.
_VISIBLE = re.compile(r"[\x20-\x7e]*")
_MOST_ATTRIBUTES = 1024

log = logging.getLogger()
log.setLevel(logging.INFO)


@dataclass(frozen=True)
class Settings:
    """The function's environment.

    Attributes
    ----------
    endpoint
        Name of the endpoint.
    read_timeout
        Seconds to wait for its answer; less than the function's own time limit.
    max_payload
        Bytes of a request that the endpoint takes.
    origin
        The origin browsers may call from, "" for none.
    """

    endpoint: str
    read_timeout: float
    max_payload: int
    origin: str

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Settings:
        """Read the environment; a fault in it ends the function's start, where it shows."""
        endpoint = environ.get("ENDPOINT_NAME", "")
        if not endpoint:
            raise ValueError("ENDPOINT_NAME is unset; expected the name of a SageMaker endpoint")
        return cls(
            endpoint,
            float(environ.get("READ_TIMEOUT_SECONDS") or 25),
            int(environ.get("MAX_PAYLOAD_BYTES") or 6 * MEBIBYTE),
            environ.get("CORS_ORIGIN", ""),
        )


SETTINGS = Settings.of(os.environ)
# One attempt: the caller is the one to decide whether to ask again, and its time is short.
CLIENT = boto3.client(
    "sagemaker-runtime",
    config=Config(
        connect_timeout=2, read_timeout=SETTINGS.read_timeout, retries={"total_max_attempts": 1}
    ),
)


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ANN401 - Lambda's own
    """Answer one event of API Gateway's proxy integration."""
    start = time.perf_counter()
    request_id = (event.get("requestContext") or {}).get("requestId") or context.aws_request_id
    try:
        answer = _invoke(event, request_id)
    except RefusedError as refusal:
        body = refusal.body
        if body is None:
            told = {"error": refusal.text, "status": refusal.status, "request_id": request_id}
            body = json.dumps(told)
        headers = {"Content-Type": "application/json", **refusal.headers}
        answer = {"statusCode": refusal.status, "headers": headers, "body": body}
    answer["headers"] |= {"X-Request-Id": request_id}
    if SETTINGS.origin:
        answer["headers"] |= {
            "Access-Control-Allow-Origin": SETTINGS.origin,
            "Access-Control-Expose-Headers": "X-Request-Id,X-Amzn-Invoked-Production-Variant",
        }
    elapsed = round((time.perf_counter() - start) * 1000, 1)
    # Nothing of a body is logged.
    line = {"request_id": request_id, "status": answer["statusCode"], "total_ms": elapsed}
    log.info("%s", json.dumps(line))
    return answer


def _invoke(event: Mapping[str, Any], request_id: str) -> dict[str, Any]:
    body = _body(event)
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    for name in ("content-type", "accept", "x-amzn-sagemaker-target-variant"):
        if not _VISIBLE.fullmatch(headers.get(name, "")):
            raise RefusedError(400, f"the header {name} is not of visible ASCII and blanks")
    asked = {
        "ContentType": headers.get("content-type", ""),
        "Accept": headers.get("accept", ""),
        "CustomAttributes": _attributes(headers, event.get("queryStringParameters") or {}),
        "TargetVariant": headers.get("x-amzn-sagemaker-target-variant", ""),
        "InferenceId": request_id[:64],
    }
    try:
        came = CLIENT.invoke_endpoint(
            EndpointName=SETTINGS.endpoint,
            Body=body,
            **{name: value for name, value in asked.items() if value},
        )
        content = came["Body"].read()
    except ClientError as error:
        raise refused(error) from error
    except ReadTimeoutError as error:
        raise RefusedError(
            504,
            f"the endpoint did not answer within {SETTINGS.read_timeout:g} s; send fewer rows in a "
            "request, or ask again later",
        ) from error
    except BotoCoreError as error:
        # No way to the service, no credentials: nothing of it is the caller's to know or to mend.
        log.exception("InvokeEndpoint")
        text = "the endpoint cannot be reached; ask again later"
        raise RefusedError(502, text) from error
    return _answered(came, content)


def _body(event: Mapping[str, Any]) -> bytes:
    text = event.get("body") or ""
    if event.get("isBase64Encoded"):
        try:
            body = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            raise RefusedError(
                400, "the body is declared as base64 and is not; send it as it is"
            ) from None
    else:
        body = text.encode()
    if not body:
        raise RefusedError(400, "the body is empty; expected one record or more")
    if len(body) > SETTINGS.max_payload:
        raise RefusedError(
            413,
            f"the body has {len(body)} bytes, the endpoint takes {SETTINGS.max_payload}; send "
            "fewer rows in a request, or use a batch transform job",
        )
    return body


def _attributes(headers: Mapping[str, str], query: Mapping[str, str]) -> str:
    """Return the custom attributes; a query becomes some, since SageMaker passes none on."""
    given = headers.get("x-amzn-sagemaker-custom-attributes", "")
    for name, value in query.items():
        if not re.fullmatch(r"[\w.,+-]*", name + value):
            raise RefusedError(
                400,
                f"the query's {name!r:.60} has characters beyond letters, digits and _.,+-; it is "
                "passed on as a custom attribute, name=value",
            )
    attributes = ";".join(
        [*(f"{name}={value}" for name, value in query.items()), *filter(None, [given])]
    )
    if len(attributes) > _MOST_ATTRIBUTES or not _VISIBLE.fullmatch(attributes):
        raise RefusedError(
            400,
            f"query and X-Amzn-SageMaker-Custom-Attributes come to {len(attributes)} characters; "
            f"expected {_MOST_ATTRIBUTES} of visible ASCII and blanks at most",
        )
    return attributes


def _answered(came: Mapping[str, Any], content: bytes) -> dict[str, Any]:
    content_type = came.get("ContentType") or "application/octet-stream"
    headers = {"Content-Type": content_type}
    if came.get("InvokedProductionVariant"):
        headers["X-Amzn-Invoked-Production-Variant"] = came["InvokedProductionVariant"]
    if came.get("CustomAttributes"):
        headers["X-Amzn-SageMaker-Custom-Attributes"] = came["CustomAttributes"]
    encoded = not _TEXT.match(content_type)
    try:
        text = base64.b64encode(content).decode() if encoded else content.decode()
    except UnicodeDecodeError:
        encoded, text = True, base64.b64encode(content).decode()
    # Lambda carries the answer inside of JSON, where quotes and line ends take two bytes.
    if len(text) > MAX_ANSWER_BYTES // 2 and len(json.dumps(text)) > MAX_ANSWER_BYTES:
        raise RefusedError(
            413,
            f"the answer has {len(content)} bytes, over what the API carries; send fewer rows in a "
            "request, or ask for fewer outputs",
        )
    status = came["ResponseMetadata"]["HTTPStatusCode"]
    return {"statusCode": status, "headers": headers, "body": text, "isBase64Encoded": encoded}
