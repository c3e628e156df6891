"""Opens a channel by the format it is in."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal, cast

from churn_daal.boosting.fit import StoppedError
from churn_daal.boosting.hyperparameters import Hyperparameters
from churn_daal.cluster import World
from churn_daal.contract.job import Channel, TrainingJob
from churn_daal.contract.pipes import spool
from churn_daal.contract.signals import StopSignal
from churn_daal.errors import UserError
from churn_daal.machine import usable_cores
from churn_daal.tabular import libsvm, record_protobuf, recordio
from churn_daal.tabular.batch import Reader
from churn_daal.tabular.charsets import known_charset
from churn_daal.tabular.csv_channel import CsvReader
from churn_daal.tabular.files import channel_files, open_bytes
from churn_daal.tabular.header import Header
from churn_daal.tabular.jsonlines_channel import JsonLinesReader
from churn_daal.tabular.parquet_channel import ParquetReader
from churn_daal.tabular.sparse_block import SparseBlock

log = logging.getLogger(__name__)
Format = Literal["csv", "libsvm", "parquet", "recordio-protobuf", "jsonlines"]
# The names AWS's XGBoost image knows, and those clients write for them.
TYPES: Final[dict[str, Format]] = {
    "text/csv": "csv",
    "csv": "csv",
    "text/libsvm": "libsvm",
    "text/x-libsvm": "libsvm",
    "libsvm": "libsvm",
    "application/x-parquet": "parquet",
    "application/vnd.apache.parquet": "parquet",
    "parquet": "parquet",
    "application/x-recordio-protobuf": "recordio-protobuf",
    "recordio-protobuf": "recordio-protobuf",
    "application/jsonlines": "jsonlines",
    "application/x-jsonlines": "jsonlines",
    "jsonlines": "jsonlines",
}
# The channels whose rows are read.
READ: Final = ("train", "validation", "test")
SPARSE: Final = frozenset({"libsvm", "recordio-protobuf"})
_RECORDIO_MAGIC: Final = b"\x0a\x23\xd7\xce"
_LIBSVM_LINE: Final = re.compile(
    rb"\s*[-+.0-9eE]+(:[.0-9eE+-]+)?(\s+qid:\d+)?(\s+\d+:\S+)+\s*(#.*)?"
)
_LOOK: Final = 1 << 16


@dataclass(frozen=True)
class OpenChannel:
    """A channel whose files and format are known.

    Attributes
    ----------
    channel
        What the job says of it.
    files
        Its files, in the order of the rows.
    format
        What they hold.
    """

    channel: Channel
    files: tuple[Path, ...]
    format: Format

    @property
    def is_sparse(self) -> bool:
        """Whether the features have places and no names."""
        return self.format in SPARSE

    @property
    def counts_from_zero(self) -> bool:
        """Whether the format itself numbers features from 0."""
        return self.format == "recordio-protobuf"

    def blocks(self, file: Path) -> Iterator[SparseBlock]:
        """Yield the blocks of a sparse file."""
        with open_bytes(file) as stream:
            read = libsvm if self.format == "libsvm" else record_protobuf
            yield from read.read_blocks(stream, name=file.name)


def open_channel(job: TrainingJob, name: str, world: World) -> OpenChannel:
    """Find a channel's files and their format, which all hosts of the job share.

    Without a ContentType the first file tells: AWS's XGBoost image takes it for libsvm then.

    Raises
    ------
    UserError
        The channel is missing, empty, or of a type that is not read.
    """
    channel = job.channels.get(name)
    if channel is None:
        have = ", ".join(job.channels) or "none"
        raise UserError(f"the job has no {name!r} channel (it has: {have}); add it to the inputs")
    # One of several hosts may have no share of the files.
    files = tuple(channel_files(channel.path, may_be_empty=world.size > 1))
    if channel.content_type is not None:
        kind = TYPES.get(channel.content_type)
        if kind is None:
            raise UserError(
                f"channel {name!r} has ContentType {channel.content_type!r}; expected text/csv, "
                "text/libsvm, application/x-parquet, application/x-recordio-protobuf or "
                "application/jsonlines. Convert the data, or set the type it has"
            )
    else:
        kind = _look(files[0]) if files else None
        kinds = [other for other in world.gather(kind) if other is not None]
        if len(set(kinds)) > 1:
            raise UserError(
                f"channel {name!r} looks like {' and '.join(sorted(set(kinds)))} on different "
                "hosts; name its type in the channel's ContentType"
            )
        kind = kinds[0] if kinds else "csv"
        if files:
            log.info("channel %r has no ContentType; %s looks like %s", name, files[0].name, kind)
    return OpenChannel(channel, files, kind)


def spooled(job: TrainingJob, folder: Path, stop: StopSignal) -> TrainingJob:
    """Return the job with its Pipe channels copied to the disk, as File mode has them.

    Raises
    ------
    UserError
        Nothing comes through a FIFO, or the disk is full.
    StoppedError
        The job was asked to stop.
    """
    channels = dict(job.channels)
    for name in READ:
        channel = channels.get(name)
        if channel is None or channel.input_mode != "Pipe":
            continue
        unwrap = recordio.unwrap if channel.record_wrapper == "RecordIO" else None
        try:
            path = spool(channel.path, folder, unwrap=unwrap, stop=stop)
        except UserError as error:
            if stop.requested:
                raise StoppedError(f"stopped while the data was read: {error}") from error
            raise
        channels[name] = replace(channel, path=path)
    return replace(job, channels=channels)


def column_reader(
    opened: OpenChannel, hp: Hyperparameters, known: tuple[str, ...] | None = None
) -> Reader:
    """Return the reader of a channel whose format has columns.

    Parameters
    ----------
    opened
        The channel.
    hp
        The job's hyperparameters.
    known
        The header of a channel that was opened before.

    Raises
    ------
    UserError
        The first file is not what its type says, or a parameter of the type cannot be.
    """
    threads = hp.nthread or usable_cores()
    if opened.format == "parquet":
        return ParquetReader(opened.files, threads=threads)
    if opened.format == "jsonlines":
        return JsonLinesReader(opened.files, charset=_charset(opened.channel), known=known)
    _check_label_size(opened.channel)
    return CsvReader(
        opened.files,
        header=cast("Header", _header(opened.channel, hp)),
        delimiter=hp.delimiter,
        charset=_charset(opened.channel),
        known=known,
        threads=threads,
    )


def _look(file: Path) -> Format:
    """Tell a file's format by how it begins."""
    with open_bytes(file) as stream:
        start = bytes(stream.read(_LOOK))
    if start.startswith(b"PAR1"):
        return "parquet"
    if start.startswith(_RECORDIO_MAGIC):
        return "recordio-protobuf"
    line = start.lstrip(b"\xef\xbb\xbf \t\r\n").partition(b"\n")[0]
    if line.startswith((b"{", b"[")):
        return "jsonlines"
    return "libsvm" if _LIBSVM_LINE.fullmatch(line) else "csv"


def _header(channel: Channel, hp: Hyperparameters) -> str:
    """Take `text/csv; header=present` where the hyperparameter leaves it open (RFC 4180)."""
    declared = channel.parameters.get("header", "auto").lower()
    return declared if hp.header == "auto" and declared in {"present", "absent"} else hp.header


def _check_label_size(channel: Channel) -> None:
    """Refuse `text/csv; label_size=0` and more than 1, as AWS's image does."""
    size = channel.parameters.get("label_size", "1")
    if size != "1":
        raise UserError(
            f"channel {channel.name!r} has ContentType label_size={size}; training needs one label "
            "column: write label_size=1 or leave it out, and name the column in the "
            "hyperparameter label if it is not the first"
        )


def _charset(channel: Channel) -> str:
    charset = channel.parameters.get("charset", "utf-8")
    if not known_charset(charset):
        raise UserError(
            f"channel {channel.name!r} has ContentType charset={charset!r}, which is no known "
            "character set; expected utf-8, latin-1, ..."
        )
    return charset
