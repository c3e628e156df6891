"""Custom attributes and inference ids come back, also on refusals; what is none is refused."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from churn_daal.serving.carried import ATTRIBUTES, INFERENCE_ID

from .test_app import ROW, assert_refused, post


@pytest.mark.parametrize(
    ("body", "status"), [(ROW, 200), ("", 204), ("x", 400), (ROW.replace("128", "x"), 415)]
)
def test_headers_come_back_with_every_answer(client: FlaskClient, body: str, status: int) -> None:
    """Once each, as they were sent."""
    sent = {ATTRIBUTES: "trace=7; who=me" + "x" * 1009, INFERENCE_ID: "i" * 64}

    response = post(client, body, **sent)

    assert response.status_code == status
    assert {name: response.headers.getlist(name) for name in sent} == {
        name: [value] for name, value in sent.items()
    }


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        (ATTRIBUTES, "x" * 1025, "has 1,025 characters, 'xxxxxxx"),
        (ATTRIBUTES, "caf\u00e9", "'caf\\xe9'; send at most 1,024, of visible ASCII"),
        (INFERENCE_ID, "x" * 65, "has 65 characters"),
        (INFERENCE_ID, "a\tb", "'a\\tb'; send at most 64"),
    ],
)
def test_headers_that_sagemaker_would_not_pass_on_are_refused(
    client: FlaskClient, name: str, value: str, text: str
) -> None:
    """400 with the header's name, and without the header; the other one still comes back."""
    other = ATTRIBUTES if name == INFERENCE_ID else INFERENCE_ID

    response = post(client, ROW, **{name: value, other: "fine"})

    assert_refused(response, 400, f"header {name}")
    assert text in response.get_json()["error"]
    assert name not in response.headers
    assert response.headers[other] == "fine"


def test_other_headers_are_ignored(client: FlaskClient) -> None:
    """SageMaker may send more than this server knows."""
    response = post(client, ROW, **{"X-Amzn-SageMaker-Session-Id": "NEW_SESSION"})

    assert response.status_code == 200
    assert not [name for name in response.headers.keys() if "Session" in name]  # noqa: SIM118
