"""The function of deploy/lambda in this process, and the events API Gateway would hand it."""

from __future__ import annotations

import base64
import importlib.util
import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from tests.container.drive import REPOSITORY

FOLDER = REPOSITORY / "deploy" / "lambda"
CONTEXT = SimpleNamespace(aws_request_id="lambda-1")


def load(monkeypatch: pytest.MonkeyPatch, url: str, **environment: str) -> ModuleType:
    """Load the function as Lambda does, once its environment is there."""
    pytest.importorskip("boto3", reason="boto3 is not installed: make mlops-test")
    settings = {
        "AWS_ENDPOINT_URL": url,
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "ENDPOINT_NAME": "churn-staging",
        **environment,
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    monkeypatch.syspath_prepend(FOLDER)
    # One that another test loaded has that test's settings.
    monkeypatch.delitem(sys.modules, "refusals", raising=False)
    spec = importlib.util.spec_from_file_location("function_under_test", FOLDER / "app.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    # A dataclass looks its module up.
    monkeypatch.setitem(sys.modules, spec.name, module)
    spec.loader.exec_module(module)
    return module


def event(
    body: str | bytes,
    content_type: str = "application/json",
    *,
    query: dict[str, str] | None = None,
    **headers: str,
) -> dict[str, Any]:
    """Return a proxy integration's event, format 1.0; bytes come as API Gateway encodes them."""
    binary = isinstance(body, bytes)
    return {
        "httpMethod": "POST",
        "path": "/invocations",
        "headers": {"Content-Type": content_type, "Accept": "application/json", **headers},
        "queryStringParameters": query,
        "requestContext": {"requestId": "request-1"},
        "body": base64.b64encode(body).decode() if isinstance(body, bytes) else body,
        "isBase64Encoded": binary,
    }
