"""What the image declares, and what it does not carry."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest

from .drive import docker

pytestmark = pytest.mark.container


@pytest.fixture(scope="module")
def inspected(image: str) -> dict[str, Any]:
    """Return what `docker image inspect` tells."""
    done = docker("image", "inspect", image)
    return json.loads(done.stdout)[0]


def in_image(image: str, command: str) -> str:
    """Run a shell line in the image."""
    done = docker("run", "--rm", "--network", "none", image, "sh", "-c", command)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_labels_declare_the_modes_sagemaker_looks_for(inspected: dict[str, Any]) -> None:
    """Pipelines and multi-model endpoints refuse an image without them (rule P4)."""
    prefix = "com.amazonaws.sagemaker.capabilities."
    labels = inspected["Config"]["Labels"]

    assert labels[prefix + "accept-bind-to-port"] == "true"
    assert labels[prefix + "multi-models"] == "true"


def test_programs_are_process_one_and_train_is_the_default(inspected: dict[str, Any]) -> None:
    """A shell or another entry point in between would keep the signals to itself (rule P2)."""
    config = inspected["Config"]

    assert not config["Entrypoint"]
    assert config["Cmd"] == ["train"]
    assert config["User"] in {"", "root", "0"}


def test_no_arguments_means_train(image: str) -> None:
    """The SDK's local mode passes no command; with no job laid, train says what it misses."""
    done = docker("run", "--rm", image)

    assert done.returncode == 1
    assert "UserError: " in done.stderr


@pytest.mark.parametrize("program", ["gcc", "cc", "g++", "clang", "make", "git"])
def test_no_compiler_is_aboard(image: str, program: str) -> None:
    """What built the packages has no part in running them."""
    assert in_image(image, f"command -v {program} || echo absent") == "absent"


def test_pip_is_aboard_for_script_mode_and_no_cache_of_it_lies_about(image: str) -> None:
    """The toolkit installs a script's requirements with it; nothing was left by the build."""
    assert in_image(image, "python3 -m pip --version").startswith("pip ")
    left = "find /opt /root /tmp -name '*.whl' -o -name pip -path '*cache*'"
    assert in_image(image, left) == ""


def test_what_only_mpi_would_use_is_not_aboard(image: str) -> None:
    """The toolkit asks for them, and nothing that runs here imports them (docs/dependencies.md)."""
    check = "from importlib.util import find_spec as f; print(f('paramiko'), f('gevent'))"

    assert in_image(image, f'python3 -c "{check}"') == "None None"


def test_packages_came_without_their_test_suites(image: str) -> None:
    """They are a fifth of the size, and nothing reads them."""
    assert in_image(image, "find /opt/venv -name tests -type d") == ""


def test_bytecode_was_made_in_the_build(image: str) -> None:
    """A read-only container cannot keep it and would compile everything at each start."""
    check = "import churn_daal.errors as e; import os; print(os.path.exists(e.__cached__))"

    assert in_image(image, f"python3 -c '{check}'") == "True"


@pytest.mark.skipif("CHURN_DAAL_IMAGE" in os.environ, reason="the base image may be any other")
def test_the_image_stays_under_700_mb(inspected: dict[str, Any]) -> None:
    """Every new instance pulls it before it answers."""
    assert inspected["Size"] <= 700e6
