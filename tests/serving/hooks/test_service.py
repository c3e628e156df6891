"""The user's functions answer, ours fill the rest, and faults are told apart."""

from __future__ import annotations

import json
import logging

import numpy as np
import pytest
import xgboost
from werkzeug.test import TestResponse

from .conftest import BOOSTER, Serve, X

ROWS = "".join(",".join(map(str, row)) + "\n" for row in X[:3].tolist())
WANTED = BOOSTER.predict(xgboost.DMatrix(X[:3]), validate_features=False)
EMPTY = ""
ALL_FOUR = """
import json
def model_fn(model_dir):
    return {"dir": model_dir}
def input_fn(body, content_type):
    assert isinstance(body, str), type(body)
    return [content_type, body]
def predict_fn(data, model):
    return data + [model["dir"].rsplit("/", 1)[1]]
def output_fn(prediction, accept):
    return json.dumps(prediction + [accept])
"""


def numbers(body: bytes) -> np.ndarray:
    """Return a CSV answer's numbers."""
    return np.array(body.split(), dtype=np.float64)


def test_without_a_function_the_answers_are_the_usual_ones(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    """Code that has none of the names is told of, with the one that was meant."""
    client = serve("def predict_fm(data, model):\n    return 1\n")

    answer = client.post("/invocations", data=ROWS, content_type="text/csv")

    np.testing.assert_allclose(numbers(answer.data), WANTED, atol=1e-6)
    assert "is predict_fm meant to be predict_fn?" in caplog.text


def test_the_four_functions_in_turn(serve: Serve) -> None:
    """CSV and JSON come as text, as sagemaker-inference gives them; no booster is needed."""
    client = serve(ALL_FOUR, booster=False)

    answer = client.post(
        "/invocations",
        data="1,2",
        content_type="text/csv; charset=utf-8",
        headers={"Accept": "text/x-own;q=0.9, text/html;q=0.1"},
    )

    assert json.loads(answer.data) == ["text/csv", "1,2", "a model", "text/x-own"]
    assert answer.content_type == "text/x-own"


def test_other_bodies_come_as_bytes(serve: Serve) -> None:
    """Whatever their type: an input_fn may read what this server does not."""
    code = "def transform_fn(model, data, content_type, accept):\n    return repr(data)\n"

    answer = serve(code).post("/invocations", data=b"\xff", content_type="image/png")

    assert (answer.status_code, answer.data) == (200, b"b'\\xff'")


def test_input_alone(serve: Serve) -> None:
    """Our model and our encoders take it from there, labels and all."""
    code = """
import numpy
def input_fn(body, content_type):
    return numpy.array([[float(cell) for cell in body.split("|")]])
"""
    client = serve(code)
    row = "|".join(map(str, X[0].tolist()))

    answer = client.post(
        "/invocations", data=row, content_type="text/csv", headers={"Accept": "application/json"}
    )

    [record] = answer.json["predictions"]
    assert abs(record["score"] - WANTED[0]) <= 1e-6
    assert record["predicted_label"] == int(WANTED[0] >= 0.5)


@pytest.mark.parametrize(
    "code",
    [
        "def predict_fn(data, model):\n    return model.predict(data) * 2\n",
        "def predict_fn(data, model):\n    return model.predict_proba(data)[:, 1] * 2\n",
        """
import xgboost
from werkzeug.test import TestResponse
def predict_fn(data, model):
    return model.booster.predict(xgboost.DMatrix(data), validate_features=False) * 2
""",
        "def predict_fn(data, model, **kwargs):\n    return (model.predict(data) * 2).tolist()\n",
    ],
    ids=["predict", "predict_proba", "booster", "a-list"],
)
def test_predict_alone(serve: Serve, code: str) -> None:
    """It has the decoded matrix and our model, which is one to work with."""
    answer = serve(code).post("/invocations", data=ROWS, content_type="text/csv")

    np.testing.assert_allclose(numbers(answer.data), WANTED * 2, atol=1e-6)


def test_a_model_fn_as_aws_image_wants_it(serve: Serve) -> None:
    """A Booster of the user's own loading gets a DMatrix, so such code runs unchanged."""
    code = """
import os, xgboost
def model_fn(model_dir):
    booster = xgboost.Booster()
    with open(os.path.join(model_dir, "xgboost-model"), "rb") as file:
        booster.load_model(bytearray(file.read()))
    return booster
def predict_fn(input_data, model):
    return model.predict(input_data, validate_features=False, output_margin=True)
"""
    answer = serve(code).post("/invocations", data=ROWS, content_type="text/csv")

    margins = BOOSTER.predict(xgboost.DMatrix(X[:3]), output_margin=True, validate_features=False)
    np.testing.assert_allclose(numbers(answer.data), margins, atol=1e-6)


def test_a_booster_with_our_predict(serve: Serve) -> None:
    """Named records reach it in the order of its own names."""
    code = """
import os, xgboost
def model_fn(model_dir):
    with open(os.path.join(model_dir, "xgboost-model"), "rb") as file:
        return xgboost.Booster(model_file=bytearray(file.read()))
"""
    record = dict(reversed(list(zip("abc", X[0].tolist(), strict=True))))

    answer = serve(code).post("/invocations", json=record)

    assert abs(answer.json["predictions"][0]["score"] - WANTED[0]) <= 1e-6


def test_a_mapping_of_columns(serve: Serve) -> None:
    """Is answered by name in JSON."""
    code = """
def predict_fn(data, model):
    score = model.predict(data)
    return {"risk": score, "advice": ["call" if s > 0.5 else "wait" for s in score]}
"""
    answer = serve(code).post(
        "/invocations", data=ROWS, content_type="text/csv", headers={"Accept": "application/json"}
    )

    assert [row["advice"] for row in answer.json["predictions"]] == [
        "call" if score > 0.5 else "wait" for score in WANTED
    ]


@pytest.mark.parametrize(
    ("returned", "body", "content_type"),
    [
        ("'text'", b"text", "application/json"),
        ("b'bytes'", b"bytes", "application/json"),
        ("('<p>', 'text/html')", b"<p>", "text/html"),
        ("(b'x', None)", b"x", "application/json"),
        ("bytearray(b'y')", b"y", "application/json"),
    ],
)
def test_what_output_may_return(
    serve: Serve, returned: str, body: bytes, content_type: str
) -> None:
    """Bytes or text, alone or with their type."""
    client = serve(f"def output_fn(prediction, accept):\n    return {returned}\n")

    answer = client.post("/invocations", json=[X[0].tolist()])

    assert (answer.status_code, answer.data) == (200, body)
    assert answer.content_type.partition(";")[0] == content_type


CONTEXT = """
def model_fn(model_dir, context):
    return context.system_properties["model_dir"]
def transform_fn(model, data, content_type, accept, context):
    context.set_response_header(0, "X-Seen", context.custom_attributes)
    context.set_response_status(202, "Accepted")
    asked = context.get_request_header(0, "x-own"), context.get_all_request_header(0)["Accept"]
    return repr((model == context.system_properties["model_dir"], *asked, dict(context.query)))
"""
NAMED = """
def transform_fn(model, data, content_type, accept, *, context):
    return context.custom_attributes
"""


def test_the_context(serve: Serve) -> None:
    """Headers, custom attributes, the query and the model's folder, and a say in the answer."""
    answer = serve(CONTEXT).post(
        "/invocations?top=3",
        data="x",
        headers={
            "X-Own": "own",
            "Accept": "text/plain",
            "X-Amzn-SageMaker-Custom-Attributes": "trace=1",
        },
    )

    assert answer.status_code == 202
    assert answer.headers["X-Seen"] == "trace=1"
    assert answer.text == repr((True, "own", "text/plain", {"top": "3"}))


ALONE = "def model_fn(model_dir):\n    return None\n"
HEADERS = f"""
{ALONE}
def transform_fn(model, data, content_type, accept, context):
    for name, value in {{headers!r}}:
        context.set_response_header(0, name, value)
    return data, "text/x-own"
"""


@pytest.mark.parametrize(
    ("headers", "name", "values"),
    [
        ([("x-amzn-sagemaker-custom-attributes", "own")], "Custom-Attributes", ["own"]),
        ([("X-AMZN-SAGEMAKER-INFERENCE-ID", "own")], "Inference-Id", ["own"]),
        ([], "Custom-Attributes", ["sent"]),
    ],
)
def test_a_header_that_comes_back_is_the_codes_own(
    serve: Serve, headers: list[tuple[str, str]], name: str, values: list[str]
) -> None:
    """Once, however the code writes its name."""
    sent = {f"X-Amzn-SageMaker-{name}": "sent"}

    client = serve(HEADERS.format(headers=headers), booster=False)
    answer = client.post("/invocations", data="1", headers=sent)

    assert answer.headers.getlist(f"X-Amzn-SageMaker-{name}") == values


def test_headers_that_the_server_writes_come_once(serve: Serve) -> None:
    """The code's type holds, the server's length: two lengths are two bodies to a proxy."""
    headers = [
        *(("content-type", "text/x-other"), ("content-length", "9"), ("Content-Length", "8")),
        *(("x-own", "1"), ("X-Own", "2")),
    ]

    client = serve(HEADERS.format(headers=headers), booster=False)
    answer = client.post("/invocations", data="12345")

    assert answer.data == b"12345"
    assert answer.headers.getlist("Content-Length") == ["5"]
    assert answer.headers.getlist("Content-Type") == ["text/x-other"]
    assert answer.headers.getlist("X-Own") == ["2"]


def test_headers_of_the_connection_are_the_servers(serve: Serve) -> None:
    """A framing that the body has not would make the next answer part of this one."""
    names = ("Transfer-Encoding", "connection", "Keep-Alive", "TE", "Trailer", "Upgrade", "Date")

    client = serve(HEADERS.format(headers=[(name, "chunked") for name in names]), booster=False)
    answer = client.post("/invocations", data="12345")

    assert answer.data == b"12345"
    assert "chunked" not in answer.headers.values()


@pytest.mark.parametrize(
    ("accept", "given"),
    [
        *(("csv", "text/csv"), ("json;q=0.5", "application/json"), ("", "text/csv")),
        *(("text/csv;q=0, */*", "application/json"), ("application/*", "application/json")),
    ],
)
def test_the_type_that_code_is_asked_for(serve: Serve, accept: str, given: str) -> None:
    """By its full name, and never one that the client refuses."""
    code = "def transform_fn(model, data, content_type, accept):\n    return accept\n"
    client = serve(ALONE + code, booster=False)

    assert client.post("/invocations", data="1", headers={"Accept": accept}).text == given


def test_a_client_that_accepts_nothing(serve: Serve) -> None:
    """406, before the code runs."""
    code = "def transform_fn(model, data, content_type, accept):\n    raise KeyError\n"
    client = serve(ALONE + code, booster=False)

    answer = client.post("/invocations", data="1", headers={"Accept": "text/csv;q=0"})

    assert answer.status_code == 406
    assert "Accept text/csv;q=0 accepts nothing" in answer.json["error"]


def test_the_context_by_name(serve: Serve) -> None:
    """An argument that can only be named is given by name."""
    header = {"X-Amzn-SageMaker-Custom-Attributes": "a=b"}

    assert serve(NAMED).post("/invocations", data="1", headers=header).text == "a=b"


def test_a_fault_of_the_code_is_logged_and_not_sent(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    """The client learns nothing of the code; the next request is answered."""
    code = """
def predict_fn(data, model):
    if data[0, 0] > 1e6:
        raise KeyError("secret")
    return model.predict(data)
"""
    client = serve(code)
    with caplog.at_level(logging.ERROR):
        failed = client.post("/invocations", data="1e9,1,1", content_type="text/csv")

    assert failed.status_code == 500
    assert b"secret" not in failed.data
    assert "KeyError: 'secret'" in caplog.text
    assert client.post("/invocations", data=ROWS, content_type="text/csv").status_code == 200


@pytest.mark.parametrize(
    "code",
    [
        "def output_fn(prediction, accept):\n    return {'a': 1}\n",
        "def predict_fn(data, model):\n    return object()\n",
        "import sys\ndef predict_fn(data, model):\n    sys.exit(3)\n",
    ],
    ids=["a-dict", "an-object", "exit"],
)
def test_what_cannot_be_sent_is_a_fault_of_the_code(
    serve: Serve, caplog: pytest.LogCaptureFixture, code: str
) -> None:
    """500, and the log says what was expected."""
    answer = serve(code).post("/invocations", data=ROWS, content_type="text/csv")

    assert answer.status_code == 500
    assert "expected bytes" in caplog.text or "return" in caplog.text or "sys.exit" in caplog.text


def test_the_code_refuses_a_request(serve: Serve) -> None:
    """In the one shape that every refusal has."""
    code = """
import churn_daal
def input_fn(body, content_type):
    raise churn_daal.RequestError("no customer 7; send one of 1 to 6", status=422)
"""
    answer = serve(code).post("/invocations", data="7")

    assert answer.status_code == 422
    assert answer.json == {"error": "no customer 7; send one of 1 to 6", "status": 422}


@pytest.mark.parametrize(
    ("body", "content_type", "accept", "status"),
    [
        (b"1,2", "text/csv", "", 400),
        (b"1,2,x", "text/csv", "", 415),
        (b"1,2,3", "image/png", "", 415),
        (b"1,2,3", "text/csv", "image/png", 406),
        (b"", "text/csv", "", 204),
    ],
)
def test_bad_requests_are_refused_as_without_code(
    serve: Serve, body: bytes, content_type: str, accept: str, status: int
) -> None:
    """Where our own input and output functions do the work."""
    client = serve("def predict_fn(data, model):\n    return model.predict(data)\n")

    answer = client.post(
        "/invocations", data=body, content_type=content_type, headers={"Accept": accept}
    )

    assert answer.status_code == status
    if status != 204:
        assert answer.json["status"] == status


def test_text_that_is_no_utf8(serve: Serve) -> None:
    """415, before the code sees it."""
    client = serve("def input_fn(body, content_type):\n    return body\n")

    answer = client.post("/invocations", data=b"caf\xe9", content_type="text/csv")

    assert answer.status_code == 415
    assert answer.json["error"].startswith("Loading csv data failed: byte 0xe9 at 4")


def test_our_own_encoder_in_an_input_fn(serve: Serve) -> None:
    """What it refuses is refused."""
    code = """
import json
import churn_daal
def model_fn(model_dir):
    global MODEL
    MODEL = churn_daal.load(model_dir)
    return MODEL
def input_fn(body, content_type):
    if content_type == "application/json":
        return MODEL.encoder.from_json(json.loads(body))
    return MODEL.encoder.from_text([[cell] for cell in str(body).split(";")])
"""
    client = serve(code)

    assert client.post("/invocations", data="1;2;3").status_code == 200
    broken = client.post("/invocations", data="1;2;x")
    listed = client.post("/invocations", json=[[1], [2], [[3]]])
    unknown = client.post("/invocations", data="1;2;x", content_type="text/x-own")
    assert (broken.status_code, listed.status_code, unknown.status_code) == (415, 400, 415)
    # AWS's clients match on the format's name.
    assert broken.json["error"].startswith("Loading csv data failed: row 1, column 3 ('c'): 'x'")
    assert listed.json["error"].startswith("Loading json data failed: ")
    assert unknown.json["error"].startswith("Loading data failed: ")


def test_ping(serve: Serve) -> None:
    """The model is loaded."""
    assert serve(ALL_FOUR, booster=False).get("/ping").status_code == 200


def test_what_is_all_ours_heeds_what_a_request_asks_for(serve: Serve) -> None:
    """Code for the start alone leaves outputs, threshold and refusals as they are without it."""
    client = serve("def pre_model_fn(model_dir): pass\n")

    def ask(query: str) -> TestResponse:
        return client.post(f"/invocations?{query}", data=ROWS, content_type="text/csv")

    margins = BOOSTER.predict(
        xgboost.DMatrix(np.array([row.split(",") for row in ROWS.split()], dtype=np.float32)),
        output_margin=True,
        validate_features=False,
    )
    np.testing.assert_allclose(numbers(ask("outputs=margin").data), margins, atol=1e-5)
    assert ask("outputs=bogus").status_code == 400
