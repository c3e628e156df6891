"""multi-model-server gets the container's settings under its own names."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from churn_daal.errors import UserError
from churn_daal.serving.multi_model_server.configuration import lay, properties, virtual_machine
from churn_daal.settings import JavaSettings, ServeSettings

ONE = ServeSettings(Path("/opt/ml/model"), port=8123, workers=3, timeout=7, max_content_length=99)


def test_one_model_has_the_workers_of_the_server() -> None:
    """Port and time limit are those of the other server."""
    lines = properties(ONE, JavaSettings(model_workers=5, job_queue_size=11))

    assert lines["inference_address"] == lines["management_address"] == "http://0.0.0.0:8123"
    assert lines["default_workers_per_model"] == "3"
    assert lines["default_response_timeout"] == "7"
    assert lines["job_queue_size"] == "11"


def test_each_of_many_models_has_its_own_workers() -> None:
    """As many as are asked for a model, not as many as there are cores."""
    many = ServeSettings(Path("/opt/ml/model"), workers=3, multi_model=True)

    lines = properties(many, JavaSettings(model_workers=5))

    assert lines["default_workers_per_model"] == "5"


@pytest.mark.parametrize(
    ("memory", "heap"),
    [(None, "128m"), (2**28, "128m"), (2**31, "512m"), (2**40, "1024m")],
)
def test_the_heap_follows_the_memory(memory: int | None, heap: str, tmp_path: Path) -> None:
    """A quarter of it, within bounds; the models live in other processes."""
    assert f"-Xmx{heap}" in virtual_machine(JavaSettings(), memory, tmp_path)


def test_the_users_java_options_come_last(tmp_path: Path) -> None:
    """Java takes the last of two."""
    options = virtual_machine(JavaSettings(vmargs="-Xmx64m -Dx=y"), None, tmp_path)

    assert options[-2:] == ["-Xmx64m", "-Dx=y"]


def test_an_image_without_java_is_named_with_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`serve` of one image copied into another."""
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(UserError, match="--target mms"):
        lay(tmp_path, ONE, JavaSettings())


@pytest.mark.parametrize(
    ("limit", "lets_in"), [(1000, 1000 + 2**24), (2**31, 2**31 - 1), (sys.maxsize, 2**31 - 1)]
)
def test_java_lets_in_what_the_handler_refuses(limit: int, lets_in: int) -> None:
    """Within what Java can count to: with more it would cut every connection off."""
    settings = ServeSettings(Path("/opt/ml/model"), max_content_length=limit)

    assert properties(settings, JavaSettings())["max_request_size"] == str(lets_in)
