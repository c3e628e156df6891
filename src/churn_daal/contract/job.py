"""The training job as SageMaker's configuration files describe it, read once and frozen.

Files this program does not know lie beside the ones it reads and keys it does not know lie in
them (rule T6); both are left alone. What it reads and cannot use is refused here, by file and
key, so that no later step has to guess.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from churn_daal.contract.config_files import (
    member,
    optional_text,
    plain_text,
    read_object,
    type_name,
)
from churn_daal.contract.paths import SageMakerPaths
from churn_daal.errors import UserError
from churn_daal.settings import BASE_DIR

RESERVED_PREFIX = "sagemaker_"
RESERVED_NAMES = frozenset({"_tuning_objective_metric"})
# FastFile is a read-only mount that SageMaker reports as File (rule T3).
MODES = ("File", "FastFile", "Pipe")
ONE_HOST = "algo-1"
_CHANNEL_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")


@dataclass(frozen=True)
class Channel:
    """One named input of the job.

    Attributes
    ----------
    name
        The channel's name: `train`, `validation`, ...
    path
        The folder with its files; in Pipe mode the FIFOs lie beside it, at `<path>_0` and on.
    content_type
        The media type without its parameters, in lower case; None where the job names none.
    parameters
        The media type's parameters, such as `label_size`; names in lower case.
    input_mode
        `File`, `FastFile` or `Pipe`.
    distribution
        `FullyReplicated` or `ShardedByS3Key`; None where the job names none.
    record_wrapper
        `None` or `RecordIO`, as the job writes it; None where it names none.
    """

    name: str
    path: Path
    content_type: str | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)
    input_mode: str = "File"
    distribution: str | None = None
    record_wrapper: str | None = None


@dataclass(frozen=True)
class TrainingJob:
    """What the configuration files ask for.

    Attributes
    ----------
    hyperparameters
        The user's hyperparameters as plain text, one layer of JSON quoting taken off.
    reserved
        SageMaker's own among them (`sagemaker_*`, `_tuning_objective_metric`), likewise.
    channels
        The inputs by name.
    hosts, current_host
        The machines of the job, sorted, and this one.
    checkpoint_dir
        Where checkpoints go; None where the job asks for none.
    """

    hyperparameters: Mapping[str, str]
    reserved: Mapping[str, str]
    channels: Mapping[str, Channel]
    hosts: tuple[str, ...]
    current_host: str
    checkpoint_dir: Path | None = None


def read_job(paths: SageMakerPaths) -> TrainingJob:
    """Read the job's configuration files.

    Raises
    ------
    UserError
        A file is not JSON or not of the shape SageMaker writes. The message names the file and
        the place in it.
    """
    plain, reserved = _hyperparameters(paths)
    hosts, current = _hosts(paths)
    return TrainingJob(
        hyperparameters=plain,
        reserved=reserved,
        channels=_channels(paths),
        hosts=hosts,
        current_host=current,
        checkpoint_dir=_checkpoint_dir(paths),
    )


def _hyperparameters(paths: SageMakerPaths) -> tuple[dict[str, str], dict[str, str]]:
    entries = read_object(paths.hyperparameters) or {}
    plain: dict[str, str] = {}
    reserved: dict[str, str] = {}
    for name, value in entries.items():
        if value is None:
            raise UserError(
                f"{paths.hyperparameters}: {name!r} is null; expected text or a number. "
                "Leave it out for its default."
            )
        theirs = name.startswith(RESERVED_PREFIX) or name in RESERVED_NAMES
        (reserved if theirs else plain)[name] = plain_text(value)
    return plain, reserved


def _channels(paths: SageMakerPaths) -> dict[str, Channel]:
    file = paths.input_data_config
    entries = read_object(file)
    if entries is None:
        return {path.name: Channel(path.name, path) for path in _folders(paths.input_data)}
    return {name: _channel(paths, name, entries[name]) for name in sorted(entries)}


def _folders(parent: Path) -> list[Path]:
    if not parent.is_dir():
        return []
    return sorted(p for p in parent.iterdir() if p.is_dir() and not p.name.startswith("."))


def _channel(paths: SageMakerPaths, name: str, entry: object) -> Channel:
    file = paths.input_data_config
    if not _CHANNEL_NAME.fullmatch(name):
        raise UserError(
            f"{file}: {name!r} is not a channel name; expected letters, digits, '.', '_' and '-'."
        )
    if not isinstance(entry, dict):
        raise UserError(
            f"{file}: channel {name!r} is {type_name(entry)}; expected an object such as "
            '{"ContentType": "text/csv", "TrainingInputMode": "File"}.'
        )
    mode = optional_text(file, entry, "TrainingInputMode", where=f"channel {name!r}: ") or "File"
    if mode not in MODES:
        raise UserError(
            f"{file}: channel {name!r} has TrainingInputMode {mode!r}; expected File, FastFile or "
            "Pipe."
        )
    where = f"channel {name!r}: "
    kind, parameters = _media_type(optional_text(file, entry, "ContentType", where=where))
    return Channel(
        name=name,
        path=paths.channel(name),
        content_type=kind,
        parameters=parameters,
        input_mode=mode,
        distribution=optional_text(file, entry, "S3DistributionType", where=where),
        record_wrapper=optional_text(file, entry, "RecordWrapperType", where=where),
    )


def _media_type(text: str | None) -> tuple[str | None, dict[str, str]]:
    kind, *pairs = (text or "").split(";")
    parameters = {}
    for pair in pairs:
        name, _, value = pair.partition("=")
        if name.strip():
            parameters[name.strip().lower()] = value.strip().strip('"')
    return kind.strip().lower() or None, parameters


def _hosts(paths: SageMakerPaths) -> tuple[tuple[str, ...], str]:
    file = paths.resource_config
    entries = read_object(file)
    if entries is None:
        return (ONE_HOST,), ONE_HOST
    current = member(file, entries, "current_host", str)
    hosts = member(file, entries, "hosts", list)
    if not hosts or not all(isinstance(host, str) and host for host in hosts):
        raise UserError(f"{file}: 'hosts' is {hosts!r}; expected a list of one or more host names.")
    if current not in hosts:
        raise UserError(f"{file}: 'current_host' {current!r} is not among 'hosts' {hosts!r}.")
    if len(set(hosts)) < len(hosts):
        raise UserError(f"{file}: 'hosts' is {hosts!r}; expected each host once.")
    # In one order on every host: the first of them leads.
    return tuple(sorted(hosts)), current


def _checkpoint_dir(paths: SageMakerPaths) -> Path | None:
    file = paths.checkpoint_config
    entries = read_object(file)
    if entries is None:
        return None
    local = PurePosixPath(optional_text(file, entries, "LocalPath") or f"{BASE_DIR}/checkpoints")
    # The file of a real job also works in a folder that stands in for /opt/ml.
    if local.is_relative_to(BASE_DIR):
        return paths.base / local.relative_to(BASE_DIR)
    return Path(local)
