"""Checkpoints in the folder SageMaker mirrors to S3, so that a job that was killed goes on.

The files are named as AWS's XGBoost image looks for them: `xgboost-checkpoint.` and the round,
from 0, that was the last one done. What the container adds to the folder and deletes from it is
mirrored while the job runs (rule T14).
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import xgboost

from churn_daal.boosting.fingerprint import differences
from churn_daal.boosting.progress import Progress, UnusableError, read_progress
from churn_daal.errors import UserError

log = logging.getLogger(__name__)

_NAME = re.compile(r"xgboost-checkpoint\.([0-9]{1,10})")
# SageMaker does not upload a file of this ending; the other two it lays beside files itself.
_PARTIAL = ".sagemaker-ignore"
_UPLOADING = ".sagemaker-uploading"
_MARKERS = (_UPLOADING, ".sagemaker-uploaded", _PARTIAL)
# Each file holds all trees so far: from 50 intervals on the interval grows with the rounds done,
# so that the bytes written grow with the size of the model and not with its square.
_SHARE = 50


@dataclass(frozen=True)
class Checkpoints:
    """Where a job's checkpoints go, and how often.

    Attributes
    ----------
    folder
        `LocalPath` of checkpointconfig.json; made if it is not there. None on a host that is
        not the first of several: it goes by the first one's checkpoints and writes none.
    rounds, seconds
        A checkpoint is due after so many rounds, or a fiftieth of the rounds done if that is
        more, or after the round in which so many seconds have passed since the last one.
    kept
        How many of the job's newest checkpoints stay.
    data
        A digest of this host's input files. A checkpoint of other files is not gone on from.
    """

    folder: Path | None
    rounds: int = 10
    seconds: float = 60.0
    kept: int = 3
    data: str = ""

    def is_due(self, done: int, since: int, elapsed: float) -> bool:
        """Tell whether a checkpoint is due: `since` rounds after the last one, of `done`."""
        return since >= max(self.rounds, done // _SHARE) or elapsed >= self.seconds


class CheckpointFolder:
    """The checkpoints of one run.

    Parameters
    ----------
    checkpoints
        Where and how many; with a folder.
    fingerprint
        What makes the run's model.
    num_round
        The rounds of the whole run.

    Raises
    ------
    UserError
        The folder cannot be made or listed.
    """

    def __init__(
        self, checkpoints: Checkpoints, fingerprint: Mapping[str, Any], num_round: int
    ) -> None:
        if checkpoints.folder is None:
            raise ValueError("checkpoints without a folder are another host's")
        self._folder, self._kept = checkpoints.folder, checkpoints.kept
        self._fingerprint, self._num_round = fingerprint, num_round
        # Only these are ever deleted: another job's files are not ours to lose.
        self._own: set[int] = set()
        self._failed = False
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._found = self._list()
        except OSError as error:
            raise UserError(
                f"the checkpoint folder {self._folder} cannot be used "
                f"({error.strerror}); expected a folder this user may write to. Mount one there, "
                "or set another LocalPath in the job's CheckpointConfig."
            ) from None

    def newest(self) -> bytes | None:
        """Return the newest checkpoint of this run; None where there is none.

        Each file that is passed over is named in the log, with the reason.
        """
        newest = None
        for number, path in self._found:
            try:
                data = path.read_bytes()
                self._check(number, data)
            except (UnusableError, OSError) as error:
                log.warning("checkpoint %s is passed over: %s", path, error)
                continue
            self._own.add(number)
            newest = newest or data
        return newest

    def write(self, number: int, data: bytes) -> None:
        """Put a checkpoint in place whole, then delete what is no longer among the newest.

        A disk that is full costs the checkpoint and not the job: it is told once, in the log.
        """
        path = self._path(number)
        partial = path.with_name(path.name + _PARTIAL)
        try:
            with partial.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(path)
            _sync(self._folder)
            self._own.add(number)
            self._prune()
        except OSError as error:
            with suppress(OSError):  # it would fill the disk that is full
                partial.unlink(missing_ok=True)
            if not self._failed:
                log.warning("checkpoint %s cannot be written: %s", path, error)
            self._failed = True

    def _list(self) -> list[tuple[int, Path]]:
        """Return the files of a checkpoint's name, newest first."""
        found, strangers = [], []
        for path in sorted(self._folder.iterdir()):
            name, is_file = _NAME.fullmatch(path.name), path.is_file()
            if name is not None and is_file:
                found.append((int(name[1]), path))
            elif is_file and path.name.endswith(_PARTIAL) and _NAME.fullmatch(path.stem):
                path.unlink()  # what a run that was killed had begun
            elif not path.name.startswith(".") and not path.name.endswith(_MARKERS):
                strangers.append(path.name)
        if strangers:
            log.warning(
                "the checkpoint folder %s holds what is no checkpoint of this program, and is "
                "left alone: %s",
                self._folder,
                ", ".join(strangers[:10]),
            )
        return sorted(found, reverse=True)

    def _check(self, number: int, data: bytes) -> None:
        progress = read_progress(data)
        differing = "; ".join(differences(progress.fingerprint, self._fingerprint))
        if differing:
            raise UnusableError(f"it is another job's ({differing})")
        if progress.rounds != number + 1:
            raise UnusableError(f"its name says round {number}, it holds {progress.rounds} rounds")
        if progress.rounds > self._num_round:
            raise UnusableError(
                f"it holds {progress.rounds} rounds, and num_round is {self._num_round}"
            )
        _tell_version(progress)

    def _prune(self) -> None:
        for number in sorted(self._own)[: -self._kept]:
            path = self._path(number)
            # A file that vanishes under an upload fails it; the next round tries again.
            if not path.with_name(path.name + _UPLOADING).exists():
                path.unlink(missing_ok=True)
                self._own.discard(number)

    def _path(self, number: int) -> Path:
        return self._folder / f"xgboost-checkpoint.{number}"


def _tell_version(progress: Progress) -> None:
    if progress.version != xgboost.__version__:
        log.warning(
            "the checkpoint is of XGBoost %s and this is %s: the model may differ in the last "
            "digits from one trained in one go",
            progress.version,
            xgboost.__version__,
        )


def _sync(folder: Path) -> None:
    """Make a rename last through a power cut too; not every file system knows how."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError:
        log.debug("%s cannot be synchronised", folder)
    finally:
        os.close(handle)
