"""multi-model-server's settings, from those of the container, and the command that starts it."""

from __future__ import annotations

import shutil
import sys
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from churn_daal.errors import UserError
from churn_daal.machine import usable_memory
from churn_daal.serving.multi_model_server.legacy_manifest import without_legacy_manifests
from churn_daal.settings import JavaSettings, ServeSettings

HANDLER: Final = "churn_daal.serving.multi_model_server.handler_service"
MODEL_NAME: Final = "model"
_MIB: Final = 2**20
# A quarter of the memory, within these bounds, is Java's heap: it holds bodies, no models.
_HEAP: Final = (128 * _MIB, 1024 * _MIB)
_NO_LIMIT: Final = 2**30
# Java's own refusal of a body has no text, and may cut a client off that still sends. So bodies up
# to this much over the limit are let in, for the handler to refuse.
OVER_THE_LIMIT: Final = 16 * _MIB
# It reads sizes as `int`.
_LARGEST: Final = 2**31 - 1


def properties(settings: ServeSettings, java: JavaSettings) -> dict[str, str]:
    """Return the lines of `config.properties`.

    Their names are multi-model-server's own. Models lie below `/`, since SageMaker names them by
    absolute paths. Management has the port of the invocations, as rule S1 leaves no other.
    """
    address = f"http://0.0.0.0:{settings.port}"
    workers = java.model_workers if settings.multi_model else settings.workers
    return {
        "inference_address": address,
        "management_address": address,
        "model_store": "/",
        "default_service_handler": HANDLER,
        "default_workers_per_model": str(workers),
        "default_response_timeout": str(settings.timeout),
        "unregister_model_timeout": str(settings.timeout),
        "job_queue_size": str(java.job_queue_size),
        "max_request_size": str(min(_LARGEST, settings.max_content_length + OVER_THE_LIMIT)),
        # Contributions make an answer far larger than its request.
        "max_response_size": str(_NO_LIMIT),
        # Bytes are handed on as they came: the decoders check them.
        "decode_input_request": "false",
        # A worker loads for itself: neither OpenMP's nor TBB's threads outlive a fork.
        "preload_model": "false",
        "enable_envvars_config": "false",
        "async_logging": "true",
        # Nothing reads the machine's figures, and each reading starts a Python.
        "metric_time_interval": "86400",
    }


def virtual_machine(java: JavaSettings, memory: int | None, folder: Path) -> list[str]:
    """Return Java's own options, the user's last, so that those count.

    Parameters
    ----------
    java
        The settings.
    memory
        Bytes the container may use; None where nothing says.
    folder
        Where temporary files go.
    """
    low, high = _HEAP
    heap = max(low, min(high, (memory or 0) // 4))
    return [
        f"-Xmx{heap // _MIB}m",
        f"-XX:MaxDirectMemorySize={heap // _MIB}m",
        # Out of memory it would live on and answer nothing.
        "-XX:+ExitOnOutOfMemoryError",
        # No file of figures in /tmp, which nobody would read or remove.
        "-XX:-UsePerfData",
        f"-Djava.io.tmpdir={folder}",
        *java.vmargs.split(),
    ]


def lay(folder: Path, settings: ServeSettings, java: JavaSettings) -> list[str]:
    """Write what multi-model-server reads into a folder; return the command that starts it.

    The command is the one its own launcher makes. That one keeps the server's number in a file
    that a restarted container finds again and takes for a running server, and hands no signal on.

    Raises
    ------
    UserError
        Java or multi-model-server is missing: this is not the image of `--target mms`.
    """
    program, package = shutil.which("java"), find_spec("mms")
    if program is None or package is None or package.origin is None:
        raise UserError(
            "multi-model-server or Java is missing from this image; "
            "build the one with both: docker build --target mms"
        )
    home = Path(package.origin).parent.parent
    frontend = home / "mms" / "frontend"
    classes = without_legacy_manifests(frontend / "model-server.jar", folder)
    lines = (f"{name}={value}\n" for name, value in properties(settings, java).items())
    (folder / "config.properties").write_text("".join(lines), encoding="utf-8")
    logs = folder / "log4j2.xml"
    logs.write_bytes(files(__package__).joinpath("log4j2.xml").read_bytes())
    command = [
        program,
        f"-Dmodel_server_home={home}",
        f"-Dlog4j.configurationFile=file://{logs}",
        *virtual_machine(java, usable_memory(), folder),
        *("-cp", f"{classes}:{frontend / '*'}", "com.amazonaws.ml.mms.ModelServer"),
        *("--python", sys.executable, "-f", str(folder / "config.properties"), "-s", "/"),
    ]
    if not settings.multi_model:
        command += ["-m", f"{MODEL_NAME}={settings.model_dir}"]
    return command
