"""The REST API's OpenAPI document, made from a model's manifest."""

from __future__ import annotations

from typing import Any, Final

from churn_daal.artifact import Manifest
from deploy.examples import as_csv, example_record
from deploy.schema import OPENAPI, request_parts

# Status -> who answers it and why, as deploy/lambda/app.py and the template have it.
REFUSALS: Final = {
    "400": "The body breaks the model's schema. The text names row and column.",
    "403": "The API key or the signature is absent or wrong. API Gateway answers.",
    "406": "`Accept` asks for a type that is not written.",
    "413": "The body or its answer is over what the platform carries.",
    "415": "The body is not what its type says, or of a type that is not read.",
    "429": "Too many requests, over the API's limits or the endpoint's. Ask again later.",
    "500": "A fault of the model's server.",
    "502": "The endpoint gives no answer that can be passed on.",
    "503": "The endpoint is not available. Ask again later.",
    "504": "The endpoint did not answer in time.",
}
_HEADERS: Final = {
    "X-Request-Id": "Names the request in every log.",
    "X-Amzn-Invoked-Production-Variant": "The variant that answered.",
}


def openapi(manifest: Manifest, *, title: str, url: str, authorization: str) -> dict[str, Any]:
    """Return the document, OpenAPI 3.1.

    Parameters
    ----------
    manifest
        Of the model.
    title
        Of the API.
    url
        Of the API's stage, without `/invocations`.
    authorization
        `api-key` or `iam`.
    """
    record = example_record(manifest)
    security, scheme = _security(authorization)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": title,
            "version": manifest.files.get("xgboost-model", "unknown")[:12],
            "description": _about(manifest),
        },
        "servers": [{"url": url}],
        "security": [{security: []}],
        "paths": {
            "/invocations": {
                "post": {
                    "operationId": "invoke",
                    "summary": "One answer for each row, in the order of the rows.",
                    "parameters": _parameters(),
                    "requestBody": {
                        "required": True,
                        "content": {
                            "application/json": {
                                "schema": {"$ref": f"{OPENAPI.base}Request"},
                                "example": record,
                            },
                            "text/csv": {
                                "schema": {"type": "string"},
                                "example": as_csv(manifest, record),
                            },
                        },
                    },
                    "responses": _responses(),
                }
            }
        },
        "components": {
            "securitySchemes": {security: scheme},
            "schemas": request_parts(manifest.schema, OPENAPI)
            | {"Answer": _answer(manifest), "Refusal": _REFUSAL},
        },
    }


def _about(manifest: Manifest) -> str:
    classes = ", ".join(map(str, manifest.labels.classes))
    kind = f"{manifest.objective}, {len(manifest.schema.columns)} columns"
    return f"{kind}; the classes of {manifest.labels.name!r}: {classes}" if classes else kind


def _security(authorization: str) -> tuple[str, dict[str, Any]]:
    if authorization == "iam":
        told = "AWS Signature Version 4, service execute-api"
        header = {"type": "apiKey", "name": "Authorization", "in": "header", "description": told}
        return "signature", header | {"x-amazon-apigateway-authtype": "awsSigv4"}
    return "key", {"type": "apiKey", "name": "x-api-key", "in": "header"}


def _parameters() -> list[dict[str, Any]]:
    text = {"type": "string"}
    told = {
        "outputs": ("What is answered, names with commas between (docs/outputs.md).", text),
        "top_k": ("So many columns of `contributions`.", {"type": "integer", "minimum": 1}),
        "threshold": (
            "Probability from which a binary answer is the positive class.",
            {"type": "number", "minimum": 0, "maximum": 1},
        ),
    }
    variant = "Asks one variant of the endpoint, past the weights."
    return [
        {"name": name, "in": "query", "description": about, "schema": schema}
        for name, (about, schema) in told.items()
    ] + [
        {
            "name": "X-Amzn-SageMaker-Target-Variant",
            "in": "header",
            "description": variant,
            "schema": text,
        }
    ]


def _responses() -> dict[str, Any]:
    headers = {
        name: {"description": about, "schema": {"type": "string"}}
        for name, about in _HEADERS.items()
    }
    answered = {
        "description": "The answers.",
        "headers": headers,
        "content": {
            "application/json": {"schema": {"$ref": f"{OPENAPI.base}Answer"}},
            "text/csv": {"schema": {"type": "string"}},
        },
    }
    refused = {"application/json": {"schema": {"$ref": f"{OPENAPI.base}Refusal"}}}
    return {"200": answered} | {
        status: {"description": why, "content": refused} for status, why in REFUSALS.items()
    }


def _answer(manifest: Manifest) -> dict[str, Any]:
    """Return the schema of the usual answer; wishes such as `outputs` add other keys."""
    number = {"type": ["number", "null"]}
    label: dict[str, Any] = {"enum": list(manifest.labels.classes)}
    score: dict[str, Any] = {"anyOf": [number, {"type": "array", "items": number}]}
    if manifest.objective in {"binary:hinge", "multi:softmax"}:
        score = label
    properties = {"score": score}
    if manifest.labels.classes:
        properties["predicted_label"] = label
    return {
        "type": "object",
        "properties": {
            "predictions": {"type": "array", "items": {"type": "object", "properties": properties}}
        },
        "required": ["predictions"],
    }


_REFUSAL: Final = {
    "type": "object",
    "properties": {
        "error": {"type": "string"},
        "status": {"type": "integer"},
        "request_id": {"type": "string"},
    },
    "required": ["error"],
}
