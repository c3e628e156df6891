"""Settings come from the environment, and a wrong one is refused by name."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from churn_daal import settings as settings_module
from churn_daal.errors import UserError
from churn_daal.machine import usable_cores
from churn_daal.settings import ServeSettings, base_dir, usual_workers


def test_defaults_are_sagemakers() -> None:
    """Without any variable: /opt/ml, port 8080, 25 MB, a worker for each usable core."""
    settings = ServeSettings.from_env({})

    assert settings.model_dir == Path("/opt/ml/model")
    assert (settings.port, settings.max_content_length) == (8080, 26_214_400)
    assert 1 <= settings.workers <= usable_cores()
    assert (settings.log_level, settings.metrics_port) == (20, None)


def test_variables_are_read() -> None:
    """Each documented variable changes its setting."""
    settings = ServeSettings.from_env(
        {
            "SAGEMAKER_BASE_DIR": "/elsewhere",
            "SAGEMAKER_BIND_TO_PORT": "9000",
            "SAGEMAKER_MODEL_SERVER_WORKERS": "3",
            "SAGEMAKER_MODEL_SERVER_TIMEOUT": "120",
            "MAX_CONTENT_LENGTH": "1000",
            "SAGEMAKER_MULTI_MODEL": "true",
            "SAGEMAKER_INFERENCE_OUTPUT": "Predicted_Label, probability,,predicted_label",
            "SAGEMAKER_BATCH_STRATEGY": "SingleRecord",
            "SAGEMAKER_MAX_CONCURRENT_TRANSFORMS": "4",
            "SAGEMAKER_SAFE_PORT_RANGE": "9000-9002",
            "SAGEMAKER_CONTAINER_LOG_LEVEL": "30",
            "SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT": "application/jsonlines",
        }
    )

    assert settings == ServeSettings(
        *(Path("/elsewhere/model"), 9000, 3, 120, 1000),
        multi_model=True,
        inference_output=("predicted_label", "probability"),
        batch_strategy="SINGLE_RECORD",
        max_concurrent_transforms=4,
        metrics_port=9001,
        log_level=30,
        default_accept="application/jsonlines",
    )


MB = 2**20


@pytest.mark.parametrize(
    ("environ", "limit"),
    [
        ({"SAGEMAKER_BATCH": "True"}, 100 * MB),
        ({"SAGEMAKER_BATCH": "false"}, 25 * MB),
        ({"SAGEMAKER_MAX_PAYLOAD_IN_MB": "40"}, 40 * MB),
        ({"SAGEMAKER_BATCH": "true", "SAGEMAKER_MAX_PAYLOAD_IN_MB": "6"}, 100 * MB),
        ({"MAX_CONTENT_LENGTH": "1000", "SAGEMAKER_MAX_PAYLOAD_IN_MB": "1"}, MB),
        ({"MAX_CONTENT_LENGTH": "2000000", "SAGEMAKER_MAX_PAYLOAD_IN_MB": "1"}, 2_000_000),
        ({"MAX_CONTENT_LENGTH": "1000", "SAGEMAKER_BATCH": "true"}, 1000),
        ({"SAGEMAKER_MAX_PAYLOAD_IN_MB": "0"}, sys.maxsize),
    ],
)
def test_the_larger_limit_of_a_body_holds(environ: dict[str, str], limit: int) -> None:
    """That of the server, or what the batch job will send if that is more; 0 is no limit."""
    assert ServeSettings.from_env(environ).max_content_length == limit


@pytest.mark.parametrize(
    ("text", "level"), [("10", 10), ("0", 0), ("debug", 10), ("WARNING", 30), ("", 20), ("25", 25)]
)
def test_log_levels_are_numbers_or_names(text: str, level: int) -> None:
    """AWS's SDK sets a number, people set names."""
    assert ServeSettings.from_env({"SAGEMAKER_CONTAINER_LOG_LEVEL": text}).log_level == level


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("SAGEMAKER_CONTAINER_LOG_LEVEL", "loud", "a number from 0 to 50 or one of DEBUG, INFO"),
        ("SAGEMAKER_CONTAINER_LOG_LEVEL", "99", "a number from 0 to 50"),
        ("SAGEMAKER_BATCH_STRATEGY", "all", "MULTI_RECORD or SINGLE_RECORD"),
        ("SAGEMAKER_SAFE_PORT_RANGE", "9000", "a first and a last port, such as 9000-9009"),
        ("SAGEMAKER_SAFE_PORT_RANGE", "9009-9000", "a first and a last port"),
        ("SAGEMAKER_SAFE_PORT_RANGE", "1-2-3", "a first and a last port"),
        ("SAGEMAKER_SAFE_PORT_RANGE", "0-99999", "a first and a last port"),
        ("SAGEMAKER_MAX_PAYLOAD_IN_MB", "-1", "a whole number of 0 or more"),
        ("SAGEMAKER_MAX_CONCURRENT_TRANSFORMS", "0", "a whole number of 1 or more"),
    ],
)
def test_wrong_choices_are_refused(name: str, value: str, expected: str) -> None:
    """With the variable, its value and what may stand there."""
    with pytest.raises(UserError, match=re.escape(f"{name} is {value!r}; expected {expected}")):
        ServeSettings.from_env({name: value})


