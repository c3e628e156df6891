"""`serve` runs the user's own inference code, with its packages, without network and read only."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
import xgboost

from .conftest import Start
from .drive import AS_CALLER, REPOSITORY, as_csv, docker, mount, poll
from .multi_model_cases import loaded
from .test_multi_model import endpoint, serve_options

pytestmark = pytest.mark.container
EXAMPLE = REPOSITORY / "examples" / "inference_code" / "inference.py"
ASK = """\
import json, sys, urllib.request
request = urllib.request.Request("http://127.0.0.1:8080/invocations", sys.argv[1].encode(),
                                 {"Content-Type": "text/csv"})
print(urllib.request.urlopen(request).read().decode(), end="")
"""


def lay(folder: Path, code: str, **variables: str) -> Path:
    """Lay a stock model with inference code, and a wheel that it may ask for."""
    X = np.arange(60, dtype=np.float32).reshape(30, 2)
    booster = xgboost.train({"objective": "reg:squarederror"}, xgboost.DMatrix(X, X[:, 0]), 3)
    (folder / "code" / "wheelhouse").mkdir(parents=True)
    (folder / "xgboost-model").write_bytes(booster.save_raw("ubj"))
    (folder / "code" / "inference.py").write_text(code)
    about = "told_apart-1.0.dist-info"
    wheel = folder / "code" / "wheelhouse" / "told_apart-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as packed:
        packed.writestr("told_apart.py", "WORD = 'from the wheel'")
        packed.writestr(
            f"{about}/METADATA", "Metadata-Version: 2.1\nName: told-apart\nVersion: 1.0"
        )
        packed.writestr(
            f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any"
        )
        packed.writestr(f"{about}/RECORD", "")
    for name, text in variables.items():
        (folder / "code" / name.replace("_txt", ".txt")).write_text(text)
    return folder


def test_the_example_on_a_trained_model(serve: Start, model: Path, rows: list[list[str]]) -> None:
    """Its code comes in a folder of its own, as a mounted one."""
    record = dict(zip(_names(model), rows[0], strict=True))
    code = mount(EXAMPLE.parent, "/opt/ml/code", readonly=True)
    where = ("--env", "SAGEMAKER_SUBMIT_DIRECTORY=/opt/ml/code", "--env", "SAGEMAKER_PROGRAM=")

    server = serve(model, *code, *where, "--read-only")
    body = json.dumps({"customers": [{"id": "c1", "features": record}]}).encode()
    answer = server.post(body, "application/json")

    assert answer.status == 200, answer.body
    said = json.loads(answer.body)
    assert said["id"] == "c1"
    assert 0 <= said["risk"] <= 1
    refused = server.post(b'{"customers": 1}', "application/json")
    assert refused.status == 400
    assert b"send {" in refused.body


def test_packages_come_from_the_wheelhouse_without_network(start: Start, tmp_path: Path) -> None:
    """Into a memory folder: the model and the image are read only."""
    code = "import told_apart\ndef transform_fn(m, d, c, a): return told_apart.WORD + d\n"
    folder = lay(tmp_path / "model", code, requirements_txt="told-apart\nnumpy\n")
    sealed = ("--network", "none", "--read-only", "--tmpfs", "/tmp")  # noqa: S108 - the container's own

    server = start("serve", *AS_CALLER, *sealed, *mount(folder, "/opt/ml/model", readonly=True))
    poll(lambda: "Listening at" in server.logs(), "the server's start", server.logs)

    def said() -> str:
        return docker("exec", server.name, "python3", "-c", ASK, ", 1").stdout

    poll(lambda: said() == "from the wheel, 1", "the code's answer", server.logs)
    assert "installing told-apart 1.0" in server.logs().replace("told_apart", "told-apart")


@pytest.mark.parametrize(
    ("code", "requirements", "said"),
    [
        ("import absent_module\n", "", "No module named 'absent_module' (inference.py, line 1)"),
        ("def predict_fn(data): pass\n", "", "it is called as predict_fn(data, model)"),
        ("def predict_fn(:\n", "", "inference.py, line 1: "),
        ("", "not-in-the-house", "No matching distribution found for not-in-the-house"),
    ],
)
def test_bad_code_ends_serve_with_a_line(
    start: Start, tmp_path: Path, code: str, requirements: str, said: str
) -> None:
    """At once, by an exit code that is not 0, rather than at the first request."""
    folder = lay(tmp_path / "model", code, requirements_txt=requirements)

    server = start("serve", *AS_CALLER, *mount(folder, "/opt/ml/model", readonly=True))

    assert server.exit_code() != 0
    assert any(
        line.startswith("serve: ") and said in line for line in server.logs().splitlines()
    ), server.logs()


def test_a_fault_of_the_code_costs_one_request(serve: Start, tmp_path: Path) -> None:
    """500 with a fixed text, the traceback in the log, and the next request is answered."""
    code = (
        "def predict_fn(data, model):\n"
        "    if data[0, 0] < 0: raise KeyError('secret of mine')\n"
        "    return model.predict(data)\n"
    )
    server = serve(lay(tmp_path / "model", code))

    failed = server.post(as_csv([["-1", "2"]]))

    assert failed.status == 500
    assert b"secret" not in failed.body
    assert "KeyError: 'secret of mine'" in server.logs()
    assert server.post(as_csv([["1", "2"]])).status == 200


def test_packages_on_a_multi_model_server(start: Start, tmp_path: Path) -> None:
    """Installed once for all workers and gone with the model; 507 where there is no disk."""
    code = "import told_apart\ndef transform_fn(m, d, c, a): return told_apart.__file__\n"
    for name in ("small", "large"):
        lay(tmp_path / "models" / name / "model", code, requirements_txt="told-apart\n")
    # As large as it says: random bytes do not pack.
    house = tmp_path / "models" / "large" / "model" / "code" / "wheelhouse"
    with zipfile.ZipFile(next(house.iterdir()), "a") as packed:
        packed.writestr("told_apart_data.bin", np.random.default_rng(0).bytes(20 << 20))
    options = serve_options(tmp_path / "models", "--env", "SAGEMAKER_MODEL_SERVER_WORKERS=2")
    narrow = ["/tmp:size=16m" if word == "/tmp" else word for word in options]  # noqa: S108
    container = start("serve", *narrow)
    server = endpoint(container, {})

    with loaded(server, "small") as name:
        assert len({server.invoke(name, b"1").body for _ in range(20)}) == 1
        refused = server.load("large", "large")
        assert refused.status == 507, refused.body
        assert b"No space left on device" in refused.body
        assert server.invoke(name, b"1").status == 200
    left = docker("exec", container.name, "find", "/tmp", "-name", "told_apart*")  # noqa: S108
    assert left.stdout == ""


def _names(model: Path) -> list[str]:
    manifest = json.loads((model / "daal/manifest.json").read_bytes())
    return [column["name"] for column in manifest["schema"]["columns"]]
