"""A Postman collection for a model's REST API, made from its manifest (format 2.1)."""

from __future__ import annotations

import json
from typing import Any, Final

from churn_daal.artifact import Manifest
from deploy.examples import as_csv, example_record

_FORMAT: Final = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"


def collection(manifest: Manifest, *, title: str, url: str, authorization: str) -> dict[str, Any]:
    """Return the collection: each form of a request, and refusals, with the status to expect.

    Parameters
    ----------
    manifest
        Of the model.
    title
        Of the API.
    url
        Of the API's stage, without `/invocations`; the variable `base_url`.
    authorization
        `api-key` or `iam`. What is secret is a variable without a value.
    """
    record = example_record(manifest)
    values = list(record.values())
    lacking = dict(list(record.items())[1:])
    as_json = "application/json"
    items = [
        _item("A row by name", as_json, json.dumps(record, ensure_ascii=False)),
        _item("A row by position", as_json, json.dumps(values, ensure_ascii=False)),
        _item("Several rows", as_json, json.dumps({"instances": [record, values]})),
        _item("A row of CSV", "text/csv", as_csv(manifest, record)),
        _item("A column is left out", as_json, json.dumps(lacking), statuses=(400,)),
        # API Gateway's validator refuses it before the container does.
        _item("Broken JSON", as_json, '{"instances": [', statuses=(400, 415)),
    ]
    if manifest.objective.startswith(("binary:logi", "reg:squarederror")):
        asked = {"outputs": "score,contributions", "top_k": "3"}
        items.insert(4, _item("With its reasons", as_json, json.dumps(record), query=asked))
    return {
        "info": {"name": title, "schema": _FORMAT},
        "auth": _auth(authorization),
        "variable": [{"key": "base_url", "value": url}, *_secrets(authorization)],
        "item": items,
    }


def _item(
    name: str,
    content_type: str,
    body: str,
    *,
    statuses: tuple[int, ...] = (200,),
    query: dict[str, str] | None = None,
) -> dict[str, Any]:
    asked = [{"key": key, "value": value} for key, value in (query or {}).items()]
    tail = "?" + "&".join(f"{pair['key']}={pair['value']}" for pair in asked) if asked else ""
    listed = ", ".join(map(str, statuses))
    expected = f'pm.test("status", () => pm.expect(pm.response.code).to.be.oneOf([{listed}]));'
    return {
        "name": name,
        "event": [{"listen": "test", "script": {"type": "text/javascript", "exec": [expected]}}],
        "request": {
            "method": "POST",
            "header": [
                {"key": "Content-Type", "value": content_type},
                {"key": "Accept", "value": "application/json"},
            ],
            "body": {"mode": "raw", "raw": body},
            "url": {
                "raw": f"{{{{base_url}}}}/invocations{tail}",
                "host": ["{{base_url}}"],
                "path": ["invocations"],
                "query": asked,
            },
        },
    }


def _auth(authorization: str) -> dict[str, Any]:
    if authorization == "iam":
        pairs = {
            "accessKey": "{{access_key}}",
            "secretKey": "{{secret_key}}",
            "sessionToken": "{{session_token}}",
            "region": "{{region}}",
            "service": "execute-api",
        }
        return {"type": "awsv4", "awsv4": [_text(key, value) for key, value in pairs.items()]}
    pairs = {"key": "x-api-key", "value": "{{api_key}}", "in": "header"}
    return {"type": "apikey", "apikey": [_text(key, value) for key, value in pairs.items()]}


def _secrets(authorization: str) -> list[dict[str, str]]:
    names = {
        "iam": ("access_key", "secret_key", "session_token", "region"),
        "api-key": ("api_key",),
    }
    return [{"key": name, "value": ""} for name in names[authorization]]


def _text(key: str, value: str) -> dict[str, str]:
    return {"key": key, "value": value, "type": "string"}