@pytest.mark.parametrize(("given", "port"), [("8080-8081", 8081), ("8080-8080", None)])
def test_metrics_never_take_the_main_port(given: str, port: int | None) -> None:
    """The first safe port that is another, if there is one."""
    assert ServeSettings.from_env({"SAGEMAKER_SAFE_PORT_RANGE": given}).metrics_port == port


@pytest.mark.parametrize(
    ("memory", "cores", "workers"),
    [(2**30, 6, 1), (2 * 2**30 - 1, 6, 1), (3 * 2**30, 6, 3), (2**28, 2, 1), (2**40, 2, 2)],
)
def test_workers_follow_the_memory_too(
    monkeypatch: pytest.MonkeyPatch, memory: int, cores: int, workers: int
) -> None:
    """Serverless inference has six cores and 1 GB: one worker."""
    monkeypatch.setattr(settings_module, "usable_memory", lambda: memory)
    monkeypatch.setattr(settings_module, "usable_cores", lambda: cores)

    assert usual_workers() == workers
    assert ServeSettings.from_env({"SAGEMAKER_MODEL_SERVER_WORKERS": "5"}).workers == 5


def test_empty_means_unset() -> None:
    """The SDK's local mode sets variables to the empty text."""
    assert base_dir({"SAGEMAKER_BASE_DIR": ""}) == Path("/opt/ml")
    assert ServeSettings.from_env({"SAGEMAKER_BIND_TO_PORT": " "}).port == 8080


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SAGEMAKER_BIND_TO_PORT", "http"),
        ("SAGEMAKER_BIND_TO_PORT", "70000"),
        ("SAGEMAKER_MODEL_SERVER_WORKERS", "0"),
        ("MAX_CONTENT_LENGTH", "25MB"),
        ("MAX_CONTENT_LENGTH", "1_000"),
        ("MAX_CONTENT_LENGTH", "\uff11\uff12"),
        ("MAX_CONTENT_LENGTH", "-1"),
    ],
)
def test_wrong_values_are_refused(name: str, value: str) -> None:
    """The message names the variable, what it holds and what was expected."""
    with pytest.raises(UserError, match=re.escape(f"{name} is {value!r}; expected a whole number")):
        ServeSettings.from_env({name: value})


def test_the_page_lists_every_variable() -> None:
    """docs/environment.md documents what settings.py reads, and nothing else of that look."""
    root = Path(__file__).parent.parent
    variable = re.compile(r"\b(?:SAGEMAKER_[A-Z_]+|MAX_CONTENT_LENGTH)\b")
    read = set(
        re.findall(
            r'"(SAGEMAKER_[A-Z_]+|MAX_CONTENT_LENGTH)"',
            (root / "src/churn_daal/settings.py").read_text(),
        )
    )

    assert set(variable.findall((root / "docs/environment.md").read_text())) == read
