"""What is made of a model as it is loaded: once, and kept for every worker that loads it.

Workers find it in a folder of its own beside the registry. So one that takes another's place days
later loads what the others have, and neither converts nor installs anything.
"""

from __future__ import annotations

import errno
import hashlib
import json
import shutil
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from churn_daal import artifact
from churn_daal.errors import ArtifactError, NoRoomError, UserError
from churn_daal.serving.hooks.modules import digests, is_compiled
from churn_daal.serving.hooks.packages import FULL
from churn_daal.serving.loading import Provision, provide_by
from churn_daal.serving.multi_model.registry import Record, Registry, digest
from churn_daal.serving.provision_files import read_provision, write_provision
from churn_daal.settings import ServeSettings


class Provisions:
    """The provisions of all loaded models, as one worker makes and reads them.

    Parameters
    ----------
    folder
        Of the server, which all workers share.
    settings
        How models are made ready.
    """

    def __init__(self, folder: Path, settings: ServeSettings) -> None:
        self._models, self._compiled = folder / "provisions", folder / "compiled"
        self._settings = settings
        # The worker that made it has no need to read it.
        self._made: dict[Record, Provision] = {}

    def make(self, record: Record) -> Provision:
        """Make a model ready, for every worker; `drop` is due where it is not loaded in the end.

        The caller has the name to itself (`Registry.only`).

        Raises
        ------
        ArtifactError, UserError
            As `loading.provide`.
        NoRoomError
            The disk is full.
        OSError
            Something else is wrong with a file or folder.
        """
        place = self._place(record)
        # `sweep` may have come too early for a process that outlived its worker.
        shutil.rmtree(self._of_name(record), ignore_errors=True)
        try:
            place.mkdir(parents=True)
            provision = provide_by(self._settings, Path(record.url), place)
            provision = self._sharing(provision)
            write_provision(place, provision)
        except (OSError, UserError) as error:
            if not any(text in str(error) for text in FULL):
                raise
            raise _no_room(record, str(error)) from error
        self._made[record] = provision
        return provision

    def of(self, record: Record) -> Provision:
        """Return what was made of a model.

        Raises
        ------
        ArtifactError
            The model's folder is no longer the one that was loaded, or what was made of it is
            gone.
        """
        made = self._made.pop(record, None)
        if made is not None:
            return made
        try:
            provision = read_provision(self._place(record))
        except OSError as error:
            raise ArtifactError(
                f"what was made of it is gone from the folder for temporary files ({error})"
            ) from error
        if provision.model is not None:
            artifact.check_unchanged(Path(record.url), provision.model)
        return provision

    def drop(self, record: Record) -> None:
        """Remove what was made of a model."""
        self._made.pop(record, None)
        shutil.rmtree(self._place(record), ignore_errors=True)
        with suppress(OSError):  # a later load of the name has its own in there
            self._of_name(record).rmdir()

    def sweep(self, registry: Registry) -> None:
        """Remove what a worker left that died in the middle of a load."""
        for of_name in self._models.glob("*"):
            with suppress(BlockingIOError), registry.idle(of_name.name):
                for place in of_name.iterdir():
                    if not registry.has(int(place.name)):
                        shutil.rmtree(place, ignore_errors=True)

    def _of_name(self, record: Record) -> Path:
        return self._models / digest(record.name)

    def _place(self, record: Record) -> Path:
        return self._of_name(record) / str(record.generation)

    def _sharing(self, provision: Provision) -> Provision:
        """Move compiled packages to where every model with the same ones has them.

        A process that has imported them cannot forget them, so they stay to its end, and the next
        load of the model has to find them under the same path.
        """
        packages, program = provision.packages, provision.program
        if packages is None or program is None or not is_compiled(packages):
            return provision
        content = json.dumps(sorted(digests(packages).items())).encode()
        shared = self._compiled / hashlib.sha256(content).hexdigest()[:32]
        self._compiled.mkdir(exist_ok=True)
        try:
            packages.rename(shared)
        except OSError as error:
            if error.errno not in {errno.ENOTEMPTY, errno.EEXIST}:
                raise
            shutil.rmtree(packages)  # another load has brought the same
        search = tuple(shared if folder == packages else folder for folder in program.search)
        return replace(provision, program=replace(program, search=search), packages=shared)


def _no_room(record: Record, why: str) -> NoRoomError:
    return NoRoomError(
        f"there is no disk for what model {record.name:.200} takes beside its folder: {why}; give "
        "the server's folder for temporary files more room, or unload another model"
    )
