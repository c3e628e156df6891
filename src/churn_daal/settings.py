"""The only reader of the environment; everything else is handed frozen values.

The names are SageMaker's and its toolkits' own: see docs/environment.md.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from churn_daal.errors import UserError
from churn_daal.machine import usable_cores, usable_memory
from churn_daal.variables import WHOLE_NUMBER, flag, integer, names, optional_integer, text_of

BASE_DIR = "/opt/ml"
MAX_PORT = 65_535
MEGABYTE = 2**20
# Where no variable sets another limit of a body: above the platform's own 25 MB for an endpoint,
# and its 100 MB for a request of a batch job.
DEFAULT_LIMIT = 25 * MEGABYTE
BATCH_LIMIT = 100 * MEGABYTE
# A worker takes some 60 MB, and what it makes of bodies comes on top: 230 MB for one of 100 MB.
WORKER_MEMORY = 2**30
# The first is the default; docs/http.md says what each is for.
SERVERS = ("event-loop", "threads")
_STRATEGIES = {"multirecord": "MULTI_RECORD", "singlerecord": "SINGLE_RECORD"}
_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


def base_dir(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the prefix under which SageMaker lays its files, `/opt/ml` unless set."""
    return Path(text_of(environ, "SAGEMAKER_BASE_DIR", BASE_DIR))


@dataclass(frozen=True)
class ServeSettings:
    """What `serve` takes from the environment.

    Attributes
    ----------
    model_dir
        The untarred model, read only (rule S4).
    port
        `SAGEMAKER_BIND_TO_PORT`, 8080 unless set (rule S1).
    workers
        Server processes, one a core and at most one for each GiB of memory unless
        `SAGEMAKER_MODEL_SERVER_WORKERS` says otherwise.
    timeout
        Seconds a worker may go without a sign of life before it is replaced.
    max_content_length
        Bytes of a request body; larger ones are answered 413.
    multi_model
        Whether the platform asks for a multi-model server (`SAGEMAKER_MULTI_MODEL`).
    inference_output
        Names of what is answered where a request names nothing (`SAGEMAKER_INFERENCE_OUTPUT`), in
        lower case, each once; empty for the usual answer.
    max_payload_mb, batch_strategy, max_concurrent_transforms
        How a batch transform job calls (rule B2); None where its user set nothing.
    metrics_port
        Where `/metrics` is answered; None for the port of all other routes.
    log_level
        From which on lines are logged, as Python's `logging` numbers them.
    ensemble
        Whether several boosters from elsewhere answer together (`SAGEMAKER_INFERENCE_ENSEMBLE`),
        as they do in AWS's image; if not, the first alone does.
    program, submit_directory
        The user's inference code (`SAGEMAKER_PROGRAM`) and where it lies
        (`SAGEMAKER_SUBMIT_DIRECTORY`); "" for `inference.py` in the model's folder `code`.
    default_accept
        What a request without a wish of its own accepts (`SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT`);
        "" where the body's type decides.
    server
        How connections are served (`CHURN_DAAL_SERVER`), one of `SERVERS`.
    """

    model_dir: Path
    port: int = 8080
    workers: int = 1
    timeout: int = 60
    max_content_length: int = DEFAULT_LIMIT
    multi_model: bool = False
    inference_output: tuple[str, ...] = ()
    max_payload_mb: int | None = None
    batch_strategy: str = "MULTI_RECORD"
    max_concurrent_transforms: int | None = None
    metrics_port: int | None = None
    log_level: int = logging.INFO
    ensemble: bool = True
    program: str = ""
    submit_directory: str = ""
    default_accept: str = ""
    server: str = "event-loop"

    @classmethod
    def from_env(cls, environ: Mapping[str, str] = os.environ) -> ServeSettings:
        """Read the settings of `serve`.

        Raises
        ------
        UserError
            A variable is set to something that is not in its range.
        """
        port = integer(environ, "SAGEMAKER_BIND_TO_PORT", 8080, high=MAX_PORT)
        payload = optional_integer(environ, "SAGEMAKER_MAX_PAYLOAD_IN_MB", low=0)
        concurrent = optional_integer(environ, "SAGEMAKER_MAX_CONCURRENT_TRANSFORMS")
        safe = safe_ports(environ)
        return cls(
            model_dir=base_dir(environ) / "model",
            port=port,
            workers=integer(environ, "SAGEMAKER_MODEL_SERVER_WORKERS", usual_workers()),
            timeout=integer(environ, "SAGEMAKER_MODEL_SERVER_TIMEOUT", 60),
            inference_output=names(environ, "SAGEMAKER_INFERENCE_OUTPUT"),
            max_content_length=_limit(environ, payload),
            multi_model=flag(environ, "SAGEMAKER_MULTI_MODEL"),
            max_payload_mb=payload,
            batch_strategy=_batch_strategy(environ),
            max_concurrent_transforms=concurrent,
            metrics_port=next((other for other in safe if other != port), None),
            log_level=_log_level(environ),
            ensemble=text_of(environ, "SAGEMAKER_INFERENCE_ENSEMBLE", "true").casefold() == "true",
            program=text_of(environ, "SAGEMAKER_PROGRAM", ""),
            submit_directory=text_of(environ, "SAGEMAKER_SUBMIT_DIRECTORY", ""),
            default_accept=text_of(environ, "SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT", ""),
            server=_server(environ),
        )


