"""Inference code of one's own around a churn model: other input, a business rule, other output.

The server calls these functions in place of its own. `model_fn` and the rest are left out: the
model is the image's, converted and checked as ever.
"""

from __future__ import annotations

import json
from typing import Any

import churn_daal

# Dearer than this a call to the customer does not pay.
WORTH_A_CALL = 0.3


def input_fn(body: str, content_type: str) -> list[tuple[Any, dict[str, Any]]]:
    """Take `{"customers": [{"id": ..., "features": {...}}, ...]}` and nothing else."""
    if content_type != "application/json":
        raise churn_daal.RequestError(
            f"Content-Type {content_type} came; send application/json", status=415
        )
    try:
        customers = json.loads(body)["customers"]
        return [(customer["id"], customer["features"]) for customer in customers]
    except (ValueError, KeyError, TypeError) as error:
        raise churn_daal.RequestError(
            f'{error!r}; send {{"customers": [{{"id": ..., "features": {{...}}}}]}}'
        ) from error


def predict_fn(data: list[tuple[Any, dict[str, Any]]], model: Any) -> list[dict[str, Any]]:  # noqa: ANN401
    """Encode the records by the model's own schema, ask it, and decide."""
    names = model.encoder.schema.names
    columns = [[features.get(name) for _, features in data] for name in names]
    risks = model.predict(model.encoder.from_json(columns))
    return [
        {"id": customer, "risk": float(risk), "call": bool(risk >= WORTH_A_CALL)}
        for (customer, _), risk in zip(data, risks, strict=True)
    ]


def output_fn(prediction: list[dict[str, Any]], accept: str, context: Any) -> tuple[str, str]:  # noqa: ANN401
    """Write JSON lines, and say in a header how many are to be called."""
    del accept
    context.set_response_header(0, "X-To-Call", str(sum(row["call"] for row in prediction)))
    return "".join(f"{json.dumps(row)}\n" for row in prediction), "application/jsonlines"
