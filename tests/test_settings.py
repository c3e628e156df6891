"""Settings come from the environment, and a wrong one is refused by name."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from churn_daal.errors import UserError
from churn_daal.settings import ServeSettings, base_dir, usable_cores


def test_defaults_are_sagemakers() -> None:
    """Without any variable: /opt/ml, port 8080, 25 MB, a worker for each usable core."""
    settings = ServeSettings.from_env({})

    assert settings.model_dir == Path("/opt/ml/model")
    assert (settings.port, settings.max_content_length) == (8080, 26_214_400)
    assert settings.workers == usable_cores()


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
            "SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT": "application/jsonlines",
        }
    )

    assert settings == ServeSettings(
        *(Path("/elsewhere/model"), 9000, 3, 120, 1000),
        multi_model=True,
        default_accept="application/jsonlines",
    )


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


@pytest.mark.parametrize(
    ("files", "cores"),
    [
        ({"cpu.max": "50000 100000\n"}, 1),
        ({"cpu.max": "100000 100000\n"}, 1),
        ({"cpu.max": "max 100000\n"}, None),
        ({"cpu/cpu.cfs_quota_us": "100000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 1),
        ({"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, None),
        ({"cpu.max": "999999900000 100000\n"}, None),
        ({"cpu.max": "?"}, None),
        ({}, None),
    ],
)
def test_a_containers_quota_counts(
    tmp_path: Path, files: dict[str, str], cores: int | None
) -> None:
    """`docker run --cpus 1` means one worker, whichever version of cgroups says so."""
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)

    assert usable_cores(tmp_path) == (cores or len(os.sched_getaffinity(0)))


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