def safe_ports(environ: Mapping[str, str] = os.environ) -> range:
    """Return the ports that may be used beside the main one, none unless told (rule S1).

    Raises
    ------
    UserError
        `SAGEMAKER_SAFE_PORT_RANGE` is no range of ports.
    """
    name = "SAGEMAKER_SAFE_PORT_RANGE"
    text = text_of(environ, name, "")
    if not text:
        return range(0)
    ends = [int(end) if WHOLE_NUMBER.fullmatch(end.strip()) else 0 for end in text.split("-")]
    if len(ends) != 2 or not 1 <= ends[0] <= ends[1] <= MAX_PORT:
        raise UserError(
            f"environment variable {name} is {text[:40]!r}; expected a first and a last port, "
            f"such as 9000-9009, from 1 to {MAX_PORT}. Unset it if there are none to spare."
        )
    return range(ends[0], ends[1] + 1)


def usual_workers() -> int:
    """Return how many server processes there are unless told: by cores, and by memory.

    Serverless inference has several cores at 1 GB, where AWS recommends one worker.
    """
    memory = usable_memory()
    return max(
        1, usable_cores() if memory is None else min(usable_cores(), memory // WORKER_MEMORY)
    )


@dataclass(frozen=True)
class JavaSettings:
    """What the image with multi-model-server takes from the environment beside `ServeSettings`.

    Attributes
    ----------
    model_workers
        Worker processes of each model in multi-model mode (`SAGEMAKER_NUM_MODEL_WORKERS`).
    job_queue_size
        Requests that may wait for a model; further ones are answered 503
        (`SAGEMAKER_MODEL_JOB_QUEUE_SIZE`).
    vmargs
        Options for Java beside, and over, those it is given (`SAGEMAKER_MODEL_SERVER_VMARGS`).
    """

    model_workers: int = 1
    job_queue_size: int = 100
    vmargs: str = ""

    @classmethod
    def from_env(cls, environ: Mapping[str, str] = os.environ) -> JavaSettings:
        """Read the settings.

        Raises
        ------
        UserError
            A variable is set to something that is not a whole number in its range.
        """
        return cls(
            model_workers=integer(environ, "SAGEMAKER_NUM_MODEL_WORKERS", 1),
            job_queue_size=integer(environ, "SAGEMAKER_MODEL_JOB_QUEUE_SIZE", 100),
            vmargs=text_of(environ, "SAGEMAKER_MODEL_SERVER_VMARGS", ""),
        )


def inherited(**changes: str) -> dict[str, str]:
    """Return this process's environment, with changes, for one it starts."""
    return {**os.environ, **changes}


def _limit(environ: Mapping[str, str], payload_mb: int | None) -> int:
    """Return the bytes of a body that are let in, never fewer than a batch job will send."""
    if payload_mb == 0:
        return sys.maxsize  # a batch job's own word for no limit
    usual = BATCH_LIMIT if flag(environ, "SAGEMAKER_BATCH") else DEFAULT_LIMIT
    own = integer(environ, "MAX_CONTENT_LENGTH", usual)
    return max(own, (payload_mb or 0) * MEGABYTE)


def _batch_strategy(environ: Mapping[str, str]) -> str:
    name = "SAGEMAKER_BATCH_STRATEGY"
    text = text_of(environ, name, "MULTI_RECORD")
    # The API writes MultiRecord, the container contract MULTI_RECORD.
    strategy = _STRATEGIES.get(text.replace("_", "").casefold())
    if strategy is None:
        raise UserError(
            f"environment variable {name} is {text[:40]!r}; expected MULTI_RECORD or "
            "SINGLE_RECORD. Unset it for the default of MULTI_RECORD."
        )
    return strategy


def _server(environ: Mapping[str, str]) -> str:
    name = "CHURN_DAAL_SERVER"
    text = text_of(environ, name, SERVERS[0])
    if text not in SERVERS:
        raise UserError(
            f"environment variable {name} is {text[:40]!r}; expected {' or '.join(SERVERS)}. "
            f"Unset it for the default of {SERVERS[0]}."
        )
    return text


def _log_level(environ: Mapping[str, str]) -> int:
    name = "SAGEMAKER_CONTAINER_LOG_LEVEL"
    text = text_of(environ, name, "INFO")
    if text.upper() in _LEVELS:
        return logging.getLevelNamesMapping()[text.upper()]
    if WHOLE_NUMBER.fullmatch(text) and int(text) <= logging.CRITICAL:
        return int(text)
    raise UserError(
        f"environment variable {name} is {text[:40]!r}; expected a number from 0 to "
        f"{logging.CRITICAL} or one of {', '.join(_LEVELS)}. Unset it for the default of 20, INFO."
    )
